"""The conversation between a phone and the centre: what a phone should hold, what arrives, and what becomes of it."""
