"""Counts and shares that may be published beside rows.

No small one can be read out of them.
"""


def coarsen_count(count: int, threshold: int) -> str:
    """Return a count as text that may be published: small ones hidden, others down to 5s.

    Example: with a threshold of 20, 0 is "0", 7 is "<20", and 43 is "40".
    """
    if not count:
        return "0"
    if count < threshold:
        return f"<{threshold}"
    return str(count // 5 * 5)


def round_share(count: float, of: float) -> float:
    """Return `count` / `of` in steps of 0.05, which give no small count away; 0 of nothing."""
    if not of:
        return 0.0
    return round(round(20 * count / of) / 20, 2)
