"""The feed read by OData clients that others wrote: from PyPI and from npm, with nothing but the address and a key."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from odata import ODataService

from tests.browser.conftest import ROOT, Server
from tests.browser.product_pages import products  # noqa: F401  the demo with its products built

pytestmark = pytest.mark.xdist_group("browser: products")
NODE_CLIENT = """
import { OData } from "@odata/client";
const [serviceEndpoint, password] = process.argv.slice(2);
const client = OData.New4({ serviceEndpoint, credential: { username: "anybody", password } });
const filter = client.newFilter().field("risk_now").eq("low");
const options = client.newOptions().filter(filter).select(["area", "risk_now"]).orderby("area").top(4).count(true);
console.log(JSON.stringify(await client.newRequest({ collection: "encounters", params: options })));
"""


@pytest.fixture(scope="module")
def key(products: Server, demo_data: Path) -> str:
    command = [sys.executable, "-m", "fieldapp", "products", "key", "evaluator-quarterly", "--label", "a test"]
    environment = {**os.environ, "FIELDAPP_DATA": str(demo_data)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.filterwarnings("ignore")
def test_a_client_from_pypi_reads_the_schema_and_the_rows(products: Server, key: str) -> None:
    service = ODataService(f"{products.url}/odata/v4/", reflect_entities=True, auth=("anybody", key), quiet_progress=True)
    rows, counts = service.entities["encounters"], service.entities["table_encounters_by_type"]
    found = service.query(rows).filter(rows.risk_now == "low").limit(5).all()
    assert len(found) == 5 and {row.risk_now for row in found} == {"low"}
    listed = service.query(counts).order_by(counts.value.desc()).all()
    numbers = [row.value for row in listed if row.value is not None]
    assert numbers == sorted(numbers, reverse=True) and all(number % 5 == 0 for number in numbers)


def test_a_client_from_npm_reads_it_too(products: Server, key: str) -> None:
    script = ROOT / "client" / "build" / "feed-client.mjs"
    script.parent.mkdir(exist_ok=True)
    script.write_text(NODE_CLIENT)
    command = [sys.executable, "tools/with_node.py", "node", str(script), f"{products.url}/odata/v4/", key]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    body = json.loads(ran.stdout)
    assert body["@odata.count"] > 4 and len(body["value"]) == 4
    assert {tuple(row) for row in body["value"]} == {("area", "risk_now")}
