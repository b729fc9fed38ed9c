"""The shift report of the crisis team as a tagged PDF.

What is open, since when, whose and what is due; what came in; what was done, by whom. It names nobody served.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluator_export.summary.tagging import StructureElement
from evaluator_export.summary.writer import SMALL, TITLE, Writer, render

WORDS = {
    "en": {
        "title": "Shift report", "page": "Page {number}", "open": "Open now, and what comes next", "new": "Came in during this shift",
        "requests": "Open requests", "out": "On shift", "done": "What was done",
        "counts": "Came in: {arrived}, of which closed: {closed}. Open now: incidents {incidents}, requests {requests}. "
        "Follow-ups due or past due: {due}.",
        "none": "Nothing was logged in this time.", "empty": "None.",
        "note": "For the crisis team only. It names no one whom the program serves.",
    },
    "fr": {
        "title": "Rapport de quart", "page": "Page {number}", "open": "Ouverts maintenant, et la suite", "new": "Reçus pendant ce quart",
        "requests": "Demandes ouvertes", "out": "En quart", "done": "Ce qui a été fait",
        "counts": "Reçus\u00a0: {arrived}, dont fermés\u00a0: {closed}. Ouverts maintenant\u00a0: incidents {incidents}, demandes {requests}. "
        "Suivis à faire ou en retard\u00a0: {due}.",
        "none": "Rien n’a été consigné pendant ce temps.", "empty": "Aucun.",
        "note": "Pour l’équipe de crise seulement. Ne nomme personne que le programme sert.",
    },
}  # fmt: skip
SECTIONS = ("open", "new", "requests", "out", "done")  # in their order

Section = Sequence[Sequence[str]]  # lines of cells; the first has the headings


def draw(
    centre: str,
    span: str,
    counts: Mapping[str, int],
    sections: Mapping[str, Section],
    language: str,
) -> bytes:
    """Return the report as PDF.

    `counts` fill the sentence at its beginning; `sections` are tables in the reader's language, by SECTIONS.
    """
    words = WORDS[language]
    title = f"{words['title']}, {centre}"

    def write(root: StructureElement) -> tuple[Writer, list[Any]]:
        page = Writer(root, words["page"])
        story = [page.heading(title, TITLE), page.paragraph(span), page.paragraph(words["counts"].format(**counts))]
        for name in SECTIONS:
            story.append(page.heading(words[name]))
            lines = [list(line) for line in sections[name]]
            empty = words["none"] if name == "done" else words["empty"]
            story.append(page.grid(lines) if len(lines) > 1 else page.paragraph(empty))
        story.append(page.paragraph(words["note"], SMALL))
        return page, story

    return render(write, title, centre, language)
