"""The OData feed of a recipient: its file, its keys, and reading it."""
