"""Write the list of reasons at the end of docs/problems.md from the register in evaluator_export/problems.py."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from evaluator_export.problems import SENTENCES  # noqa: E402

PAGE = ROOT / "docs/problems.md"
BEGIN = "<!-- from here on written by make translations -->\n"
HEAD = """
## What stops a release, a table or an import

On screens each sentence is in the reader's language; the command line prints it in English, with the names that it is about.
"""


def write_section() -> str:
    """Return the part of the page that follows from the register: a line a code, a paragraph a subject."""
    lines = [HEAD]
    subject = ""
    for code, sentence in SENTENCES.items():
        if code.split(".")[0] != subject:
            subject = code.split(".")[0]
            lines.append("")
        lines.append(f"- `{code}`: {sentence}")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def write_page(text: str) -> str:
    """Return the page with its last part written anew."""
    return text.split(BEGIN, maxsplit=1)[0] + BEGIN + write_section()


if __name__ == "__main__":
    PAGE.write_text(write_page(PAGE.read_text()))
