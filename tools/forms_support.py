"""Write docs/forms-support.md from what the code knows (forms/types, forms/support.py, forms/expressions/functions.py)."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from forms import support  # noqa: E402
from forms.expressions.functions import BY_CHANCE, SIGNATURES, UNSUPPORTED  # noqa: E402
from forms.question_type import LOOK, WORKS  # noqa: E402
from forms.roles import CHOICE_ROLES, FORM_ROLES, NEEDS, QUESTION_ROLES  # noqa: E402

PAGE = ROOT / "docs/forms-support.md"
VERDICTS = {WORKS: "works", LOOK: "accepted; changes nothing here"}
HEAD = """# What an XLSForm can hold here

Written from the code by `make forms-support`; a test compares the two. **works**: does what the XLSForm standard says.
**accepted; changes nothing here**: it only changes how other apps draw a question. **refused**: the row is refused before
publishing, with this reason. A column or appearance that nobody knows is refused where it looks misspelt, else named in a
warning. Nothing is passed over silently.

Beyond the standard: `app_role` on all three sheets and `app_minutes` on the choices sheet (see [roles](#roles)); `privacy` (also written `privacy::class`), `privacy::hierarchy`, `privacy::export`, `privacy::approval`,
`consent::keep` and `consent::why` (how far consent must reach, see [admins.md](admins.md)) and `retain::months` (how long answers are stored) on the survey sheet; `consent_why`, `retain_months`, `summary_day` and the like (see
[admins.md](admins.md)), `form_title_fr` (any language) on the settings sheet; a
sheet `tests` (see [admins.md](admins.md)). Pictures, recordings, files and places need a written approval, since they can
point to a person; pictures are scaled down on the phone, and each is 150 KB at most.

Also: groups and nested repeats, cascading selects, choices from the answers of a repeat (`select_one ${name}`), `or_other`
(its text question is classed free-text and never leaves), several languages with a fallback, labels that show answers.
Loops (`begin loop`), entities and external_choices sheets are refused with what to use instead.
"""
LIMITS = """## Limits

| what | limit |
|---|---|
| workbook | 5 MB, 60 MB unpacked, 2,000,000 cells; with its lists 8 MB in one upload |
| questions, groups and repeats | 10,000 |
| choices on the choices sheet; rows of one CSV file | 50,000; 10 MB and 40 columns a file, 20 files |
| one expression | 20,000 characters, nested 100 deep |
| a pattern of regex() | 6,000,000 steps on the worst answer of 1,000 characters ([rule](expressions.md#patterns)) |
| instances of a repeat that counts them | 1,000 |
| one answer | 4,000 characters |
| compiling an upload | a process of its own, 60 s of CPU, 2 GB of address space |
"""


def verdict(text: str) -> str:
    return VERDICTS.get(text, f"refused: {text}")


def rows(pairs: list[tuple[str, str]], heading: str) -> str:
    lines = [f"| {heading} | |", "|---|---|"]
    return "\n".join(lines + [f"| `{name}` | {text} |" for name, text in pairs]) + "\n"


def arity(low: int, high: int | None) -> str:
    return str(low) if low == high else f"{low} or more" if high is None else f"{low} to {high}"


ROLES = """## Roles

What a form says in its columns `app_role`, so that no code names a question: on the survey sheet of a question (several
roles with spaces between them), on the choices sheet of a choice, on the settings sheet of the form. A role of a question
may also be given by a setting, `summary_day` for `day`. Each role is given once in a form, and to one form of a centre.
Publishing refuses a form that lacks what something switched on at the centre needs (**needed by**).
"""


def list_roles() -> str:
    """Return the tables of roles."""
    needed: dict[str, list[str]] = {}
    for needs in NEEDS:
        whose = f"{needs.reader} ({needs.form})" if needs.form else str(needs.reader)
        for role in needs.questions:
            needed.setdefault(role, []).append(whose)
        for _, choice in needs.choices:
            needed.setdefault(choice, []).append(whose)
    questions = []
    for role, rule in QUESTION_ROLES.items():
        answers = ", ".join(sorted(rule.answers))
        text = f"{rule.meaning}. Answers: {answers}. Read by: {', '.join(rule.readers)}."
        questions.append((str(role), text + _needed_by(needed.get(role, []))))
    choices = [(str(role), text + _needed_by(needed.get(role, []))) for role, text in CHOICE_ROLES.items()]
    forms = [(str(role), text) for role, text in FORM_ROLES.items()]
    tables = [rows(forms, "form"), rows(questions, "question"), rows(choices, "choice")]
    return "\n".join([ROLES, *tables])


def _needed_by(readers: list[str]) -> str:
    return f" **Needed by** {', '.join(readers)}." if readers else ""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    parts += [
        "## Question types\n",
        rows([(name, verdict(text)) for name, text in sorted(support.TYPE_VERDICTS.items())], "type"),
    ]
    aliases = ", ".join(f"`{name}` = {meaning}" for name, meaning in sorted(support.TYPE_ALIASES.items()) if " " not in name)
    parts.append(
        f"Other names: {aliases}, and the long names of old XLSForms (`add select one prompt using`, `q date`, …).\n"
    )
    parts += [
        "## Columns of the survey sheet\n",
        rows([(name, verdict(text)) for name, text in support.COLUMNS.items()], "column"),
    ]
    parts += ["## Settings\n", rows([(name, verdict(text)) for name, text in support.SETTINGS.items()], "setting")]
    parts.append("A refused setting is named in a warning, since leaving it out changes nothing.\n")
    looks = [
        (name, f"{verdict(text)}{'' if '*' in types else ' (' + ', '.join(types) + ')'}")
        for name, (types, text) in sorted(support.APPEARANCES.items())
    ]
    parts += ["## Appearances\n", rows(looks, "appearance")]
    given = [(f"{name} ({', '.join(types)})", verdict(text)) for name, (types, text) in sorted(support.PARAMETERS.items())]
    parts += ["## Parameters\n", rows(given, "parameter")]
    functions = []
    for name, (low, high) in sorted(SIGNATURES.items()):
        note = "; rolled on the phone, taken as given at the centre" if name in BY_CHANCE else ""
        functions.append((f"{name}()", f"works; values: {arity(low, high)}{note}"))
    functions += [(f"{name}()", "refused: " + text.format(name=name)) for name, text in sorted(UNSUPPORTED.items())]
    parts += ["## Functions\n", rows(functions, "function")]
    parts.append(
        "Operators `or and = != < <= > >= + - * div mod |`, unary `-`, parentheses. Axes: `child::`, `parent::`, `self::` "
        "and their short forms `a/b`, `..`, `.`, `*`, from the root, the node in hand, `current()` or `instance('list')`; "
        "conditions in brackets, also by position. Refused: `//`, `@`, every other axis. "
        "What each means: [expressions.md](expressions.md).\n"
    )
    parts.append(list_roles())
    parts.append(LIMITS)
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
