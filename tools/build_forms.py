"""Write the program's XLSForms (fieldapp/program/*.xlsx) from their sources beside them (*.yaml, code_lists.csv).

The sources can be read and compared line by line; the workbooks are what centres use. `make forms` runs this.
"""

import csv
import datetime as dt
import sys
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml

PROGRAM = Path(__file__).parent.parent / "fieldapp" / "program"
EN, FR = "English (en)", "French (fr)"
SURVEY = [
    "type", "name", f"label::{EN}", f"label::{FR}", f"hint::{EN}", f"hint::{FR}", "required", "relevant", "constraint",
    f"constraint_message::{EN}", f"constraint_message::{FR}", "calculation", "default", "appearance", "privacy::class",
    "privacy::hierarchy", "privacy::export", "consent::keep", "consent::why", "app_role",
]  # fmt: skip
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32; the check symbol has five more


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def question(row: dict[str, Any]) -> dict[str, str]:
    cells = {"type": row["ask"], "name": row["name"], "privacy::class": row.get("class", "")}
    cells["app_role"] = row.get("role", "")
    cells |= {f"consent::{key}": row.get(key, "") for key in ("keep", "why")}
    cells |= {f"privacy::{key}": row.get(key, "") for key in ("hierarchy", "export")}
    for key, column in (("label", "label"), ("hint", "hint"), ("message", "constraint_message")):
        for language, text in zip((EN, FR), row.get(key, ()), strict=False):
            cells[f"{column}::{language}"] = text
    for key in ("relevant", "constraint", "calculation", "trigger", "default", "appearance"):
        cells[key] = row.get(key, "")
    cells["choice_filter"] = row.get("choices", "")
    cells["required"] = "yes" if row.get("required") else ""
    return cells


def card_code_check(name: str) -> list[dict[str, str]]:
    """Return the rows that compute whether a card code's check symbol is right (Crockford: value mod 37)."""
    value = "0"
    for position in range(8):
        sign = f"substr(${{{name}_plain}}, {position}, {position + 1})"
        value = f"({value}) * 32 + string-length(substring-before('{ALPHABET}', {sign}))"
    check = f"string-length(substring-before('{ALPHABET}*~$=U', substr(${{{name}_plain}}, 8, 9)))"
    plain = f"translate(${{{name}}}, '-', '')"
    rows = [
        {"name": f"{name}_plain", "calculation": plain},
        {"name": f"{name}_check", "calculation": f"if(({value}) mod 37 = {check}, 'ok', 'wrong')"},
    ]
    shown = f"${{{name}}} != ''"
    return [
        {"type": "calculate", "relevant": shown, "privacy::class": "identifier", "privacy::export": "drop", **row}
        for row in rows
    ]


def included(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the questions that a page shares with other forms, with its own condition for CARD in them."""
    rows: list[dict[str, Any]] = read(PROGRAM / f"{page['include']}.yaml")
    conditions = ("choices", "relevant")
    return [{**row, **{key: row.get(key, "").replace("CARD", page["card"]) for key in conditions}} for row in rows]


def survey_rows(form: dict[str, Any]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for page in form["pages"]:
        kind = "repeat" if "repeat" in page else "group"
        cells = {"type": f"begin_{kind}", "name": page.get("page") or page["repeat"], "relevant": page.get("relevant", "")}
        cells |= {f"label::{EN}": page["label"][0], f"label::{FR}": page["label"][1], "appearance": "field-list"}
        rows.append(cells)
        for row in page.get("questions") or included(page):
            rows += card_code_check(row["card_code_check"]) if "card_code_check" in row else [question(row)]
        rows.append({"type": f"end_{kind}"})
    return rows


def spoken_languages() -> dict[str, str]:
    """Return the languages of the consent card beyond English and French, by code, as their columns name them."""
    named: dict[str, str] = read(PROGRAM / "consent_languages.yaml")["languages"]
    return {code: f"{name} ({code})" for code, name in named.items()}


def build(source: Path, target: Path) -> None:
    form = read(source)
    rows = survey_rows(form)
    lists = {row["type"].split(" ")[1] for row in rows if row["type"].startswith("select_")}
    spoken = spoken_languages() if any(row.get("name") == "script" for row in rows) else {}
    words = read(PROGRAM / "consent_languages.yaml")
    for row in rows:
        heard = words["questions"].get(row.get("name", ""), {}) if spoken else {}
        row.update({f"label::{spoken[code]}": text for code, text in heard.items()})
    survey = [*SURVEY, *(f"label::{language}" for language in spoken.values())]
    survey += [column for column in ("choice_filter", "trigger") if any(row.get(column) for row in rows)]
    with (PROGRAM / "code_lists.csv").open(encoding="utf-8") as file:
        choices = [row for row in csv.DictReader(file) if row["list"] in lists]
    settings = {"form_title": form["title"][0], "form_title_fr": form["title"][1], "form_id": form["form_id"]}
    settings["app_role"] = form.get("role", "")
    settings |= {"version": form["version"], "default_language": EN, "style": "pages"}
    book = xlsxwriter.Workbook(str(target), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": dt.datetime(2026, 11, 23), "title": form["title"][0]})
    heading = book.add_format({"bold": True})
    sheets: dict[str, list[list[str]]] = {
        "survey": [survey, *([row.get(column, "") for column in survey] for row in rows)],
        "choices": [
            [
                *("list_name", "name", "app_role", "app_minutes", f"label::{EN}", f"label::{FR}"),
                *(f"label::{language}" for language in spoken.values()),
            ],
            *(
                [row["list"], row["name"], row["role"], row["minutes"], row["en"], row["fr"]]
                + [words["choices"].get(row["list"], {}).get(row["name"], {}).get(code, "") for code in spoken]
                for row in choices
            ),
        ],
        "settings": [list(settings), list(settings.values())],
    }
    for name, table in sheets.items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 2 if name == "survey" else 0)
        sheet.set_column(0, len(table[0]), 22)
        for number, row in enumerate(table):
            for column, cell in enumerate(row):
                if cell:
                    sheet.write_string(number, column, cell, heading if number == 0 else None)
    book.close()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PROGRAM
    for source in sorted(PROGRAM.glob("*.yaml")):
        if isinstance(form := read(source), dict) and "form_id" in form:
            build(source, folder / f"{form['form_id']}.xlsx")


if __name__ == "__main__":
    main()
