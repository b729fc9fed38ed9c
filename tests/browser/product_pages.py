"""The demo with its products built."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import ROOT, Server


@pytest.fixture(scope="session")
def products(server: Server, demo_data: Path) -> Server:
    """The demo, which has outlines of an invented city, with its products built, as the clock would."""
    environment = {**os.environ, "FIELDAPP_DATA": str(demo_data)}
    command = [sys.executable, "-m", "fieldapp", "products", "build"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return server
