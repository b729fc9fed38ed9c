"""Tables of the subject “people”, with their queries."""
