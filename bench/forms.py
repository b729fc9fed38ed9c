"""The form language, measured: compiling and re-validation on the server, loading and changing in real Chromium.

Forms as in our earlier measurements: blocks of ten questions and two calculations, a running total chained through all blocks,
each block's relevance depending on the total before it. "Chained change": block 1's number, which every total reads.
"""

import datetime as dt
import gzip
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from forms.definition import Element, FormDefinition
from forms.expressions import parse
from forms.validation import validate
from forms.xlsform import compile_workbook
from sync.intake import local_time
from tests.conformance.random_forms import answers

ROOT = Path(__file__).parent.parent
NODE = [sys.executable, str(ROOT / "tools/with_node.py")]
PEER = "@getodk/xforms-engine@0.22.0"
Row = tuple[str, str, str, str]
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}  # 400 kbps
HEADER = "| survey |\n| | type | name | label | relevant | calculation | repeat_count | privacy |\n"
SETTINGS = """| choices |
| | list_name | name | label |
| | yn | y | Yes |
| | yn | n | No |
| settings |
| | form_id | version | style |
| | bench | 1 | {style} |
"""


def workbook(questions: int, is_chained: bool, style: str = "pages") -> str:
    """Return a form of so many questions in blocks of ten."""
    rows = []
    for block in range(1, questions // 10 + 1):
        before = f"total{block - 1}"
        relevant = f"${{{before}}} >= 0" if is_chained and block > 1 else ""
        rows.append(f"begin_group | g{block} | Block {block} | {relevant} | | |")
        rows.append(f"integer | n{block} | How many, {block}? | | | | operational")
        rows.append(f"select_one yn | s{block} | Was it so? | | | | operational")
        rows.append(f"date | d{block} | When? | ${{s{block}}} = 'y' | | | operational")
        rows += [f"text | t{block}_{one} | Say more, {one} | | | | free-text" for one in range(7)]
        rows.append(f"calculate | sub{block} | | | coalesce(${{n{block}}}, 0) + 1 | | operational")
        total = f"${{{before}}} + ${{sub{block}}}" if is_chained and block > 1 else f"${{sub{block}}} * 2"
        rows.append(f"calculate | total{block} | | | {total} | | operational")
        rows.append("end_group | | | | | |")
    return HEADER + "".join(f"| | {row} |\n" for row in rows) + SETTINGS.format(style=style)


def repeat_workbook() -> str:
    """Return a repeat of 100 instances with 30 questions each, five of them computed."""
    rows = ["begin_repeat | r | Visit | | | 100 | "]
    rows += [f"integer | n{one} | Number {one} | | | | operational" for one in range(13)]
    rows += [f"text | t{one} | Text {one} | ${{n{one}}} != 7 | | | free-text" for one in range(12)]
    rows += [
        f"calculate | c{one} | | | coalesce(${{n{one}}}, 0) + coalesce(${{n{one + 1}}}, 0) | | operational"
        for one in range(5)
    ]
    rows.append("end_repeat | | | | | |")
    rows.append("calculate | all | | | sum(${c0}) | | operational")
    return HEADER + "".join(f"| | {row} |\n" for row in rows) + SETTINGS.format(style="")


def chain(length: int) -> FormDefinition:
    """Return a form in which so many calculations each read the one before (pyxform would take long to write it)."""
    elements = [Element("/data/n", "n", "question", "integer", "/data", {"en": "Number"}, privacy="operational")]
    for one in range(1, length + 1):
        before = f"/data/c{one - 1}" if one > 1 else "/data/n"
        calculate = parse(f"{before} + 1")
        elements.append(Element(f"/data/c{one}", f"c{one}", "question", "calculate", "/data", calculate=calculate))
    last = Element("/data/last", "last", "question", "text", "/data", {"en": "Last"}, calculate=parse(f"/data/c{length}"))
    order = tuple(element.path for element in (*elements, last))
    return FormDefinition("chain", "1", {"en": "Chain"}, ("en",), "", (*elements, last), {}, order, {})


@cache
def compiled(questions: int, is_chained: bool) -> Any:
    return compile_workbook(workbook(questions, is_chained).encode(), ".md")


# ── the server ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def on_server() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "big.md"
        path.write_text(workbook(2000, is_chained=True), encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "forms", "compile", str(path)], cwd=ROOT, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    form = compiled(40, True).definition
    chance, now = random.Random(1), local_time(dt.datetime(2026, 9, 1, 22))
    filled = [validate(form, answers(form, chance), now).answers for _ in range(50)]
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for given in filled:
            validate(form, given, now)
        best = min(best, (time.process_time() - start) / len(filled))
    return [
        ("compile 2,000 questions: CPU s", f"{seconds:.1f}", "target 5", f"{seconds / 5:.2f}"),
        ("  its memory: MB", f"{after.ru_maxrss / 1024:.0f}", "target 300", f"{after.ru_maxrss / 1024 / 300:.2f}"),
        ("re-validate an encounter of 40 questions: CPU ms", f"{best * 1000:.2f}", "target 0.5", f"{best * 2000:.2f}"),
    ]


# ── the phone ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Site:
    """A small web server of the trial page: the phone's own pages over a form, compressed as in the app."""

    def __init__(self) -> None:
        dist = ROOT / "static/dist"
        names = json.loads((dist / "names.json").read_text())
        page = '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/app.css">'
        page += '<link rel="preload" as="fetch" crossorigin href="/form.json">'
        page += '<script type="module" src="/app.js"></script><div id="app" data-definition="/form.json"></div>'
        self.files: dict[str, tuple[str, bytes, str]] = {
            "/": ("text/html", page.encode(), ""),
            "/app.js": ("text/javascript", (dist / f"{names['try.js']}.br").read_bytes(), "br"),
            "/app.css": ("text/css", (dist / f"{names['phone.css']}.br").read_bytes(), "br"),
        }
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, data, encoding = site.files.get(self.path, ("text/plain", b"", ""))
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Cache-Control", "no-store")
                if encoding:
                    self.send_header("Content-Encoding", encoding)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def show(self, form: FormDefinition) -> None:
        self.files["/form.json"] = ("application/json", gzip.compress(form.to_json().encode()), "gzip")


CHANGE = """async ([id, times]) => {
  const input = document.getElementById(id);
  for (let turn = 0; turn < times; turn++) {
    input.value = String(turn % 2 ? 3 : 5);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(done));
  }
}"""
KEYSTROKES = """async ([id, times]) => {
  const took = [];
  for (let turn = 0; turn < times; turn++) {
    const input = document.getElementById(id);
    input.value += "1";
    if (input.value.length > 6) input.value = "1";
    await new Promise((done) => requestAnimationFrame(done));
    const start = performance.now();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await Promise.resolve();
    await new Promise((done) => queueMicrotask(done));
    document.body.offsetHeight;
    took.push(performance.now() - start);
  }
  took.sort((a, b) => a - b);
  return took[Math.ceil(took.length * 0.95) - 1];
}"""


def script_ms(page: Page, cdp: CDPSession, field: str, times: int = 60) -> float:
    """Return milliseconds of script for one change of a field."""

    def script() -> float:
        metrics = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
        return float(metrics["ScriptDuration"]) * 1000

    page.evaluate(CHANGE, [field, 10])  # warm
    best = float("inf")
    for _ in range(3):
        before = script()
        page.evaluate(CHANGE, [field, times])
        best = min(best, (script() - before) / times)
    return best


def on_phone() -> list[Row]:
    site, rows = Site(), list[Row]()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])

        def opened(form: FormDefinition, field: str, is_slow: bool = False) -> tuple[Page, CDPSession, float]:
            site.show(form)
            context = browser.new_context(viewport={"width": 360, "height": 740})
            page = context.new_page()
            cdp = context.new_cdp_session(page)
            cdp.send("Performance.enable")
            if is_slow:
                cdp.send("Network.enable")
                cdp.send("Network.emulateNetworkConditions", SLOW)
                cdp.send("Emulation.setCPUThrottlingRate", {"rate": 4})
            start = time.perf_counter()
            page.goto(site.url)
            page.wait_for_selector(f'[id="{field}"]')
            return page, cdp, time.perf_counter() - start

        figures = {}
        for size in (40, 500, 1000):
            page, cdp, _ = opened(compiled(size, True).definition, "q-g1.n1")
            figures[size] = script_ms(page, cdp, "q-g1.n1")
            page.context.close()
        peer = Peer(browser, site)
        for size, ours in figures.items():
            theirs = peer.change(compiled(size, True).xform, size)
            ratio = f"{ours / theirs:.3f}" if theirs else "–"
            beside = f"{theirs:.1f} {PEER.rsplit('@', 1)[0]}" if theirs else "the peer does not load it"
            rows.append((f"chained change, {size:,} questions: script ms (target 1)", f"{ours:.2f}", beside, ratio))
        small, large = (grown(opened, size) for size in (40, 5000))
        rows.append(
            (
                "same dependants, 5,000 questions: script ms (target ratio 1.5)",
                f"{large:.2f}",
                f"{small:.2f} at 40",
                f"{large / small:.2f}",
            )
        )
        _, _, seconds = opened(compiled(1000, True).definition, "q-g1.n1", is_slow=True)
        rows.append(
            (
                "1,000 questions, first usable, CPU ×4, 400 ms, 400 kbps: s",
                f"{seconds:.1f}",
                "target 3",
                f"{seconds / 3:.2f}",
            )
        )
        whole = compile_workbook(workbook(1000, is_chained=True, style="").encode(), ".md").definition
        _, _, seconds = opened(whole, "q-g1.n1", is_slow=True)
        rows.append(("  the same all on one page: s", f"{seconds:.1f}", "target 3", f"{seconds / 3:.2f}"))
        page, _, seconds = opened(chain(10_000), "q-n")
        page.fill('[id="q-n"]', "5")
        total = page.inner_text('[id="q-last"]')
        assert total == "10005", total
        rows.append(("chain of 10,000 calculations, loaded and right: s", f"{seconds:.1f}", "5 → 10005", ""))
        repeat = compile_workbook(repeat_workbook().encode(), ".md").definition
        page, cdp, _ = opened(repeat, "app")
        page.locator("section.instance button").nth(49).click()
        page.wait_for_selector('[id="q-r[50].n3"]')
        cdp.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        late = page.evaluate(KEYSTROKES, ["q-r[50].n3", 100])
        rows.append(
            ("repeat 100 × 30, keystroke, CPU ×4: ms, 95th percentile", f"{late:.1f}", "target 16", f"{late / 16:.2f}")
        )
        browser.close()
    return rows


