"""The type of the arrays that every step computes with."""

from typing import TYPE_CHECKING, Any

# Numbers of any width: columns are as narrow as their values let them be, so that a million rows
# fit into memory. Docstrings say what an array has per row, per class or per node.
if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
else:
    # Who only reads a policy or a recipe, as a server does, loads no numpy for it.
    Array = Any
