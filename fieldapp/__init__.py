"""The application around the libraries: web, cli and jobs, services, store."""
