"""Records: how they arrive, are folded, reviewed, listed and exported."""
