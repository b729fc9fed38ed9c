"""The office's pages about records."""
