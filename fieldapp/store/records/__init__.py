"""Tables of the subject “records”, with their queries."""
