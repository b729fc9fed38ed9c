"""Notebooks to begin with: Python (pandas) and R (base), made for the datasets that are in the package."""

import json
from collections.abc import Sequence
from typing import Any

from evaluator_export.parts import Part

INTRO = """# {title}
Every row was published once, in a batch; nobody in a batch can be told from fewer than {others} others by the columns in
`identifiers`. Counts in `tables.csv` are rounded to 5, and `<{threshold}` hides small ones. Do not link these data with data
about people."""


def python(title: str, parts: Sequence[Part], threshold: int) -> bytes:
    """Return a Jupyter notebook that reads every dataset, gives it words and counts its classes."""
    cells = [_markdown(_intro(title, parts, threshold))]
    cells.append(
        _code(
            "import pandas as pd\n\n"
            'codebook = pd.read_csv("codebook.csv", dtype=str, keep_default_na=False)\n\n'
            "def words(file, column, language='english'):\n"
            "    rows = codebook[(codebook.file == file) & (codebook.column == column) & (codebook.value != '')]\n"
            "    return dict(zip(rows.value, rows[language]))\n"
        )
    )
    for part in parts:
        identifiers = [name for name in part.columns if name in part.levels]
        cells.append(
            _code(
                f'{part.name} = pd.read_csv("{part.name}.csv", dtype=str, keep_default_na=False)\n'
                f"identifiers = {json.dumps(identifiers)}\n"
                f"classes = {part.name}.groupby(['batch', *identifiers]).size()\n"
                "print(len(classes), 'classes; the smallest holds', classes.min() if len(classes) else 0, 'rows')\n"
                f'in_words = {{name: {part.name}[name].map(words("{part.name}.csv", name)) for name in identifiers}}\n'
                f"{part.name}.assign(**in_words).head()"
            )
        )
    cells.append(
        _code(
            'tables = pd.read_csv("tables.csv", dtype=str, keep_default_na=False)\n'
            "tables['number'] = pd.to_numeric(tables['count'], errors='coerce')  # hidden counts become missing\n"
            "tables.groupby(['table', 'period'])['number'].sum()"
        )
    )
    body = {
        "cells": cells,
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def r(title: str, parts: Sequence[Part], threshold: int) -> bytes:
    """Return an R Markdown notebook that does the same with nothing but base R."""
    chunks = [
        f'---\ntitle: "{title}"\noutput: html_document\n---\n\n{_intro(title, parts, threshold)}\n',
        '```{r}\nread <- function(file) read.csv(file, colClasses = "character", encoding = "UTF-8")\n'
        'codebook <- read("codebook.csv")\n```\n',
    ]
    for part in parts:
        identifiers = ", ".join(f'"{name}"' for name in part.columns if name in part.levels)
        chunks.append(
            f'```{{r}}\n{part.name} <- read("{part.name}.csv")\nidentifiers <- c({identifiers})\n'
            f"if (nrow({part.name}) > 0) {{\n"
            f"  rows <- list(rows = seq_len(nrow({part.name})))\n"
            f'  classes <- aggregate(rows, {part.name}[c("batch", identifiers)], length)\n'
            "  print(summary(classes$rows))\n}\n```\n"
        )
    chunks.append(
        '```{r}\ntables <- read("tables.csv")\ntables$number <- suppressWarnings(as.integer(tables$count))\n'
        "head(tables)\n```\n"
    )
    return "\n".join(chunks).encode()


def _intro(title: str, parts: Sequence[Part], threshold: int) -> str:
    least = min((part.view.dataset.policy.model.k for part in parts), default=1)
    return INTRO.format(title=title, others=least - 1, threshold=threshold)


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "intro", "metadata": {}, "source": text}


def _code(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": f"c{abs(hash_of(text)) % 10**8:08}",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": text,
    }


def hash_of(text: str) -> int:
    return int.from_bytes(text.encode()[-64:], "big")
