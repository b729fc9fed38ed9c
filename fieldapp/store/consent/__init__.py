"""Tables of the subject “consent”, with their queries."""
