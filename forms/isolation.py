"""Read and compile uploaded workbooks in a process of their own (isolated.py).

A hostile one can then use up neither our time nor our memory.
"""

import base64
import json
import subprocess
import sys
from typing import Any

from forms.definition import Compiled, FormDefinition
from forms.problems import N_, FormProblem, FormRefused
from forms.sheets import Sheets
from forms.workbook import refuse_unreadable_file

SECONDS = 60


def compile_isolated(data: bytes, file_type: str = ".xlsx", files: dict[str, bytes] | None = None) -> Compiled:
    """Return what compile_workbook returns.

    Raises FormRefused, also where compiling takes too much time or memory.
    """
    # As text: what crosses to the other process is JSON, which can hold no objects that run when
    # they are read.
    encoded = {name: base64.b64encode(data_of_file).decode() for name, data_of_file in (files or {}).items()}
    answer = _run_isolated("compile", data, file_type, encoded)
    problems = [FormProblem(**problem) for problem in answer["problems"]]
    if "definition" not in answer:
        raise FormRefused(problems)
    return Compiled(FormDefinition.from_json(answer["definition"]), answer["xform"], problems)


def read_isolated(data: bytes, file_type: str) -> Sheets:
    """Return what read_sheets returns.

    Raises FormRefused, also where reading takes too much time or memory.
    """
    answer = _run_isolated("read", data, file_type, {})
    if "sheets" not in answer:
        raise FormRefused([FormProblem(**problem) for problem in answer["problems"]])
    return Sheets(answer["sheets"])


def _run_isolated(what: str, data: bytes, file_type: str, files: dict[str, str]) -> dict[str, Any]:
    refuse_unreadable_file(data, file_type)
    request = json.dumps({"do": what, "workbook": base64.b64encode(data).decode(), "type": file_type, "files": files})
    command = [sys.executable, "-m", "forms.isolated"]
    try:
        # Time is limited twice: here by the clock, in the process itself by CPU seconds.
        done = subprocess.run(command, input=request.encode(), capture_output=True, timeout=SECONDS, check=True)
        answer: dict[str, Any] = json.loads(done.stdout)
    # Whatever ended the process (memory, time, a crash in a library), the author can only make the
    # file smaller.
    except (subprocess.SubprocessError, ValueError):
        text = N_("The workbook takes too long to read, or too much memory. Make it smaller and try again.")
        raise FormRefused([FormProblem("form.too_heavy", text, sheet="")]) from None
    return answer
