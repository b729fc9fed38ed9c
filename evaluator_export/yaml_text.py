"""Read YAML with the parser written in C: the datasets of a centre are read often."""

from typing import Any

import yaml

# Where PyYAML was built without its library there is only the one in Python.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str | bytes) -> Any:
    """Return what a YAML text says: dicts, lists, texts, numbers and dates, nothing else.

    Raises yaml.YAMLError where it is no YAML.
    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  the safe one in either case
