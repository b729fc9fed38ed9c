"""What the types with a list of choices share."""

from forms.expressions.functions import words
from forms.problems import N_
from forms.question_type import LOOK, WORKS, Question

NO_MAP = N_("This app shows no map to choose from. Remove the appearance; the list stays.")
NO_IMAGE_MAP = N_("This app has no picture to choose from. Remove the appearance.")
APPEARANCES = {
    "minimal": WORKS,
    "autocomplete": WORKS,
    "search": WORKS,
    "columns": LOOK,
    "columns-1": WORKS,
    "columns-pack": WORKS,
    "likely-first": WORKS,
    "columns-flex": LOOK,
    "columns-n": WORKS,
    "compact": LOOK,
    "horizontal": LOOK,
    "horizontal-compact": LOOK,
    "quickcompact": LOOK,
    "no-buttons": LOOK,
    "list-nolabel": LOOK,
    "list": LOOK,
    "label": LOOK,
    "map": NO_MAP,
    "quick map": NO_MAP,
    "search()": N_("Use select_one_from_file with a choice_filter, which works in every app."),
}
PARAMETERS = {"randomize": WORKS, "seed": WORKS, "value": WORKS, "label": WORKS}
NO_SUCH_CHOICE = N_("The form has no such choice.")


def check_one(answer: str, question: Question) -> str:
    """Return why an answer is not one of the choices that are offered."""
    if question.offers([answer]):
        return ""
    return NO_SUCH_CHOICE


def check_several(answer: str, question: Question) -> str:
    """Return why an answer does not name choices that are offered, each once."""
    names = words(answer)
    is_distinct = len(set(names)) == len(names)
    if is_distinct and question.offers(names):
        return ""
    return NO_SUCH_CHOICE
