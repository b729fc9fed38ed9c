"""The bill of materials is valid CycloneDX, and names every package that is locked."""

import json
import re
from pathlib import Path

from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools.licences import locked_packages
from tools.sbom import make_bom

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_bill_of_materials_is_valid_and_whole() -> None:
    text = JsonV1Dot6(make_bom()).output_as_string()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = json.loads(text)["components"]
    python = {component["name"] for component in components if component["purl"].startswith("pkg:pypi/")}
    assert python == set(locked_packages())
    bundled = {
        component["name"]
        for component in components
        if component["purl"].startswith("pkg:npm/") and component["scope"] == "required"
    }
    assert bundled == set(json.loads((ROOT / "client/package.json").read_text())["dependencies"])
    assert all(component.get("hashes") for component in components if component["purl"].startswith("pkg:npm/"))
    pinned = re.findall(r"^flask==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert [component["version"] for component in components if component["name"] == "flask"] == pinned
