"""How a cell begins that a spreadsheet would run as a formula."""

# A tab or a line break before one of the others is left out by some spreadsheets.
RISKY = ("=", "+", "-", "@", "\t", "\r")
