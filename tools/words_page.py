"""Write docs/words.md from tools/words.yaml (make translations)."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tools" / "words.yaml"
PAGE = ROOT / "docs" / "words.md"
HEAD = """# Words

One word for one thing, in code, on screens and in documents. This page is written from `tools/words.yaml` by
`make translations`; change the words there. A test reads the same file and checks every catalogue and document.

## On screens and in documents
"""


def load_words() -> dict[str, Any]:
    """Return the glossary, the words of the code, and the words that are never used."""
    words: dict[str, Any] = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return words


def write_page(words: dict[str, Any]) -> str:
    """Return the page as Markdown: the glossary, the words of the code, and what to write instead of what."""
    glossary = []
    for entry in sorted(words["glossary"], key=lambda entry: str(entry["en"]).lower()):
        glossary.append([entry["en"], entry["fr"], entry["means"], entry.get("code", "")])
    code = [[word, meaning] for word, meaning in sorted(words["code"].items())]
    parts = [
        HEAD,
        _write_table(["English", "French", "means", "in code"], glossary),
        "\n## Only in code and in the protocol\n",
        _write_table(["word", "means"], code),
        "\n## Never on screens or in documents\n\nWritten as regular expressions, of whole words.\n",
    ]
    for language, title in (("english", "English"), ("french", "French")):
        never = [[f"`{entry['word']}`", entry["say"]] for entry in words["never"][language]]
        parts += [f"\n### {title}\n", _write_table(["never", "write"], never)]
    return "\n".join(parts)


def _write_table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    cells = [[str(cell).replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


if __name__ == "__main__":
    PAGE.write_text(write_page(load_words()), encoding="utf-8")
