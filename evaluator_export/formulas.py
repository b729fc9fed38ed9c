"""What a spreadsheet would run: no cell that we write or take in may begin so."""

RISKY = ("=", "+", "-", "@", "\t", "\r")
