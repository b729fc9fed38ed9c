"""Tables of the subject “operations”, with their queries."""
