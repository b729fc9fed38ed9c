"""`make goldens`: ask JavaRosa and openrosa-xpath-evaluator what they make of every vector, and keep the answers as data.

Needs Java (the validator that pyxform carries is JavaRosa), npm and Chromium. The answers are committed beside the vectors
(tests/conformance/goldens.json), so that tests need none of these.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pyxform
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from tests.conformance.harness import HERE, NODE, all_vectors, plain  # noqa: E402

PEER = "openrosa-xpath-evaluator@3.1.0"
JAR = Path(pyxform.__file__).parent / "validators/odk_validate/bin/ODK_Validate.jar"
BIND = {"integer": "int", "decimal": "decimal", "date": "date", "dateTime": "dateTime", "time": "time", "range": "decimal"}


def instance(vector: dict[str, Any]) -> str:
    """Return the answers of a vector as the primary instance of a form."""
    types = dict(vector.get("types", {}))
    for name in vector.get("answers", {}):
        types.setdefault(name, "text")

    def write(prefix: str, answers: Any) -> str:
        xml = ""
        for path, kind in types.items():
            parent, _, name = path.rpartition("/")
            if parent != prefix:
                continue
            given = answers.get(name) if isinstance(answers, dict) else None
            if kind == "repeat":
                xml += "".join(f"<{name}>{write(path, one)}</{name}>" for one in given or [])
            elif kind == "group":
                xml += f"<{name}>{write(path, given or {})}</{name}>"
            else:
                xml += f"<{name}>{escape(given or '')}</{name}>"
        return xml

    return f'<data id="v" version="1">{write("", vector.get("answers", {}))}</data>'


def xform(vector: dict[str, Any]) -> str:
    """Return the smallest XForm in which a vector's answers can stand."""
    types = dict(vector.get("types", {}))
    binds = "".join(
        f'<bind nodeset={quoteattr(f"/data/{path}")} type="{BIND.get(kind.split(" ")[0], "string")}"/>'
        for path, kind in types.items()
        if kind not in ("repeat", "group")
    )

    def body(prefix: str) -> str:
        xml = ""
        for path, kind in types.items():
            if path.rpartition("/")[0] != prefix:
                continue
            inner = body(path)
            if kind == "repeat":
                xml += f'<group ref="/data/{path}"><label>x</label><repeat nodeset="/data/{path}">{inner}</repeat></group>'
            elif kind == "group":
                xml += f'<group ref="/data/{path}"><label>x</label>{inner}</group>'
            else:
                xml += f'<input ref="/data/{path}"><label>x</label></input>'
        return xml

    lists = "".join(
        f'<instance id="{name}"><root>'
        + "".join(
            "<item>" + "".join(f"<{key}>{escape(text)}</{key}>" for key, text in row.items()) + "</item>" for row in rows
        )
        + "</root></instance>"
        for name, rows in {**vector.get("choices", {}), **vector.get("tables", {})}.items()
    )
    return (
        '<?xml version="1.0"?><h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" '
        'xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>v</h:title><model>'
        f"<instance>{instance(vector)}</instance>{lists}{binds}</model></h:head><h:body>{body('')}</h:body></h:html>"
    )


def java_rosa(vectors: list[dict[str, Any]], folder: Path) -> list[list[str]]:
    subprocess.run(["javac", "-cp", JAR, "-d", folder, Path(__file__).parent / "Goldens.java"], check=True)
    lines = []
    for number, vector in enumerate(vectors):
        path = folder / f"{number}.xml"
        path.write_text(xform(vector), encoding="utf-8")
        expression = " ".join(plain(vector["expression"]).split())
        lines.append(f"{path}\t{vector.get('at', '/data')}\t{expression}")
    command = ["java", "-Duser.timezone=UTC", "-Dfile.encoding=UTF-8", "-cp", f"{JAR}:{folder}", "Goldens"]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True)
    return [line.split("\t", 1) for line in done.stdout.splitlines()]


def enketo(vectors: list[dict[str, Any]], folder: Path) -> list[list[str]]:
    shutil.copy(Path(__file__).parent / "enketo.mjs", folder)
    (folder / "package.json").write_text('{"private": true}')
    npm = [*NODE[:2], "npm", "--prefix", str(folder), "install", "--ignore-scripts", "--no-fund", "--no-audit", "--silent"]
    subprocess.run([*npm, PEER], check=True, cwd=folder)
    bundler = ROOT / "client/node_modules/.bin/esbuild"
    arguments = ["enketo.mjs", "--bundle", "--format=iife", "--outfile=enketo.js", "--log-level=error"]
    subprocess.run([*NODE, bundler, *arguments], check=True, cwd=folder)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(timezone_id="UTC")
        page.add_script_tag(path=folder / "enketo.js")
        results = []
        for vector in vectors:
            if vector.get("choices") or vector.get("tables"):
                results.append(["error", "lists are not part of this evaluator"])
                continue
            arguments_ = [instance(vector), vector.get("at", "/data"), plain(vector["expression"])]
            results.append(page.evaluate("([xml, at, text]) => window.golden(xml, at, text)", arguments_))
        browser.close()
    return results


def main() -> None:
    vectors = all_vectors()
    with tempfile.TemporaryDirectory() as name:
        rosa, orxe = java_rosa(vectors, Path(name)), enketo(vectors, Path(name))
    kept = []
    for vector, a, b in zip(vectors, rosa, orxe, strict=True):
        where = {key: vector[key] for key in ("at", "now") if key in vector}
        kept.append({"expression": vector["expression"], **where, "javarosa": a, "enketo": b})
    lines = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in kept)
    (HERE / "goldens.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8", errors="replace")
    print(f"{len(kept)} vectors asked of JavaRosa and {PEER}")


if __name__ == "__main__":
    main()
