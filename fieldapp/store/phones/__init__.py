"""Tables of the subject “phones”, with their queries."""
