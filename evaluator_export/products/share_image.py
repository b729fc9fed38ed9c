"""The picture that other sites show with a link to the dashboard.

The centre and three public numbers.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

# Pixels: the size that social networks show a link in.
WIDTH = 1200
HEIGHT = 630
EDGE = 72
PAPER = "#fbf8f3"
INK = "#1d2a30"
SOFT = "#4c5a61"
ACCENT = "#0b5f63"
MOST = 3


@dataclass(frozen=True)
class ShareLine:
    """A number of the picture: as it is written, what it counts, and when."""

    number: str
    title: str
    span: str


def card(centre: str, lines: Sequence[ShareLine]) -> bytes:
    """Return a PNG of 1200 by 630; the same input gives the same bytes.

    Each number has its own span beside it: a heading over all of them would be wrong of some.
    """
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  heavy, and needed where one is drawn only

    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, WIDTH, 14), fill=ACCENT)
    # Pillow's own font: no font of the server's, so the picture is the same everywhere.
    draw.text((EDGE, 64), centre, font=ImageFont.load_default(56), fill=INK)
    for place, line in enumerate(lines[:MOST]):
        top = 170 + place * 140
        draw.text((EDGE, top), line.number, font=ImageFont.load_default(72), fill=ACCENT)
        draw.text((EDGE + 300, top + 6), line.title, font=ImageFont.load_default(40), fill=INK)
        draw.text((EDGE + 300, top + 58), line.span, font=ImageFont.load_default(32), fill=SOFT)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()
