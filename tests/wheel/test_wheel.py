"""The wheel is whole: installed where there is no checkout and no node, it serves the demo."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PARTS = ("fieldapp", "forms", "sync", "evaluator_export", "translations", "static")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from a copy, so that nothing of an earlier build is in it."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copyfile(ROOT / file, copy / file)
    build = ["wheel", "-q", "--no-build-isolation", "--no-deps", "--no-index", "-w", str(out), str(copy)]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True)
    (path,) = out.glob("fieldapp-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the commands of an environment that holds the wheel; what it depends on is lent by ours."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin/python"
    install = ["install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    # A plain line, not a link to our own checkout: .pth files in a lent folder are not read.
    (packages / "lent.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return environment / "bin"


def surroundings(commands: Path, folder: Path) -> dict[str, str]:
    return {"PATH": str(commands), "HOME": str(folder), "FIELDAPP_DATA": str(folder / "data"), "LANG": "C.UTF-8"}


def test_the_code_is_the_wheels_and_says_its_version(installed: Path, tmp_path: Path) -> None:
    environment = surroundings(installed, tmp_path)
    code = "import fieldapp, forms, sync, evaluator_export as e; print(*[m.__file__ for m in (fieldapp, forms, sync, e)])"
    ran = subprocess.run(
        [installed / "python", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert all(path.startswith(str(installed.parent)) for path in ran.stdout.split())
    ran = subprocess.run(
        [installed / "fieldapp", "--version"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    stated = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert stated and ran.stdout == f"fieldapp {stated[1]}\n"


@pytest.fixture
def address(installed: Path, tmp_path: Path) -> Iterator[str]:
    """Serve the demo from the wheel."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = surroundings(installed, tmp_path) | {"FIELDAPP_PORT": str(port)}
    process = subprocess.Popen(
        [installed / "fieldapp", "run", "--demo"], cwd=tmp_path, env=environment, start_new_session=True
    )
    address = f"http://localhost:{port}"
    until = time.monotonic() + 600
    while not is_ready(address):
        assert process.poll() is None and time.monotonic() < until, "the wheel does not serve"
        time.sleep(0.5)
    yield address
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=30)


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def get(url: str, language: str = "en") -> str:
    request = urllib.request.Request(url, headers={"Accept-Language": language})
    with urllib.request.urlopen(request, timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def test_it_serves_the_demo_with_styles_and_in_french(address: str) -> None:
    assert 'lang="en' in get(f"{address}/")
    page = get(f"{address}/", "fr")
    assert 'lang="fr' in page
    assert "Mot de passe" in page
    styles = re.findall(r'<link[^>]+href="([^"]+\.css)"', page)
    assert styles
    assert all("{" in get(f"{address}{style}") for style in styles)
    assert "<script" in get(f"{address}/app/")
