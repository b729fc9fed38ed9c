"""Write build/sbom.cdx.json: what the product is made of, as a CycloneDX 1.6 bill of materials.

From the lock files, so that it names what is installed, with the hashes that are checked: the server's Python packages, the
client's packages that are bundled, and those that only build it (scope "excluded").
"""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from fieldapp.version import VERSION
from tools.licences import find_licence

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "build/sbom.cdx.json"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)[^\n]*((?:\n    [^\n]*)*)", re.MULTILINE)
ALGORITHMS = {"sha512": HashAlgorithm.SHA_512, "sha256": HashAlgorithm.SHA_256, "sha1": HashAlgorithm.SHA_1}


def list_python_packages() -> Iterator[Component]:
    """Yield the packages of requirements.lock.

    A package has a hash for each platform: which of them is installed is known there alone, so none is named.
    """
    for name, version, _ in PINNED.findall((ROOT / "requirements.lock").read_text()):
        url = PackageURL("pypi", None, name.lower().replace("_", "-"), version)
        yield _make_component(name, version, url, find_licence(name))


def list_client_packages() -> Iterator[Component]:
    """Yield the packages of the client's lock file; those that only build it are excluded."""
    packages = json.loads((ROOT / "client/package-lock.json").read_text())["packages"]
    seen = set()
    for path, package in packages.items():
        name = path.rpartition("node_modules/")[2]
        if not name or (name, package["version"]) in seen:
            continue
        seen.add((name, package["version"]))
        namespace, _, short = name.rpartition("/")
        url = PackageURL("npm", namespace or None, short, package["version"])
        scope = ComponentScope.EXCLUDED if package.get("dev") else ComponentScope.REQUIRED
        yield _make_component(name, package["version"], url, package.get("license"), scope, _read_hash(package))


def _make_component(
    name: str,
    version: str,
    url: PackageURL,
    licence: str | None,
    scope: ComponentScope = ComponentScope.REQUIRED,
    hashes: list[HashType] | None = None,
) -> Component:
    component = Component(
        name=name, version=version, purl=url, type=ComponentType.LIBRARY, scope=scope, hashes=hashes or [],
        bom_ref=f"{url.type}:{quote(name)}@{version}",
    )  # fmt: skip
    if licence:
        component.licenses.add(DisjunctiveLicense(name=licence))
    return component


def _read_hash(package: dict[str, Any]) -> list[HashType]:
    algorithm, _, value = str(package.get("integrity", "")).partition("-")
    if algorithm not in ALGORITHMS:
        return []
    return [HashType(alg=ALGORITHMS[algorithm], content=base64.b64decode(value).hex())]


def make_bom() -> Bom:
    """Return the bill of materials."""
    bom = Bom()
    bom.metadata.component = Component(
        name="fieldapp", version=VERSION, type=ComponentType.APPLICATION, bom_ref="fieldapp",
        supplier=OrganizationalEntity(name="fieldapp"),
    )  # fmt: skip
    for component in (*list_python_packages(), *list_client_packages()):
        bom.components.add(component)
    bom.register_dependency(bom.metadata.component, bom.components)
    return bom


def main() -> None:
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(JsonV1Dot6(make_bom()).output_as_string(indent=2) + "\n")
    print(f"{FILE.relative_to(ROOT)}: {len(make_bom().components)} packages")


if __name__ == "__main__":
    main()
