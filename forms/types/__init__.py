"""The types of questions: a module each, found by walking this folder.

A module that begins with “_” is shared by several.

A module states its type in TYPE. One that leaves out a part cannot be imported, and then nothing of `forms` can.
"""

import importlib
import pkgutil
import re

from forms.question_type import IncompleteType, QuestionType


def load_types() -> dict[str, QuestionType]:
    """Return every type by its name, in the order of the names.

    Raises IncompleteType when a module has no TYPE, leaves out a part of it, or names what another one names.
    """
    types: dict[str, QuestionType] = {}
    owners: dict[str, str] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        if module.name.startswith("_"):
            continue
        question_type = _load_type(module.name)
        types[question_type.name] = question_type
        # Two types of one name: which of them a workbook gets would depend on the order of files.
        for name in (*question_type.xlsform_names, *question_type.aliases):
            if name in owners:
                raise IncompleteType(f"“{name}” is named by two types: {owners[name]} and {question_type.name}.")
            owners[name] = question_type.name
    return types


def _load_type(module_name: str) -> QuestionType:
    where = f"forms/types/{module_name}.py"
    try:
        question_type = getattr(importlib.import_module(f"{__name__}.{module_name}"), "TYPE", None)
    except TypeError as error:  # a part is left out: Python names it
        raise IncompleteType(f"{where}: {error}") from error
    if not isinstance(question_type, QuestionType):
        raise IncompleteType(f"{where} has no TYPE that is a QuestionType.")
    if _module_name(question_type.name) != module_name:
        raise IncompleteType(f"{where} holds the type {question_type.name!r}; name the file after it.")
    return question_type


def _module_name(type_name: str) -> str:
    """Return date_time for dateTime."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type_name).lower()


TYPES = load_types()
