"""SPSS: each column as numbers with value labels, English; long datasets in several files."""

import datetime as dt
from pathlib import Path

from evaluator_export.labels import BATCH, Labels
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedDataset

ROWS_A_FILE = 250_000  # a file is built in memory
HEADER_MOMENT = slice(92, 109)  # of the file header: creation date (9 bytes) and time (8 bytes)
MOST_LABEL = 120


def write(folder: Path, part: ReleasedDataset, labels: Labels, occasion: ReleaseContext) -> list[Path]:
    """Write a dataset as NAME.sav, or NAME-1.sav, NAME-2.sav …

    The same input gives the same bytes.
    """
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415  heavy, and only this format needs it
    import pyreadstat  # noqa: PLC0415

    dataset = part.view.dataset
    titles = {}
    values: dict[str, dict[float, str]] = {}
    for name, column in part.columns.items():
        titles[name] = labels.column(dataset, name, "en")[:MOST_LABEL]
        if name == BATCH:
            continue  # its values are numbers already
        values[name] = {}
        # From 1: statisticians expect 0 to mean something.
        for code, value in enumerate(column.values, 1):
            label = labels.value(dataset, name, value, "en")[:MOST_LABEL]
            values[name][float(code)] = label or "No answer"
    paths = []
    # One file also for no rows, so that scripts of the recipient find what they expect.
    for number, first in enumerate(range(0, max(part.rows, 1), ROWS_A_FILE), 1):
        columns = {}
        for name, column in part.columns.items():
            codes = column.codes[first : first + ROWS_A_FILE]
            columns[name] = codes + 1.0
            # Batch numbers are the values themselves, so that files of one dataset can be put
            # together.
            if name == BATCH and len(column.values):
                columns[name] = np.array([float(value) for value in column.values])[codes]
        frame = pd.DataFrame(columns)
        path = folder / f"{part.name}.sav"
        if part.rows > ROWS_A_FILE:
            path = folder / f"{part.name}-{number}.sav"
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
    cut_off = dt.datetime.fromisoformat(occasion.cut_off)
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    # Not %b: the names are English wherever the server stands.
    moment = f"{cut_off:%d} {names[cut_off.month - 1]} {cut_off:%y%H:%M:%S}".encode()
    with path.open("r+b") as file:
        # Overwritten in place: pyreadstat has no option for it, and the header has a fixed length.
        file.seek(HEADER_MOMENT.start)
        file.write(moment)
