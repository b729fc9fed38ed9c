"""The office's pages about forms."""
