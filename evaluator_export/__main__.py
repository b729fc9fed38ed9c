"""`python -m evaluator_export verify FILE`: check a package without the app."""

import argparse
import sys
from pathlib import Path

from evaluator_export.verify import verify


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when the package holds what it promises, else 1."""
    parser = argparse.ArgumentParser(prog="python -m evaluator_export", description="Safe data for others.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("verify", help="check a package: hashes, columns, class sizes, protected tables")
    command.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    problems = verify(options.file)
    for problem in problems:
        print(f"NOT AS PROMISED: {problem}", file=sys.stderr)
    if not problems:
        print(f"{options.file.name}: every file is as sealed, every class holds enough rows, every table is protected.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
