"""The process in which isolation.py compiles: one JSON object on standard input, one on standard output."""

import base64
import dataclasses
import json
import resource
import sys

from forms.problems import FormRefused
from forms.xlsform import compile_workbook

SECONDS = 60
MEMORY = 2 << 30  # bytes of address space


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    given = json.load(sys.stdin)
    files = {name: base64.b64decode(data) for name, data in given["files"].items()}
    try:
        compiled = compile_workbook(base64.b64decode(given["workbook"]), given["type"], files)
        problems, answer = compiled.warnings, {"definition": compiled.definition.to_json(), "xform": compiled.xform}
    except FormRefused as refused:
        problems, answer = refused.problems, {}
    print(json.dumps({**answer, "problems": [dataclasses.asdict(problem) for problem in problems]}))


if __name__ == "__main__":
    main()
