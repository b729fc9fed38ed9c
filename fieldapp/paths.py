"""Where the parts of the product lie that are no code: the programme, translations, the built client."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAMME = ROOT / "fieldapp" / "programme"
TRANSLATIONS = ROOT / "translations"
CLIENT = ROOT / "static" / "dist"
