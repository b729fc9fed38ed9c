"""The office's pages about operations."""
