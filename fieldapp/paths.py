"""Where the parts of the product are that are not code: program, translations, client."""

from pathlib import Path

PACKAGE = Path(__file__).parent
ROOT = PACKAGE.parent  # the checkout, or the folder into which the packages were installed


def _folder(installed: str, in_checkout: str) -> Path:
    """Return a folder that a wheel has in the package (see setup.py) and a checkout beside it."""
    inside = PACKAGE / installed
    if inside.is_dir():
        return inside
    return ROOT / in_checkout


PROGRAM = PACKAGE / "program"
TRANSLATIONS = _folder("translations", "translations")
CLIENT = _folder("static", "static/dist")
