"""Tables of the subject “board”, with their queries."""
