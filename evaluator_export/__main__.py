"""`python -m evaluator_export`: check a package, or make a table safe, without the app."""

import argparse
import sys
from pathlib import Path

from evaluator_export.problems import ExportProblem, Reason


def main(arguments: list[str] | None = None) -> int:
    """Return 0, or 1 when a file is wrong or cannot be made safe."""
    parser = argparse.ArgumentParser(prog="python -m evaluator_export", description="Safe data for others.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("verify", help="check a package: signature, hashes, columns, class sizes, tables, ledger")
    command.add_argument("file", type=Path)
    command.add_argument("--key", default="", help="the public key that the centre gave you")
    command = commands.add_parser("deidentify", help="make a table safe by a policy")
    command.add_argument("input", type=Path, metavar="INPUT.(csv|parquet)")
    command.add_argument("--policy", type=Path, required=True, metavar="POLICY.yaml")
    command.add_argument("--out", type=Path, metavar="OUT.(csv|parquet)")
    command.add_argument("--report", type=Path, metavar="REPORT.json")
    command.add_argument("--search-only", action="store_true", help="find the levels, write no table")
    options = parser.parse_args(arguments)
    if options.command == "verify":
        # Imports are inside the two commands, so that checking a package works where nothing but
        # Python is installed.
        return _verify(options.file, options.key)
    if not options.search_only and options.out is None:
        parser.error("say where the table goes (--out), or that you only want the levels (--search-only)")
    return _deidentify(options)


def _verify(file: Path, key: str) -> int:
    from evaluator_export.package.verify import report  # noqa: PLC0415 - needs no packages

    if report(file, key):
        return 1
    from evaluator_export.package.verify_formats import find_differing_files  # noqa: PLC0415

    problems = find_differing_files(file)
    for problem in problems:
        print(f"NOT AS PROMISED: {problem}", file=sys.stderr)
    if not problems:
        print("Parquet, SPSS and the workbook hold the same rows.")
    return 1 if problems else 0


def _deidentify(options: argparse.Namespace) -> int:
    from evaluator_export.policy.policy_reader import read_policy  # noqa: PLC0415
    from evaluator_export.search.anonymize import deidentify, write_report  # noqa: PLC0415

    try:
        if options.out is not None and options.out.suffix not in (".csv", ".parquet"):
            raise ExportProblem(Reason("file.kind", {"file": options.out.name}))
        report = deidentify(options.input, read_policy(options.policy), options.out, options.search_only)
        if options.report:
            write_report(report, options.report)
    except ExportProblem as problem:
        for reason in problem.reasons:
            print(reason, file=sys.stderr)
        return 1
    print(
        f"loss {report['loss']:.6f}, {report['suppressed_rows']} of {report['rows']} rows suppressed, levels: "
        + ", ".join(f"{name} {level}" for name, level in report["levels"].items())
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
