"""What the application does: one folder per subject, one transaction per act."""
