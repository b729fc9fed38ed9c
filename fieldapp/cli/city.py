"""The City's sum over many centres: join, answer; for the City: begin, call, show."""

import json
from pathlib import Path

import click

from evaluator_export.citysum.coordinator import RESULT
from evaluator_export.citysum.letters import CITY
from evaluator_export.citysum.page import make_files
from evaluator_export.citysum.registry import read_card, read_registry, write_fingerprint
from evaluator_export.citysum.result import COLUMNS, list_rows, make_body
from evaluator_export.formats import csv_files
from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor
from fieldapp.services.products.city import office
from fieldapp.services.products.city.box import REGISTRY, Box
from fieldapp.services.products.city.member import RoundAnswer, answer_rounds, join_city, make_card

# Changed by whoever has read the review that SECURITY.md asks for, in a commit that names it.
IS_REVIEWED = False
WARNING = (
    "The cryptography of the City's sum was not reviewed yet by anybody but its authors (SECURITY.md). "
    "Use it with invented numbers only."
)
CENTRE = click.option("--centre", "slug", default="rexdale", show_default=True)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BOX = click.option(
    "--box",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The shared folder.",
)
KEY = click.option("--key", "key_file", required=True, type=click.Path(path_type=Path), help="The file with the City's key.")


@click.group()
def city() -> None:
    """Add up numbers of many centres, without anybody seeing those of one."""
    if not IS_REVIEWED:
        click.echo(WARNING, err=True)


@city.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", default="", help="The centre's name in letters; its short name when left out.")
@CENTRE
def card(file: Path, name: str, slug: str) -> None:
    """Write the centre's card for the City into FILE."""
    with opened(uses_key=True) as (session, settings):
        centre = centre_named(session, slug)
        text = make_card(session, settings, centre, name or centre.slug)
    file.write_text(text, encoding="utf-8")
    click.echo(f"{file}: give it to the City, and read this to them by telephone: {_describe_key(read_card(text)['key'])}")


@city.command()
@BOX
@click.option("--fingerprint", default="", help="Of the City's list, as the other centres have it.")
@CENTRE
def join(folder: Path, fingerprint: str, slug: str) -> None:
    """Join the centres of the City's list, once it was compared with that of the others."""
    box = Box(folder)
    registry = box.read_registry()
    text = box.read(REGISTRY)
    expected = write_fingerprint(text)
    for name, key in sorted(registry.keys.items()):
        click.echo(f"{name}: {registry.titles[name]}, {_describe_key(key)}")
    click.echo(f"{registry.least} of {len(registry.keys)} centres open a sum of {len(registry.tables)} tables.")
    if fingerprint.replace(" ", "") != expected.replace(" ", ""):
        raise click.ClickException(
            f"Not joined. Compare the keys above with what each centre reads to you, and the list with two other centres. "
            f"Then: fieldapp city join --box {folder} --fingerprint “{expected}”"
        )
    with opened(uses_key=True) as (session, settings):
        centre = centre_named(session, slug)
        own = join_city(session, Actor.system(centre.id), settings=settings, centre=centre, registry_text=text, box=folder)
    click.echo(f"Joined as {own}. Run “fieldapp city round” each hour.")


@city.command("round")
@CENTRE
def answer(slug: str) -> None:
    """Answer what can be answered now in the City's rounds; run it each hour."""
    with opened(uses_key=True) as (session, settings):
        answers = answer_rounds(session, settings, centre_named(session, slug))
    for round_answer in answers:
        click.echo(_describe_answer(round_answer))
    if not answers:
        click.echo("The City has called no round.")
    if any(round_answer.refusal for round_answer in answers):
        raise click.ClickException("Not all was answered; see above.")


def _describe_answer(round_answer: RoundAnswer) -> str:
    about = f"{round_answer.period}, attempt {round_answer.attempt}"
    if round_answer.refusal:
        return f"{about}: refused. {round_answer.refusal}"
    if round_answer.is_over:
        return f"{about}: over"
    if round_answer.sent:
        return f"{about}: sent {', '.join(round_answer.sent)}"
    return f"{about}: waits for the others"


def _describe_key(key: str) -> str:
    return write_fingerprint(key)


@city.command()
@click.argument("name")
@click.argument("cards", nargs=-1, required=True, type=FILE)
@click.option("--table", "tables", multiple=True, help="A table to add up; all of one column when left out.")
@BOX
@KEY
def begin(name: str, cards: tuple[Path, ...], tables: tuple[str, ...], folder: Path, key_file: Path) -> None:
    """For the City NAME: list the centres of these CARDS; the key is made where there is none."""
    key = office.load_city_key(key_file, may_make=True)
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in cards]
    registry_text = office.begin_city(key, Box(folder), name, texts, tables)
    registry = read_registry(registry_text)
    for centre, public in sorted(registry.keys.items()):
        click.echo(f"{centre}: {registry.titles[centre]}, {_describe_key(public)}")
    click.echo(f"{registry.least} of {len(registry.keys)} centres open a sum of: {', '.join(registry.tables)}")
    click.echo(f"Compare the keys above by telephone. The list: {write_fingerprint(registry_text)}")


@city.command()
@click.argument("period")
@BOX
@KEY
def call(period: str, folder: Path, key_file: Path) -> None:
    """For the City: call a round of PERIOD, such as 2027-Q1."""
    called = office.call_round(office.load_city_key(key_file, may_make=False), Box(folder), period)
    click.echo(f"{called.period}, attempt {called.attempt}: called. Run “fieldapp city collect” each hour.")


@city.command()
@click.option("--late", "is_late", is_flag=True, help="Go on without those who have not answered, once enough have.")
@BOX
@KEY
def collect(is_late: bool, folder: Path, key_file: Path) -> None:
    """For the City: list what has come, take the table that enough centres signed."""
    key = office.load_city_key(key_file, may_make=False)
    for open_round, kinds in office.collect_letters(key, Box(folder), is_late=is_late):
        about = f"{open_round.call.period}, attempt {open_round.call.attempt}"
        come = "; ".join(f"{kind} of {len(names)}" for kind, names in _list_letters(open_round.inbox).items())
        done = f"wrote {', '.join(kinds)}" if kinds else "waits"
        click.echo(f"{about}: {done}. Letters: {come or 'none'}")
        if RESULT in kinds:
            click.echo(f"{about}: there is a sum. Show it: fieldapp city page")


def _list_letters(inbox: dict[tuple[str, str], str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for kind, sender in inbox:
        if sender != CITY:
            names.setdefault(kind, []).append(sender)
    return names


@city.command()
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@BOX
def page(target: Path, folder: Path) -> None:
    """For the City: write pages, CSV and JSON of all sums into the folder TARGET."""
    box = Box(folder)
    registry = box.read_registry()
    results = office.list_results(registry, box)
    target.mkdir(parents=True, exist_ok=True)
    files = make_files(registry, results, is_reviewed=IS_REVIEWED)
    rows = [row.list_fields() for row in list_rows(registry, results)]
    (target / "sums.csv").write_bytes(csv_files.rows(COLUMNS, rows))
    body = make_body(registry, results) | {"is_reviewed": IS_REVIEWED}
    files["sums.json"] = json.dumps(body, ensure_ascii=False, indent=1)
    for name, text in files.items():
        (target / name).write_text(text, encoding="utf-8")
    for path in target.iterdir():
        # Whatever a command writes is for its user alone; these files are for a web server.
        if path.name in {*files, "sums.csv"}:
            path.chmod(0o644)
    click.echo(f"{target}: {len(results)} quarters, {len(rows)} numbers.")
