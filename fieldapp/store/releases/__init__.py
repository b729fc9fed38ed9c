"""Tables of the subject “releases”, with their queries."""
