"""The process in which isolation.py compiles: a workbook on standard input, one JSON object on standard output."""

import dataclasses
import json
import resource
import sys

from forms.problems import FormRefused
from forms.xlsform import compile_workbook

SECONDS = 30
MEMORY = 2 << 30  # bytes of address space


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        compiled = compile_workbook(sys.stdin.buffer.read(), sys.argv[1])
        problems, answer = compiled.warnings, {"definition": compiled.definition.to_json(), "xform": compiled.xform}
    except FormRefused as refused:
        problems, answer = refused.problems, {}
    print(json.dumps({**answer, "problems": [dataclasses.asdict(problem) for problem in problems]}))


if __name__ == "__main__":
    main()
