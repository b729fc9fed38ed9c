"""Small forms, and what they read back as."""

from forms.definition import FormDefinition
from forms.expressions.values import parse_date
from forms.xlsform import compile_workbook

SETTINGS = "| settings |\n| | form_id | version | consent_why |\n| | t | 1 | nobody is asked in a test |\n"


CHOICES = """| choices | | | | |
| | list_name | name | label | region |
| | town | a | Alpha | n |
| | town | b | Beta | s |
| | region | n | North | |
| | region | s | South | |
"""


COLUMNS = (
    "type", "name", "label", "relevant", "calculation", "choice_filter", "repeat_count", "trigger", "default",
    "constraint", "parameters", "read_only", "privacy", "privacy::approval",
)  # fmt: skip


NOW = parse_date("2026-06-15T12:00:00")


def text_of(*rows: dict[str, str], extra: str = "") -> str:
    lines = ["| survey | |", "| | " + " | ".join(COLUMNS) + " |"]
    for row in rows:
        asked = not row["type"].startswith(("begin", "end", "note"))
        full = {"label": row.get("name", ""), "privacy": "operational" if asked else "", **row}
        lines.append("| | " + " | ".join(full.get(column, "") for column in COLUMNS) + " |")
    return "\n".join(lines) + "\n" + CHOICES + SETTINGS + extra


def form_of(*rows: dict[str, str], files: dict[str, bytes] | None = None, extra: str = "") -> FormDefinition:
    return compile_workbook(text_of(*rows, extra=extra).encode(), ".md", files).definition
