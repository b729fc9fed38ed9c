"""Tables of the subject “forms”, with their queries."""
