"""The shift report of the crisis team as a tagged PDF.

What was done, by whom, what is open. It names nobody served.
"""

from collections.abc import Sequence
from typing import Any

from evaluator_export.summary.tagging import StructureElement
from evaluator_export.summary.writer import SMALL, TITLE, Writer, render

WORDS = {
    "en": {
        "title": "Shift report", "page": "Page {number}", "open": "Still open", "done": "What was done", "when": "When",
        "what": "What", "which": "About", "who": "By",
        "counts": "{incidents} incidents, {requests} requests, {due} follow-ups due or past due.",
        "none": "Nothing was logged in this time.",
        "note": "For the crisis team only. It names no one whom the program serves.",
    },
    "fr": {
        "title": "Rapport de quart", "page": "Page {number}", "open": "Encore ouvert", "done": "Ce qui a été fait", "when": "Quand",
        "what": "Quoi", "which": "Au sujet de", "who": "Par",
        "counts": "{incidents} incidents, {requests} demandes, {due} suivis à faire ou en retard.",
        "none": "Rien n’a été consigné pendant ce temps.",
        "note": "Pour l’équipe de crise seulement. Ne nomme personne que le programme sert.",
    },
}  # fmt: skip


def draw(
    centre: str,
    span: str,
    incidents: int,
    requests: int,
    due: int,
    lines: Sequence[tuple[str, str, str, str]],
    language: str,
) -> bytes:
    """Return the report as PDF.

    `lines` are when, what, about what, by whom, in the reader's language.
    """
    words = WORDS[language]
    title = f"{words['title']}, {centre}"

    def write(root: StructureElement) -> tuple[Writer, list[Any]]:
        page = Writer(root, words["page"])
        story = [page.heading(title, TITLE), page.paragraph(span), page.heading(words["open"])]
        story.append(page.paragraph(words["counts"].format(incidents=incidents, requests=requests, due=due)))
        story.append(page.heading(words["done"]))
        if lines:
            story.append(page.grid([[words["when"], words["what"], words["which"], words["who"]], *map(list, lines)]))
        else:
            story.append(page.paragraph(words["none"]))
        story.append(page.paragraph(words["note"], SMALL))
        return page, story

    return render(write, title, centre, language)
