"""A workbook of heat maps.

Numbers that stay visible, colours that follow them (conditional formatting, so they stay live).

Colours go from paper to blue, which colour-blind people tell apart; black on the darkest has a contrast of 5 to 1.
"""

import datetime as dt
import io
from collections.abc import Callable, Sequence

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
        "hidden": "{hidden} means: too few to show, or all on one day. It is not zero. Such cells are hatched.",
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
        "hidden": "{hidden} veut dire : trop peu pour être montré, ou tout le même jour. Ce n’est pas zéro. Ces cases sont hachurées.",
        "rounded": "Chaque nombre est arrondi à un multiple de 5, chacun séparément. Les lignes et colonnes ne donnent donc pas "
        "toujours leurs totaux; les totaux sont arrondis à partir des vrais totaux.",
        "read": "Une couleur plus forte veut dire plus d’activité. Cela montre où et quand le personnel agissait, non où est la violence.",
        "use": "Pour la planification de l’équipe seulement. Ni application de la loi, ni immigration, ni discipline.",
        "sheets": "Feuilles",
    },
}
Label = Callable[[CrossTab, int, str], str]  # the words of a row (0) or column (1)


def write(grids: Sequence[CrossTab], label: Label, centre: str, period: str, built_at: dt.datetime, language: str) -> bytes:
    """Return the workbook as bytes; the same input gives the same bytes.

    Nothing in it can run as a formula.
    """
    words = WORDS[language]
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {**SAFE, "constant_memory": False, "in_memory": True}) as book:
        book.set_properties({"title": f"{centre}, {period}", "created": built_at.replace(tzinfo=None)})
        bold = book.add_format({"bold": True})
        head = book.add_format({"bold": True, "align": "center", "text_wrap": True, "bottom": 1})
        side = book.add_format({"bold": True, "right": 1})
        plain = book.add_format({"align": "center", "border": 1, "border_color": "#FFFFFF", "font_color": "#000000"})
        sums = book.add_format({"align": "center", "bold": True, "left": 1})
        hatched = book.add_format({"pattern": 14, "bg_color": "#FFFFFF", "fg_color": "#C8C8C8"})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        for number, grid in enumerate(grids, 1):
            sheet = book.add_worksheet(f"{number}")
            sheet.hide_gridlines(2)
            sheet.set_landscape()
            sheet.fit_to_pages(1, 0)  # as wide as one page
            sheet.write_string(0, 0, f"{grid.title[language]}, {period}", bold)
            sheet.write_string(1, 0, words["hidden"].format(hidden=f"<{grid.threshold}"))
            sheet.set_column(0, 0, 34)
            sheet.set_column(1, len(grid.columns) + 1, 9)
            sheet.freeze_panes(4, 1)
            for place, column in enumerate(grid.columns, 1):
                sheet.write_string(3, place, label(grid, 1, column), head)
            sheet.write_string(3, len(grid.columns) + 1, words["total"], head)
            hidden = f"<{grid.threshold}"
            for line, row in enumerate(grid.rows, 4):
                sheet.write_string(line, 0, label(grid, 0, row), side)
                for place, column in enumerate(grid.columns, 1):
                    _put(sheet, line, place, grid.cells.get((row, column), hidden), plain)
                _put(sheet, line, len(grid.columns) + 1, grid.row_totals[row], sums)
            last = 4 + len(grid.rows)
            sheet.write_string(last, 0, words["total"], side)
            for place, column in enumerate(grid.columns, 1):
                _put(sheet, last, place, grid.column_totals[column], sums)
            _put(sheet, last, len(grid.columns) + 1, grid.total, sums)
            if grid.rows and grid.columns:
                area = (4, 1, last - 1, len(grid.columns))
                scale = {"type": "3_color_scale", "min_color": LIGHT, "mid_color": MIDDLE, "max_color": DARK}
                sheet.conditional_format(*area, {"type": "text", "criteria": "begins with", "value": "<", "format": hatched})
                sheet.conditional_format(*area, scale)
        about = book.add_worksheet(words["about"])
        about.set_column(0, 0, 14)
        about.set_column(1, 1, 90, wrap)
        lines = [(words["centre"], centre), (words["period"], period), ("", words["rounded"]), ("", words["read"])]
        lines += [("", words["hidden"].format(hidden="<5")), ("", words["use"]), (words["sheets"], "")]
        lines += [(str(number), grid.title[language]) for number, grid in enumerate(grids, 1)]
        for line, (name, text) in enumerate(lines):
            about.write_string(line, 0, name, bold)
            about.write_string(line, 1, text, wrap)
    return file.getvalue()


def _put(sheet: object, line: int, place: int, text: str, form: object) -> None:
    if text.isdecimal():
        sheet.write_number(line, place, int(text), form)  # type: ignore[attr-defined]
    else:
        sheet.write_string(line, place, text, form)  # type: ignore[attr-defined]
