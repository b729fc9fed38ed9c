"""The doors for browsers and phones: one folder an audience, and what they share."""
