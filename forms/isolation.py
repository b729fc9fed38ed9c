"""Compile an uploaded workbook in a process of its own, so that a hostile one costs neither time nor memory here.

`python -m forms.isolation` reads the workbook from standard input and writes one JSON object.
"""

import dataclasses
import json
import resource
import subprocess
import sys

from forms.definition import FormDefinition
from forms.problems import FormProblem, FormRefused, N_
from forms.xlsform import Compiled, compile_workbook, refuse_at_the_door

SECONDS = 30
MEMORY = 2 << 30  # bytes of address space


def compile_isolated(data: bytes, file_type: str = ".xlsx") -> Compiled:
    """Return what compile_workbook returns, or raise FormRefused, also when compiling takes too long or too much."""
    refuse_at_the_door(data, file_type)
    command = [sys.executable, "-m", "forms.isolation", file_type]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=True)
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        text = N_("The workbook takes too long to read, or too much memory. Make it smaller and try again.")
        raise FormRefused([FormProblem("form.too_heavy", text, sheet="")]) from None
    problems = [FormProblem(**problem) for problem in answer["problems"]]
    if "definition" not in answer:
        raise FormRefused(problems)
    return Compiled(FormDefinition.from_json(answer["definition"]), answer["xform"], problems)


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
