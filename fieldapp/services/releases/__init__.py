"""Releases: series, what goes in, build, deliver, download, revoke."""
