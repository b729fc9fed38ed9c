"""The office's pages about phones."""
