"""Ask the advisory services about every locked package: PyPI's through pip-audit, npm's through npm.

Exit status 1 when there is an advisory. Where a service cannot be reached, that is said, and is no failure: a
build without a network must go on, and one with it runs each week.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP_AUDIT = "pip-audit==2.10.1"
UNREACHED = (
    "ConnectionError",
    "Max retries",
    "ServiceError",
    "Temporary failure",
    "NewConnectionError",
    "Timeout",
    "403",
    "503",
)


def audit_python() -> bool:
    """Say whether no locked Python package has an advisory, as far as the service answers."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder, "env")
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        python = environment / "bin/python"
        # An environment of its own: its packages must not come into ours.
        installed = subprocess.run([python, "-m", "pip", "install", "-q", PIP_AUDIT], capture_output=True, text=True)
        if installed.returncode:
            print(f"{PIP_AUDIT} cannot be had here, so the Python packages were not audited.")
            return True
        command = [python, "-m", "pip_audit", "-f", "json", "--no-deps", "--disable-pip", "-r", ROOT / "requirements.lock"]
        done = subprocess.run(command, capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    # A service that is not there, or knows no package, also "finds no vulnerabilities".
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        print("The advisory service for Python cannot be reached, so the Python packages were not audited.")
        return True
    advised = [package for package in audited if package["vulns"]]
    for package in advised:
        print(f"{package['name']} {package['version']}: {', '.join(advisory['id'] for advisory in package['vulns'])}")
    print(f"Python: {len(audited)} of {len(packages)} packages audited, {len(advised)} with advisories")
    return not advised


def audit_client() -> bool:
    """Say whether no package of the client has an advisory, as far as the service answers."""
    command = [sys.executable, ROOT / "tools/with_node.py", "npm", "--prefix", ROOT / "client", "audit", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        found = json.loads(done.stdout)["metadata"]["vulnerabilities"]
    except (ValueError, KeyError):
        print("The advisory service for npm cannot be reached, so the client's packages were not audited.")
        return True
    print(f"npm: {found}")
    return not found["total"]


if __name__ == "__main__":
    results = [audit_python(), audit_client()]
    sys.exit(0 if all(results) else 1)
