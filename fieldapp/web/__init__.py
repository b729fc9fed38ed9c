"""Pages for browsers and interfaces for phones, in a folder for each audience."""
