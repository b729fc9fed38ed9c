"""A small series of releases."""


def small(text: str) -> str:
    """Let classes of five do, so that a year of invented records has something to hand out."""
    return text.replace("preset: ipc2025-high", "k: 5").replace(
        "suppress: {max_rows: 0.1", "suppress: {max_singled_out: 1, max_rows: 0.3"
    )
