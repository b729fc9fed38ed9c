"""The office's pages about releases."""
