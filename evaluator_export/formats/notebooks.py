"""Notebooks to begin with.

Python (pandas) and R (base), made for the datasets that are in the package.
"""

import json
from collections.abc import Sequence
from typing import Any

from evaluator_export.series.released_dataset import ReleasedDataset
from evaluator_export.tables.protected_counts import write_hidden

INTRO = """# {title}
Every row was published once, in a batch. By the columns in `identifiers` alone, nobody in a batch can be told from
fewer than {others} others; `report.json` says how many rows could be singled out by all columns (`singled_out`).
Counts in `tables.csv` are rounded to 5, and `{hidden}` hides small ones, none among them. Do not link these data with data
about people."""


WITHDRAWN = '''def without_withdrawn(rows, dataset, period, lists=('withdrawals.csv',)):
    """Rows of a dataset, as the package of a period has them, less those that lists of later packages name."""
    listed = pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in lists])
    listed = listed[(listed.what == 'delete') & (listed.dataset == dataset) & (listed.period == period)]
    numbers = (rows.groupby('batch').cumcount() + 1).astype(str)
    return rows[~(rows.batch + ' ' + numbers).isin(listed.batch + ' ' + listed.row)]

# With the package of a quarter and the lists of two later ones, each unpacked in a folder of its own:
# rows = pd.read_csv('2026-Q2/encounters.csv', dtype=str, keep_default_na=False)
# without_withdrawn(rows, 'encounters', '2026-Q2', ['2026-Q3/withdrawals.csv', '2026-Q4/withdrawals.csv'])'''
WITHDRAWN_R = """```{r}
# Rows of a dataset, as the package of a period has them, less those that lists of later packages name
without_withdrawn <- function(rows, dataset, period, lists = "withdrawals.csv") {
  listed <- do.call(rbind, lapply(lists, read))
  listed <- listed[listed$what == "delete" & listed$dataset == dataset & listed$period == period, ]
  numbers <- ave(seq_len(nrow(rows)), rows$batch, FUN = seq_along)
  rows[!(paste(rows$batch, numbers) %in% paste(listed$batch, listed$row)), ]
}
```
"""
PANEL = '''import numpy as np

def panel(folders=('.',), table='activity_panel'):
    """One row an area and month, from tables.csv of one or more unpacked packages; hidden counts are missing."""
    rows = pd.concat([pd.read_csv(f'{folder}/tables.csv', dtype=str, keep_default_na=False) for folder in folders])
    rows = rows[(rows.table == table) & (rows.row != 'total')].drop_duplicates(['row', 'column'], keep='last')
    rows = rows.assign(count=pd.to_numeric(rows['count'], errors='coerce'))
    return rows.rename(columns={'row': 'area', 'column': 'month'})[['area', 'month', 'count']]

def fitted(design, values, names):
    """Least squares with errors that allow for one month following the other (Newey and West, 1987, one lag)."""
    estimate, *_ = np.linalg.lstsq(design, values, rcond=None)
    scores = design * (values - design @ estimate)[:, None]
    middle = scores.T @ scores + 0.5 * (scores[1:].T @ scores[:-1] + scores[:-1].T @ scores[1:])
    bread = np.linalg.pinv(design.T @ design)
    error = np.sqrt(np.clip(np.diag(bread @ middle @ bread), 0, None))
    return pd.DataFrame({'estimate': estimate, 'error': error}, index=names)

def interrupted(series, change):
    """Interrupted time series: level and trend before a month, and by how much each changed then (segmented regression)."""
    series = series.dropna().sort_index()
    at, after = np.arange(len(series)), (series.index >= change).astype(float)
    if after.sum() < 3 or (1 - after).sum() < 3:
        raise ValueError('Three months or more are needed before and after the change.')
    since = after * (at - after.argmax())
    design = np.column_stack([np.ones(len(at)), at, after, since])
    return fitted(design, series.to_numpy(float), ['level', 'trend', 'change of level', 'change of trend'])

def compared(rows, areas, others, change):
    """Difference in differences: how the gap between some areas and comparison areas changed in a month."""
    wide = rows.pivot(index='month', columns='area', values='count')
    gap = (wide[list(areas)].mean(axis=1) - wide[list(others)].mean(axis=1)).dropna()
    after = (gap.index >= change).astype(float)
    if after.sum() < 2 or (1 - after).sum() < 2:
        raise ValueError('Two months or more are needed before and after the change.')
    return fitted(np.column_stack([np.ones(len(gap)), after]), gap.to_numpy(float), ['gap before', 'change of the gap'])

# With several quarters: months = panel(['2026-Q1', '2026-Q2', '2026-Q3', '2026-Q4'])
months = panel()
totals = months.groupby('month')['count'].sum(min_count=1)
# interrupted(totals, '2026-07'); compared(months, ['ward 01'], ['ward 07'], '2026-07')
# Staff on duty: panel(table='shifts_by_area') says where nobody was; read a zero there as "not counted".
totals'''
PANEL_R = """```{r}
panel <- function(folders = ".", table = "activity_panel") {
  rows <- do.call(rbind, lapply(folders, function(one) read(file.path(one, "tables.csv"))))
  rows <- rows[rows$table == table & rows$row != "total", ]
  rows <- rows[!duplicated(rows[c("row", "column")], fromLast = TRUE), ]
  data.frame(area = rows$row, month = rows$column, count = suppressWarnings(as.numeric(rows$count)))
}
# Interrupted time series: level and trend before a month, and by how much each changed then (segmented regression)
interrupted <- function(series, change) {
  series <- series[order(names(series))]
  at <- seq_along(series) - 1
  after <- as.numeric(names(series) >= change)
  since <- after * (at - at[which.max(after)])
  summary(lm(series ~ at + after + since))$coefficients
}
# Difference in differences: how the gap between some areas and comparison areas changed in a month
compared <- function(rows, areas, others, change) {
  mean_of <- function(some) tapply(rows$count[rows$area %in% some], rows$month[rows$area %in% some], mean, na.rm = TRUE)
  gap <- mean_of(areas) - mean_of(others)
  summary(lm(gap ~ as.numeric(names(gap) >= change)))$coefficients
}
months <- panel()
```
"""


def python(title: str, parts: Sequence[ReleasedDataset], threshold: int) -> bytes:
    """Return a Jupyter notebook that reads, labels and counts every dataset."""
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
    cells.append(_code(WITHDRAWN))
    cells.append(_code(PANEL))
    body = {
        "cells": cells,
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def r(title: str, parts: Sequence[ReleasedDataset], threshold: int) -> bytes:
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
    chunks.append(WITHDRAWN_R)
    chunks.append(PANEL_R)
    return "\n".join(chunks).encode()


def _intro(title: str, parts: Sequence[ReleasedDataset], threshold: int) -> str:
    least = min((part.view.dataset.policy.model.k for part in parts), default=1)
    return INTRO.format(title=title, others=least - 1, hidden=write_hidden(threshold))


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


# Python's own hash() differs in every process; cells of a notebook need the same id in every build.
def hash_of(text: str) -> int:
    return int.from_bytes(text.encode()[-64:], "big")
