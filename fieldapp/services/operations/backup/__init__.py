"""One checked copy of everything that must come back, and how it is put back."""
