"""The fault harness: see harness.py."""
