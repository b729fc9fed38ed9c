"""The OpenRosa door for ODK Collect."""
