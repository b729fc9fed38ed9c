"""What ODK Collect does, with its own engine (JavaRosa): list, fetch, fill in, send. `make collect` runs it; it needs Java."""

import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import pyxform

from tests.web.collecting import LIST, Collect, collect

JAR = Path(pyxform.__file__).parent / "validators/odk_validate/bin/ODK_Validate.jar"
FILL = Path(__file__).parent.parent.parent / "tools/goldens/Fill.java"
__all__ = ["collect"]  # the fixture

FORMS = {
    "encounter": {
        "what/contact_type": "check_in", "when_where/setting": "street", "when_where/nbhd": "002", "talk/people_n": "2",
        "people/who": "group", "talk/risk_now": "low", "talk/minutes": "5_15",
    },
    "mediation": {
        "when_where/nbhd": "002", "when_where/setting": "street", "when_where/aware": "street_talk", "conflict/cause": "disrespect",
        "conflict/parties_n": "2", "conflict/sides": "two_people", "conflict/enrolled_any": "no", "danger/weapon": "none",
        "danger/prior": "no", "danger/retal": "no", "danger/online": "no", "danger/likelihood": "unlikely", "work/sessions": "1",
        "work/minutes": "15_30", "result/outcome": "resolved", "result/safe_worker": "yes",
    },
}  # fmt: skip


def fill(xform: bytes, answers: dict[str, str], folder: Path) -> bytes:
    assert shutil.which("java"), "Java is needed: apt install default-jre-headless (11 or newer)"
    path = folder / "form.xml"
    path.write_bytes(xform)
    given = [f"/data/{name}={value}" for name, value in answers.items()]
    done = subprocess.run(["java", "-cp", str(JAR), str(FILL), str(path), *given], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_fetched_filled_in_by_javarosa_and_taken_in(collect: Collect, tmp_path: Path, form: str) -> None:
    listed = ET.fromstring(collect.get(f"{collect.base}/formList").data)
    url = next(one.findtext(f"{LIST}downloadUrl") for one in listed if one.findtext(f"{LIST}formID") == form)
    instance = fill(collect.get(url or "").data, FORMS[form], tmp_path)
    assert collect.send(instance).status_code == 201
    problems = [one.problems for one in collect.submissions()]
    if form == "encounter":
        assert problems == [[]]
        (record,) = collect.records()
        assert (record.answers["people"], record.answers["talk"]["people_n"]) == ({"who": "group"}, "2")
        assert record.answers["next"] == {"ref_made": "no", "safeto_default": "prev"}
    else:  # some questions of many choices were left out: the same rules find the same gaps
        assert {problem["code"] for problem in problems[0]} == {"answers.required"}
