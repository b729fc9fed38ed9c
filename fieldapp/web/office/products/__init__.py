"""The office's pages about products."""
