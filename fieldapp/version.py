"""The version of this product: pyproject.toml says it, installing notes it, and here it is read."""

import importlib.metadata

VERSION = importlib.metadata.version("fieldapp")
