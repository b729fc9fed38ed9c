"""The office's pages about the caseload."""
