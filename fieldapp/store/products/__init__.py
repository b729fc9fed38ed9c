"""Tables of the subject “products”, with their queries."""
