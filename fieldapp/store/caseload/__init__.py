"""Tables of the subject “caseload”, with their queries."""
