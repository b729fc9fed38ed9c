"""The house's own rules."""

import dataclasses
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from babel.messages.pofile import read_po

from fieldapp import services
from fieldapp import settings as settings_module
from fieldapp.cli import COMMANDS, Commands
from fieldapp.services import acts
from fieldapp.services.access import ACCESS, FORMER_ACTS
from fieldapp.settings import Settings, SettingsProblem
from fieldapp.store.base import Base
from fieldapp.version import VERSION
from fieldapp.web.office.operations.words import ACTS

ROOT = Path(__file__).parent.parent.parent


def load_services() -> None:
    for module in pkgutil.walk_packages(services.__path__, "fieldapp.services."):
        importlib.import_module(module.name)


@pytest.mark.slow
def test_every_act_has_an_access_rule_and_every_rule_an_act() -> None:
    load_services()
    assert set(acts.ACTS) == set(ACCESS)


@pytest.mark.slow
def test_every_act_that_writes_has_words_for_the_audit_page() -> None:
    load_services()
    only_reads = ("browse", "fetch", "list", "preview", "propose", "view", "view_own")
    written = {name for name in acts.ACTS if name.split(".")[1] not in only_reads} - {"form.open"}
    assert written <= set(ACTS), "give these acts words in fieldapp/web/office/operations/words.py"


def test_former_acts_have_a_name_of_today_and_are_none_themselves() -> None:
    assert set(FORMER_ACTS.values()) <= set(ACTS) & set(ACCESS), "FORMER_ACTS leads to acts that nobody can do"
    assert not set(FORMER_ACTS) & set(ACCESS), "old lines of the audit log would be taken for these new acts"


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs/operators.md").read_text()
    for setting in dataclasses.fields(Settings):
        assert f"`FIELDAPP_{setting.name.upper()}`" in page, f"docs/operators.md does not name {setting.name}"
        assert setting.metadata["text"].rstrip(".") in page, f"docs/operators.md says {setting.name} otherwise"


def test_every_command_and_target_is_documented() -> None:
    page = (ROOT / "docs/operators.md").read_text()
    for command in COMMANDS:
        assert f"`fieldapp {command}" in page, f"docs/operators.md does not explain `fieldapp {command}`"
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in set(targets) - {"help"}:
        explained = (ROOT / "CONTRIBUTING.md").read_text() + page
        assert f"`make {target}" in explained, f"neither CONTRIBUTING.md nor docs/operators.md explains make {target}"


@pytest.mark.slow
def test_help_names_every_command_and_loads_none_of_them() -> None:
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "fieldapp", "--help"], capture_output=True, text=True, check=True
    )
    assert "sqlalchemy" not in seen.stderr and "flask" not in seen.stderr
    for name, words in COMMANDS.items():
        assert re.search(rf"^  {name} +\S", seen.stdout, re.MULTILINE), name
        command = Commands().get_command(click.Context(click.Command(name)), name)
        assert command is not None and command.help, name
        # What is said here is what the command says of itself, cut to one line.
        assert words.split()[0] == command.help.split()[0], name


