"""Compile an uploaded workbook in a process of its own (isolated.py), so that a hostile one costs nothing here."""

import json
import subprocess
import sys

from forms.definition import Compiled, FormDefinition
from forms.problems import N_, FormProblem, FormRefused
from forms.workbook import refuse_at_the_door

SECONDS = 30


def compile_isolated(data: bytes, file_type: str = ".xlsx") -> Compiled:
    """Return what compile_workbook returns, or raise FormRefused, also when compiling takes too long or too much."""
    refuse_at_the_door(data, file_type)
    command = [sys.executable, "-m", "forms.isolated", file_type]
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
