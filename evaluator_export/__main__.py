"""`python -m evaluator_export verify FILE`: check a package without the app."""

import argparse
import sys
from pathlib import Path

from evaluator_export.verify import report


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when the package holds what it promises, else 1."""
    parser = argparse.ArgumentParser(prog="python -m evaluator_export", description="Safe data for others.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("verify", help="check a package: hashes, columns, class sizes, protected tables")
    command.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    return report(options.file)


if __name__ == "__main__":
    sys.exit(main())