@pytest.mark.slow
def test_no_table_loads_a_web_framework() -> None:
    script = (
        "import sys, fieldapp.store.tables; print([name for name in ('flask', 'babel', 'webauthn') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_version_stands_in_one_place_and_the_readme_says_which_state_it_is() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version == VERSION, "set it up again: make dev"
    minor = ".".join(version.split(".")[:2])
    is_said = f"**State: version {minor}," in (ROOT / "README.md").read_text()
    assert is_said, f"the README speaks of another version than {minor}"
    code = [path for folder in ("fieldapp", "forms", "sync", "evaluator_export") for path in (ROOT / folder).rglob("*.py")]
    code += [path for path in (ROOT / "client/src").rglob("*.ts*") if path.is_file()]
    repeated = [str(path.relative_to(ROOT)) for path in code if f'"{version}"' in path.read_text()]
    assert not repeated, "the version stands in pyproject.toml only; import VERSION"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FIELDAPP_PROT": "1"}, "Did you mean FIELDAPP_PORT"),
        ({"FIELDAPP_PORT": "x"}, "from 1 to 65535"),
        ({"FIELDAPP_DATABASE_URL": "nonsense"}, "must begin with postgresql://"),
        ({"FIELDAPP_TRUSTED_PROXIES": "x"}, "must be a number"),
        ({"FIELDAPP_SECRET_KEY_FILE": "/nonexistent"}, "cannot be read"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_suggestion(environment: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsProblem, match=words):
        settings_module.read(environment)


def test_the_secret_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    assert settings.make_key() == settings.make_key() == settings.key()
    assert (tmp_path / "data/secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_french_is_complete_and_keeps_every_placeholder(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    catalogues = importlib.import_module("catalogues")
    template = tmp_path / "all.pot"
    catalogues.extract(template)
    held = catalogues.read(catalogues.po("fr"))
    for message in catalogues.read(template):
        if not message.id:
            continue
        singular = message.id if isinstance(message.id, str) else message.id[0]
        found = held.get(singular)
        strings = [found.string] if found and isinstance(found.string, str) else list(found.string) if found else []
        assert strings and all(strings), f"no French for “{singular}”: translate it in translations/fr"
        marks = set(re.findall(r"\{\w+\}|%\(\w+\)[sd]", singular))
        for string in strings:
            held_marks = set(re.findall(r"\{\w+\}|%\(\w+\)[sd]", string))
            assert held_marks == marks, f"the French of “{singular}” fills in something else"
    with catalogues.po("fr").open("rb") as file:
        guessed = [message.id for message in read_po(file) if message.fuzzy and message.id]
        assert not guessed, "these translations are guesses of the tool (fuzzy): read them and take the mark away"


def test_no_words_of_the_client_hide_from_the_catalogue() -> None:
    """The extractor does not see words inside template literals, so every t("…") is looked up here by itself."""
    sys.path.insert(0, str(ROOT / "tools"))
    catalogues = importlib.import_module("catalogues")
    held = catalogues.read(catalogues.po("fr"))
    for path in (ROOT / "client/src").rglob("*.ts*"):
        if path.suffix in (".ts", ".tsx") and ".test." not in path.name:
            for words in re.findall(r'\bn?t\(\s*"((?:[^"\\\\]|\\\\.)*)"', path.read_text()):
                assert held.get(words), f"{path.name} says “{words}”, which is not in the catalogue: make translations"


@pytest.mark.slow
def test_no_machine_path_and_no_registry_is_in_the_repository() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\0"
    )
    registries = re.compile(r"(pypi|npmjs|pythonhosted)\.org")
    for name in filter(None, files):
        path = ROOT / name
        if path.suffix in (".png", ".xlsx", ".zip", ".parquet") or not path.is_file() or path == Path(__file__):
            continue
        assert not registries.search(path.read_text(encoding="utf-8")), f"{name} names a registry's address"


@pytest.mark.slow
def test_the_commands_speak_plainly(tmp_path: Path) -> None:
    environment = {"PATH": "", "FIELDAPP_DATA": str(tmp_path), "FIELDAPP_PORT": "8000"}
    for arguments, words in [
        (["release", "build", "x", "--period", "2026-Q3", "--out", str(tmp_path)], "fieldapp db upgrade"),
        (["release", "build", "x", "--period", "nope", "--out", str(tmp_path)], "not a period"),
        (["run"], "fieldapp db upgrade"),
    ]:
        done = subprocess.run(
            [sys.executable, "-m", "fieldapp", *arguments], capture_output=True, text=True, env=environment, cwd=ROOT
        )
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr


# Tables whose rows are never deleted, so that no number can be free again. Others need sqlite_autoincrement.
KEPT = {
    "area_set", "audit", "batch", "blob", "board_item", "board_step", "centre", "centre_key", "dataset", "delivery",
    "device", "edition", "feed_key", "follow_up", "form_version", "question_class", "record", "release", "release_run",
    "legal_hold", "retention_plan", "review", "scheduler_beat", "series", "submission", "user", "withdrawal_round",
}  # fmt: skip
# The last entry of the log is always newer than those that retention erases, and no page names one by its number.
ONLY_OLD_ROWS = {("fieldapp/store/consent/retention.py", "AuditEvent"), ("fieldapp/store/resealing.py", "CentreKey")}


def test_no_number_of_a_row_is_given_out_twice() -> None:
    """SQLite gives the number of the last row, once it is deleted, to the next: an old page would then name another row."""
    by_class = {mapper.class_.__name__: mapper.local_table.name for mapper in Base.registry.mappers}
    for table in Base.metadata.sorted_tables:
        if table.autoincrement_column is not None and len(table.primary_key.columns) == 1:
            is_counting = table.dialect_options["sqlite"]["autoincrement"]
            assert is_counting or table.name in KEPT, f"{table.name}: sqlite_autoincrement, or KEPT if rows never go"
    for path in (ROOT / "fieldapp").rglob("*.py"):
        for name in re.findall(r"sa\.delete\((\w+)\)", path.read_text()):
            if (str(path.relative_to(ROOT)), name) in ONLY_OLD_ROWS:
                continue
            table = by_class[name]
            assert table not in KEPT, f"{path.name} deletes from {table}, which KEPT says nobody does"
