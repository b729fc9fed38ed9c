"""The version of this product, as pyproject.toml says it and pip has noted it."""

import importlib.metadata

VERSION = importlib.metadata.version("fieldapp")
