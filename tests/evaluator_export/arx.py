"""What ARX finds on the same data."""

import json
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"


ARX = json.loads((FIXTURES / "arx.json").read_text())
