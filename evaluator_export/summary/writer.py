"""Write tagged pages with ReportLab.

Headings, paragraphs, tables, each into the structure tree as it is made.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import reportlab
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import SimpleDocTemplate, TableStyle

from evaluator_export.summary.tagging import StructureElement, TaggedCanvas, TaggedTable, add_structure_tree, text

FONTS = Path(reportlab.__file__).parent / "fonts"  # Bitstream Vera, which ReportLab brings, so that fonts are embedded
PLAIN = "Vera"
BOLD = "VeraBd"
INK, SOFT, LINE, ACCENT, HATCH = (HexColor(code) for code in ("#22303a", "#56646e", "#ddd6c8", "#1f6f6b", "#c9c2b4"))
BODY = ParagraphStyle("body", fontName=PLAIN, fontSize=9.5, leading=14, textColor=INK, spaceAfter=6)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=7.8, leading=11, textColor=SOFT)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=7.8, leading=11, spaceAfter=0)
HEAD = ParagraphStyle("head", parent=CELL, fontName=BOLD)
TITLE = ParagraphStyle("title", parent=BODY, fontName=BOLD, fontSize=19, leading=24)
HEADING = ParagraphStyle("heading", parent=BODY, fontName=BOLD, fontSize=12.5, leading=17, spaceBefore=10)
WIDTH = letter[0] - 40 * mm


class Writer:
    """Writes one document in one language.

    `page` is the words of a page's number, with {number}.
    """

    def __init__(self, root: StructureElement, page: str):
        self.root = root
        self.page = page

    def footer(self, canvas: TaggedCanvas, _: Any) -> None:
        """Draw the number of the page; ReportLab calls it once per page."""
        canvas.begin_artifact()
        canvas.setFont(PLAIN, 8)
        canvas.setFillColor(SOFT)
        canvas.drawRightString(letter[0] - 20 * mm, 10 * mm, self.page.format(number=canvas.getPageNumber()))
        canvas.end()

    def heading(self, words: str, style: ParagraphStyle = HEADING) -> Any:
        """Return a heading; TITLE gives H1, any other style H2, and both a bookmark."""
        depth = 2
        if style is TITLE:
            depth = 1
        return text(words, style, self.root.add(f"H{depth}"), outline=depth - 1)

    def paragraph(self, words: str, style: ParagraphStyle = BODY) -> Any:
        """Return a paragraph of plain words."""
        return text(words, style, self.root.add("P"))

    def grid(self, lines: list[list[str]]) -> TaggedTable:
        """Return a table; its first line and its first column are headings."""
        table = self.root.add("Table")
        cells = []
        for number, line in enumerate(lines):
            row = table.add("TR")
            cells.append([_write_cell(row, number, place, cell) for place, cell in enumerate(line)])
        first = min(70 * mm, WIDTH / 2)
        width = (WIDTH - first) / max(1, len(lines[0]) - 1)
        grid = TaggedTable(cells, colWidths=[first, *[width] * (len(lines[0]) - 1)], repeatRows=1)
        style: list[Any] = [("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE), ("LINEBELOW", (0, 0), (-1, 0), 1, INK)]
        style += [("VALIGN", (0, 0), (-1, -1), "TOP"), ("FONTNAME", (0, 0), (-1, -1), PLAIN)]
        grid.setStyle(TableStyle(style))
        return grid


def _write_cell(row: StructureElement, number: int, place: int, words: str) -> Any:
    """Return a cell; those of the first line and the first column are headings.

    Readers of the page aloud say the heading of a cell before it, so each heading says for what it is one.
    """
    if number == 0:
        return text(words, HEAD, row.add("TH", scope="Column"))
    if place == 0:
        return text(words, HEAD, row.add("TH", scope="Row"))
    return text(words, CELL, row.add("TD"))


def render(write: Callable[[StructureElement], tuple[Writer, list[Any]]], title: str, author: str, language: str) -> bytes:
    """Return a document as PDF; the same input gives the same bytes."""
    for name in (PLAIN, BOLD):
        # Registering twice is harmless, and a process may draw its first document at any time.
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))
    root = StructureElement("Document")
    writer, story = write(root)
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=letter, leftMargin=20 * mm, rightMargin=20 * mm, topMargin=18 * mm, bottomMargin=18 * mm,
        title=title, author=author, lang=language, invariant=1, initialFontName=PLAIN,
    )  # fmt: skip
    document.build(story, onFirstPage=writer.footer, onLaterPages=writer.footer, canvasmaker=TaggedCanvas)
    return add_structure_tree(buffer.getvalue(), root, title, language, author)
