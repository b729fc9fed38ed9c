"""Find a Chromium for the browser tests, or fetch one; say what to do when neither works."""

import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    if any(map(shutil.which, NAMES)):
        return
    print("· fetching Chromium for the browser tests", flush=True)
    if subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"]).returncode:
        sys.exit("The browser tests need Chromium. On Debian or Ubuntu: apt install chromium")


if __name__ == "__main__":
    main()
