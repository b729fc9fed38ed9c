"""The process in which isolation.py reads and compiles.

One JSON object on standard input, one on standard output.
"""

import base64
import dataclasses
import json
import resource
import sys
from typing import Any

from forms.problems import FormRefused
from forms.sheets import read_sheets, too_long
from forms.xlsform import compile_workbook

SECONDS = 60
MEMORY = 2 << 30  # bytes of address space


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the sheets of a workbook, or the form compiled from it, with every problem."""
    data = base64.b64decode(request["workbook"])
    file_type = request["type"]
    try:
        if request["do"] == "read":
            sheets = read_sheets(data, file_type).sheets
            problems = too_long(sheets)
            if problems:
                raise FormRefused(problems)
            return {"sheets": sheets, "problems": []}
        files = {name: base64.b64decode(text) for name, text in request["files"].items()}
        compiled = compile_workbook(data, file_type, files)
    except FormRefused as refused:
        return {"problems": [dataclasses.asdict(problem) for problem in refused.problems]}
    warnings = [dataclasses.asdict(problem) for problem in compiled.warnings]
    return {"definition": compiled.definition.to_json(), "xform": compiled.xform, "problems": warnings}


def main() -> None:
    # Set before anything is read; a child cannot raise its own limits again.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    print(json.dumps(answer(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
