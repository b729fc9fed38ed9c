"""Write the lock files from pyproject.toml, with hashes and without the names of registries."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMON = [
    "--generate-hashes",
    "--no-emit-index-url",
    "--universal",
    "--python-version",
    "3.11",
    "--no-annotate",
    "--no-header",
    "-q",
]

for target, group in (("requirements.lock", []), ("requirements-dev.lock", ["--group", "dev"])):
    command = [ROOT / ".venv/bin/uv", "pip", "compile", "pyproject.toml", *group, *COMMON, "-o", target]
    subprocess.run(command, cwd=ROOT, check=True)