def grown(opened: Callable[..., tuple[Page, CDPSession, float]], size: int) -> float:
    page, cdp, _ = opened(compiled(size, False).definition, "q-g1.n1")
    return script_ms(page, cdp, "q-g1.n1")


class Peer:
    """A peer's engine in the same browser, over the same XForm."""

    def __init__(self, browser: Any, site: Site):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copy(ROOT / "bench/peer.mjs", folder)
            (folder / "package.json").write_text('{"private": true}')
            npm = [
                *NODE,
                "npm",
                "--prefix",
                name,
                "install",
                "--ignore-scripts",
                "--no-fund",
                "--no-audit",
                "--silent",
                PEER,
            ]
            subprocess.run(npm, check=True, cwd=folder)
            bundler = [*NODE, "node", str(ROOT / "client/node_modules/.bin/esbuild"), "peer.mjs", "--bundle", "--format=esm"]
            subprocess.run([*bundler, "--minify", "--outfile=peer.js", "--log-level=error"], check=True, cwd=folder)
            site.files["/peer.js"] = ("text/javascript", (folder / "peer.js").read_bytes(), "")
        site.files["/peer"] = ("text/html", b'<!doctype html><script type="module" src="/peer.js"></script>', "")
        self.browser, self.url = browser, f"{site.url}peer"

    def change(self, xform: str, size: int) -> float | None:
        """Return milliseconds for one chained change; None when the peer does not load the form."""
        page = self.browser.new_page()
        page.goto(self.url)
        page.wait_for_function("() => !!window.peer")
        last = size // 10
        try:
            found = page.evaluate(
                "([form, changed, watched]) => window.peer(form, changed, watched, 30)",
                [xform, "/data/g1/n1", f"/data/g{last}/total{last}"],
            )
        except Exception as error:
            print(f"  (peer, {size} questions: {str(error).splitlines()[0][:110]})", file=sys.stderr)
            return None
        finally:
            page.close()
        return float(found["change"])


def rows() -> list[Row]:
    return [*on_server(), *on_phone()]


if __name__ == "__main__":
    for row in rows():
        print("  ".join(row))
