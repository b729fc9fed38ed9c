"""SPSS: each column as numbers with value labels, English; long datasets in several files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

from evaluator_export.labels import BATCH, Labels
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedDataset

ROWS_A_FILE = 250_000  # a file is built in memory
HEADER_MOMENT = slice(92, 109)  # of the file header: creation date (9 bytes) and time (8 bytes)
MOST_LABEL = 120


def write(folder: Path, part: ReleasedDataset, labels: Labels, occasion: ReleaseContext) -> list[Path]:
    """Write a dataset as NAME.sav, or NAME-1.sav, NAME-2.sav …; the same input gives the same bytes."""
    dataset = part.view.dataset
    titles, values = {}, {}
    for name, words in part.columns.items():
        titles[name] = labels.column(dataset, name, "en")[:MOST_LABEL]
        if name != BATCH:
            known = {
                code + 1.0: labels.value(dataset, name, value, "en")[:MOST_LABEL] for code, value in enumerate(words.values)
            }
            values[name] = {code: label or "No answer" for code, label in known.items()}
    paths = []
    for number, first in enumerate(range(0, max(part.rows, 1), ROWS_A_FILE), 1):
        frame = pd.DataFrame(
            {
                name: np.array([float(value) for value in words.values])[words.codes[first : first + ROWS_A_FILE]]
                if name == BATCH and len(words.values)
                else words.codes[first : first + ROWS_A_FILE] + 1.0
                for name, words in part.columns.items()
            }
        )
        path = folder / (f"{part.name}.sav" if part.rows <= ROWS_A_FILE else f"{part.name}-{number}.sav")
        pyreadstat.write_sav(
            frame,
            str(path),
            column_labels=titles,
            variable_value_labels=values,
            variable_measure=dict.fromkeys(frame.columns, "nominal"),
            row_compress=True,
        )
        _fix_moment(path, occasion)
        paths.append(path)
    return paths


def _fix_moment(path: Path, occasion: ReleaseContext) -> None:
    """Put the cut-off where SPSS writes when the file was made, so that a rebuild is the same."""
    year, month, day = occasion.cut_off[:4], int(occasion.cut_off[5:7]), occasion.cut_off[8:10]
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    moment = f"{day} {names[month - 1]} {year[2:]}{occasion.cut_off[11:19]}".encode()
    with path.open("r+b") as file:
        file.seek(HEADER_MOMENT.start)
        file.write(moment)
