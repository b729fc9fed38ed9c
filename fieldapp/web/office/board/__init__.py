"""The office's pages about board."""
