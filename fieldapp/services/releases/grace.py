"""How long after its end a period counts as complete, for releases and for products alike."""

# Long enough for phones without signal to still send. One number for both, so that they count the same records.
GRACE_DAYS = 3
