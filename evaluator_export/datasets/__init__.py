"""What leaves, and whose rows: datasets, consent, and what each recipient gets."""
