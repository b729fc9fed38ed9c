"""A workbook of heat maps.

Numbers that stay visible, colours that follow them (conditional formatting, so they stay live).

Colours go from paper to blue, which colour-blind people tell apart; black on the darkest has a contrast of 5 to 1.
"""

import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter

from evaluator_export.formats.xlsx import SAFE
from evaluator_export.products.cross_tab import CrossTab

LIGHT = "#FFFFFF"
MIDDLE = "#B7D4EA"
DARK = "#5A9BCB"
WORDS = {
    "en": {
        "about": "About",
        "total": "Total",
        "period": "Period",
        "centre": "Centre",
        "hidden": "{hidden} means: none, too few to show, or all on one day. Such cells are hatched. "
        "An empty cell has not come yet; – is from before the program.",
        "rounded": "Every number is rounded to a multiple of 5, each on its own. So rows and columns need not add up to their "
        "totals; the totals are rounded from the true totals.",
        "read": "A stronger colour means more. It shows where and when staff were active, not where violence is.",
        "use": "For planning by the team only. Not for enforcement, immigration or discipline.",
        "sheets": "Sheets",
    },
    "fr": {
        "about": "À propos",
        "total": "Total",
        "period": "Période",
        "centre": "Centre",
        "hidden": "{hidden} veut dire : aucune, trop peu pour être montré, ou tout le même jour. Ces cases sont hachurées. "
        "Une case vide n’est pas encore venue; – date d’avant le programme.",
        "rounded": "Chaque nombre est arrondi à un multiple de 5, chacun séparément. Les lignes et colonnes ne donnent donc pas "
        "toujours leurs totaux; les totaux sont arrondis à partir des vrais totaux.",
        "read": "Une couleur plus forte veut dire plus d’activité. Cela montre où et quand le personnel agissait, non où est la violence.",
        "use": "Pour la planification de l’équipe seulement. Ni application de la loi, ni immigration, ni discipline.",
        "sheets": "Feuilles",
    },
}
Label = Callable[[CrossTab, int, str], str]  # the words of a row (0) or column (1)
FIRST_ROW = 4  # of the grid: title, note, an empty line and the column titles are above
HATCHED = 14  # Excel's number of a diagonal pattern, which shows without colour too


@dataclass(frozen=True)
class _Styles:
    """How cells look: column titles, row titles, counts, totals, hidden counts, long text."""

    bold: Any
    head: Any
    side: Any
    plain: Any
    sums: Any
    hatched: Any
    wrap: Any


def write(grids: Sequence[CrossTab], label: Label, centre: str, period: str, built_at: dt.datetime, language: str) -> bytes:
    """Return the workbook as bytes; the same input gives the same bytes.

    Nothing in it can run as a formula.
    """
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {**SAFE, "constant_memory": False, "in_memory": True}) as book:
        # Excel has no time zones; and without a date, the file would say when it was written.
        book.set_properties({"title": f"{centre}, {period}", "created": built_at.replace(tzinfo=None)})
        styles = _add_styles(book)
        for number, grid in enumerate(grids, 1):
            sheet = book.add_worksheet(f"{number}")
            sheet.write_string(0, 0, f"{grid.title[language]}, {period}", styles.bold)
            _write_grid(sheet, grid, label, WORDS[language], styles)
        _write_about(book, grids, centre, period, language, styles)
    return file.getvalue()


def _add_styles(book: xlsxwriter.Workbook) -> _Styles:
    # The order decides the numbers that styles have in the file, and so its bytes.
    return _Styles(
        bold=book.add_format({"bold": True}),
        head=book.add_format({"bold": True, "align": "center", "text_wrap": True, "bottom": 1}),
        side=book.add_format({"bold": True, "right": 1}),
        plain=book.add_format({"align": "center", "border": 1, "border_color": "#FFFFFF", "font_color": "#000000"}),
        sums=book.add_format({"align": "center", "bold": True, "left": 1}),
        hatched=book.add_format({"pattern": HATCHED, "bg_color": "#FFFFFF", "fg_color": "#C8C8C8"}),
        wrap=book.add_format({"text_wrap": True, "valign": "top"}),
    )


def _write_grid(sheet: Any, grid: CrossTab, label: Label, words: Mapping[str, str], styles: _Styles) -> None:
    """Write one grid with its titles and totals."""
    total_column = len(grid.columns) + 1
    total_row = FIRST_ROW + len(grid.rows)
    hidden = grid.hidden
    sheet.hide_gridlines(2)  # on screen and on paper
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)  # as wide as one page
    sheet.write_string(1, 0, words["hidden"].format(hidden=hidden))
    sheet.set_column(0, 0, 34)  # widths in characters
    sheet.set_column(1, total_column, 9)
    sheet.freeze_panes(FIRST_ROW, 1)
    for position, column in enumerate(grid.columns, 1):
        sheet.write_string(FIRST_ROW - 1, position, label(grid, 1, column), styles.head)
    sheet.write_string(FIRST_ROW - 1, total_column, words["total"], styles.head)
    for line, row in enumerate(grid.rows, FIRST_ROW):
        sheet.write_string(line, 0, label(grid, 0, row), styles.side)
        for position, column in enumerate(grid.columns, 1):
            _put(sheet, line, position, grid.cells.get((row, column), hidden), styles.plain)
        _put(sheet, line, total_column, grid.row_totals[row], styles.sums)
    sheet.write_string(total_row, 0, words["total"], styles.side)
    for position, column in enumerate(grid.columns, 1):
        _put(sheet, total_row, position, grid.column_totals[column], styles.sums)
    _put(sheet, total_row, total_column, grid.total, styles.sums)
    if grid.rows and grid.columns:
        area = (FIRST_ROW, 1, total_row - 1, len(grid.columns))  # without the totals, which would outshine all else
        scale = {"type": "3_color_scale", "min_color": LIGHT, "mid_color": MIDDLE, "max_color": DARK}
        is_hidden = {"type": "text", "criteria": "begins with", "value": "<", "format": styles.hatched}
        # Before the colours: Excel applies the first rule that fits, and a hidden count is no low
        # count.
        sheet.conditional_format(*area, is_hidden)
        sheet.conditional_format(*area, scale)


def _write_about(
    book: xlsxwriter.Workbook, grids: Sequence[CrossTab], centre: str, period: str, language: str, styles: _Styles
) -> None:
    """Write the last sheet: what the numbers mean, and which grid is on which sheet."""
    words = WORDS[language]
    about = book.add_worksheet(words["about"])
    about.set_column(0, 0, 14)
    about.set_column(1, 1, 90, styles.wrap)
    hidden = ", ".join(dict.fromkeys(grid.hidden for grid in grids))
    lines = [(words["centre"], centre), (words["period"], period), ("", words["rounded"]), ("", words["read"])]
    lines += [("", words["hidden"].format(hidden=hidden)), ("", words["use"]), (words["sheets"], "")]
    lines += [(str(number), grid.title[language]) for number, grid in enumerate(grids, 1)]
    for line, (name, text) in enumerate(lines):
        about.write_string(line, 0, name, styles.bold)
        about.write_string(line, 1, text, styles.wrap)


def _put(sheet: Any, line: int, position: int, text: str, style: Any) -> None:
    # A count is a number, so that the colour scale sees it; "<20" stays text.
    if text.isdecimal():
        sheet.write_number(line, position, int(text), style)
    else:
        sheet.write_string(line, position, text, style)
