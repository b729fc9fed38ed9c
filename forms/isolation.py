"""Compile an uploaded workbook in a process of its own (isolated.py), so that a hostile one costs nothing here."""

import base64
import json
import subprocess
import sys

from forms.definition import Compiled, FormDefinition
from forms.problems import N_, FormProblem, FormRefused
from forms.workbook import refuse_at_the_door

SECONDS = 60


def compile_isolated(data: bytes, file_type: str = ".xlsx", files: dict[str, bytes] | None = None) -> Compiled:
    """Return what compile_workbook returns, or raise FormRefused, also when compiling takes too long or too much."""
    refuse_at_the_door(data, file_type)
    encoded = {name: base64.b64encode(one).decode() for name, one in (files or {}).items()}
    given = json.dumps({"workbook": base64.b64encode(data).decode(), "type": file_type, "files": encoded})
    command = [sys.executable, "-m", "forms.isolated"]
    try:
        done = subprocess.run(command, input=given.encode(), capture_output=True, timeout=SECONDS, check=True)
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        text = N_("The workbook takes too long to read, or too much memory. Make it smaller and try again.")
        raise FormRefused([FormProblem("form.too_heavy", text, sheet="")]) from None
    problems = [FormProblem(**problem) for problem in answer["problems"]]
    if "definition" not in answer:
        raise FormRefused(problems)
    return Compiled(FormDefinition.from_json(answer["definition"]), answer["xform"], problems)
