"""The application around the libraries: doors (web, cli, jobs), services, store."""
