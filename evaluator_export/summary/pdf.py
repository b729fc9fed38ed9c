"""Draw the summary with ReportLab: the same input gives the same bytes."""

import io
from collections.abc import Sequence
from typing import Any

from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from evaluator_export.formats.codebook import Labels
from evaluator_export.parts import Occasion, Part
from evaluator_export.recipe import Recipe
from evaluator_export.small_cells import ProtectedTable
from evaluator_export.summary.words import WORDS
from forms.lists import in_language

INK, SOFT, LINE, ACCENT, HATCH = (HexColor(code) for code in ("#22303a", "#56646e", "#ddd6c8", "#1f6f6b", "#c9c2b4"))
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10, leading=14, textColor=INK, spaceAfter=6)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=8, leading=11, textColor=SOFT)
TITLE = ParagraphStyle("title", parent=BODY, fontName="Helvetica-Bold", fontSize=20, leading=24)
HEADING = ParagraphStyle("heading", parent=BODY, fontName="Helvetica-Bold", fontSize=13, leading=17, spaceBefore=10)
WIDTH = letter[0] - 40 * mm


def draw(
    recipe: Recipe,
    parts: Sequence[Part],
    tables: Sequence[ProtectedTable],
    labels: Labels,
    occasion: Occasion,
    language: str,
) -> bytes:
    """Return the PDF in one language; its numbers are those of tables.csv."""
    words, period = WORDS[language], occasion.period
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=letter, leftMargin=20 * mm, rightMargin=20 * mm, topMargin=18 * mm, bottomMargin=18 * mm,
        title=f"{recipe.title[language]}, {period.name}", author=occasion.centre, lang=language, invariant=1,
    )  # fmt: skip
    story: list[Any] = [
        Paragraph(_safe(recipe.title[language]), TITLE),
        Paragraph(_safe(words["subtitle"].format(centre=occasion.centre, period=period.name)), BODY),
        Paragraph(words["purpose"], HEADING),
        Paragraph(_safe(recipe.purpose[language]), BODY),
        Paragraph(words["what"], HEADING),
        *(paragraph for part in parts for paragraph in _about(part, recipe, language)),
        Paragraph(words["never"], BODY),
    ]
    for number, table in enumerate(tables):
        story += _section(table, recipe, labels, occasion, language, chart=number == 0)
    cut_off = occasion.cut_off[:10]
    source = words["source"].format(centre=occasion.centre, first=period.first, last=period.last, cut_off=cut_off)
    story += [Spacer(1, 8), Paragraph(_safe(source), SMALL)]

    def footer(canvas: Any, _: Any) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.setFillColor(SOFT)
        canvas.drawRightString(letter[0] - 20 * mm, 10 * mm, words["page"].format(number=canvas.getPageNumber()))

    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return buffer.getvalue()


def _safe(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _about(part: Part, recipe: Recipe, language: str) -> list[Paragraph]:
    words, title = WORDS[language], part.dataset.title[language]
    names = [in_language(column.title, language) for column in part.dataset.quasi_identifiers]
    columns = ", ".join(names[:-1]) + words["and"] + names[-1] if len(names) > 1 else "".join(names)
    sentence = words["what_row"] if len(part.result.rows) else words["what_none"]
    text = sentence.format(title=title, rows=len(part.result.rows), others=recipe.k - 1, columns=columns.lower())
    held = part.result.suppressed / max(1, part.result.suppressed + len(part.result.rows))
    refused = part.refused / max(1, part.records)
    left_out = words["left_out"].format(suppressed=_percent(held), refused=_percent(refused))
    return [Paragraph(_safe(text), BODY), Paragraph(_safe(left_out), SMALL)]


def _percent(share: float) -> str:
    return f"{round(share * 20) * 5} %"


def _section(
    table: ProtectedTable, recipe: Recipe, labels: Labels, occasion: Occasion, language: str, chart: bool
) -> list[Any]:
    words = WORDS[language]
    title = words["chart"].format(title=table.spec.title[language], period=occasion.period.name)
    heading = Paragraph(_safe(title), HEADING)
    dataset = next(dataset for dataset in recipe.datasets if dataset.name == table.spec.dataset)
    columns = {column.name: column for column in dataset.columns}

    def label(position: int, value: str) -> str:
        return labels.value(dataset, columns[table.headings[position]], value, language)

    note = Paragraph(_safe(words["protected"].format(threshold=recipe.threshold)), SMALL)
    if not table.cells:
        return [KeepTogether([heading, Paragraph(words["nothing"], BODY)])]
    first = in_language(columns[table.headings[0]].title, language)
    if len(table.headings) == 1:
        rows = [(label(0, cell[0]), count) for cell, count in table.cells]
        body = _grid([[first, words["count"]], *map(list, rows), [words["total"], table.total]])
        return [KeepTogether([heading, *([_bars(rows)] if chart else []), note]), body]
    across = sorted({cell[1] for cell, _ in table.cells})
    found = dict(table.cells)
    lines = [[first, *(label(1, value) for value in across)]]
    for value in sorted({cell[0] for cell, _ in table.cells}):
        lines.append([label(0, value), *(found.get((value, other), "0") for other in across)])
    return [KeepTogether([heading, note, _grid(lines)])]


def _grid(lines: list[list[str]]) -> Table:
    cells = [[Paragraph(_safe(cell), SMALL) for cell in line] for line in lines]
    first = min(70 * mm, WIDTH / 2)
    widths = [first, *[(WIDTH - first) / (len(lines[0]) - 1)] * (len(lines[0]) - 1)]
    table = Table(cells, colWidths=widths, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
                ("LINEBELOW", (0, 0), (-1, 0), 1, INK),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return table


def _bars(rows: list[tuple[str, str]]) -> Drawing:
    """Draw a bar a row, its number beside it; a hidden count is a short pale bar."""
    step, left = 16, 70 * mm
    drawing = Drawing(WIDTH, step * len(rows) + 6)
    numbers = [int(count) if count.isdecimal() else 0 for _, count in rows]
    scale = (WIDTH - left - 40) / max([*numbers, 1])
    for index, ((name, count), number) in enumerate(zip(rows, numbers, strict=True)):
        y = step * (len(rows) - 1 - index) + 4
        length = number * scale if number else 12
        drawing.add(String(left - 6, y + 3, name[:44], textAnchor="end", fontName="Helvetica", fontSize=8, fillColor=INK))
        drawing.add(Rect(left, y, length, 11, fillColor=ACCENT if number else HATCH, strokeColor=None))
        drawing.add(String(left + length + 4, y + 3, count, fontName="Helvetica-Bold", fontSize=8, fillColor=INK))
    return drawing
