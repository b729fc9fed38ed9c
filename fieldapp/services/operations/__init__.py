"""Centres, the office's overview, the server's key, backup and restore."""
