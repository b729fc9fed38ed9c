"""The type of the arrays that every step computes with."""

from typing import Any

import numpy.typing as npt

# Numbers of any width: columns are as narrow as their values let them be, so that a million rows
# fit into memory. Docstrings say what an array has per row, per class or per node.
Array = npt.NDArray[Any]
