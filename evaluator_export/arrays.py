"""The type of the arrays that every step works on."""

from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
