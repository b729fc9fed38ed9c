"""`python -m forms compile FILE [--json OUT]`: compile an XLSForm, or list what is wrong."""

import argparse
import dataclasses
import sys
from pathlib import Path

from forms.problems import FormRefused
from forms.role_reader import find_missing_roles
from forms.roles import Reader
from forms.xlsform import compile_workbook


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when the form compiles, 1 when it is refused, 2 when the file cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m forms", description="The form language of fieldapp.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("compile", help="compile an XLSForm and list every problem")
    command.add_argument("file", type=Path)
    command.add_argument(
        "--with", dest="files", type=Path, nargs="*", default=[], metavar="CSV", help="lists that came with it"
    )
    command.add_argument("--json", type=Path, metavar="OUT", help="write the compiled definition here")
    options = parser.parse_args(arguments)
    try:
        data = options.file.read_bytes()
        files = {path.name: path.read_bytes() for path in options.files}
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    try:
        compiled = compile_workbook(data, options.file.suffix.lower() or ".xlsx", files)
    except FormRefused as refused:
        for problem in refused.problems:
            print(problem, file=sys.stderr)
        return 1
    # Which products are switched on is the centre's; here all are asked, so it can only be a
    # warning.
    lacking = find_missing_roles(compiled.definition, list(Reader))
    for problem in [*compiled.warnings, *(dataclasses.replace(each, severity="warning") for each in lacking)]:
        print(problem, file=sys.stderr)
    definition = compiled.definition
    if options.json:
        options.json.write_text(definition.to_json(), encoding="utf-8")
    questions = sum(element.is_answered for element in definition.elements)
    print(f"{definition.id} {definition.version}: {questions} questions, sha256 {definition.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
