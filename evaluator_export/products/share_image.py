"""The picture that other sites show with a link to the dashboard.

The centre, the month, three public numbers.
"""

import io
from collections.abc import Sequence
from typing import Any

from evaluator_export.periods import Period
from evaluator_export.products.indicators import SHOWN

# Pixels: the size that social networks show a link in.
WIDTH = 1200
HEIGHT = 630
EDGE = 72
PAPER = "#fbf8f3"
INK = "#1d2a30"
SOFT = "#4c5a61"
ACCENT = "#0b5f63"
MOST = 3


def card(centre: str, period: Period, indicators: Sequence[dict[str, Any]], language: str) -> bytes:
    """Return a PNG of 1200 by 630; the same input gives the same bytes."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  heavy, and needed where one is drawn only

    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, WIDTH, 14), fill=ACCENT)
    # Pillow's own font: no font of the server's, so the picture is the same everywhere.
    draw.text((EDGE, 72), centre, font=ImageFont.load_default(56), fill=INK)
    draw.text((EDGE, 150), period.name, font=ImageFont.load_default(36), fill=SOFT)
    lines = [
        (indicator["numbers"][-1]["text"], indicator["title"][language])
        for indicator in indicators
        if _is_public_count(indicator)
    ]
    for place, (number, title) in enumerate(lines[:MOST]):
        draw.text((EDGE, 240 + place * 112), number, font=ImageFont.load_default(72), fill=ACCENT)
        draw.text((EDGE + 250, 264 + place * 112), title, font=ImageFont.load_default(40), fill=INK)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _is_public_count(indicator: dict[str, Any]) -> bool:
    """Say whether the newest number of an indicator is a count that everybody may see."""
    if indicator["audience"] != "public" or indicator["unit"] != "count":
        return False
    numbers = indicator["numbers"]
    return bool(numbers) and numbers[-1]["state"] == SHOWN
