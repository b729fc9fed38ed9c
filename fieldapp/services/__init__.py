"""What can be done: one folder per subject; each act is one transaction and one audit line."""
