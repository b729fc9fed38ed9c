"""Publish a form from the command line."""

from collections.abc import Sequence
from pathlib import Path

import click

from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor
from fieldapp.services.forms.consent_reasons import list_publish_problems, list_reasons_to_come
from fieldapp.services.forms.published import publish_form
from fieldapp.store.forms.list_files import zip_lists
from forms.builder import WorkbookEditor
from forms.isolation import compile_isolated
from forms.problems import FormProblem, FormRefused
from forms.sheets import read_sheets

REFUSED = "The form was not published."


@click.group()
def forms() -> None:
    """Publish forms."""


@forms.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--with", "lists", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A CSV list of it."
)
@click.option("--centre", "slug", default="rexdale", show_default=True, help="The centre to publish it for.")
def publish(file: Path, lists: tuple[Path, ...], slug: str) -> None:
    """Publish an XLSForm, or list everything wrong with it by sheet and row."""
    data = file.read_bytes()
    ending = file.suffix.lower()
    files = {path.name: path.read_bytes() for path in lists}
    try:
        compiled = compile_isolated(data, ending, files)
    except FormRefused as refused:
        _say(refused.problems)
        _say_what_will_lack(data, ending, slug)
        raise click.ClickException(REFUSED) from None
    sheets = read_sheets(data, ending)
    # Centres keep every form as the .xlsx that the office offers for download.
    workbook = data if ending == ".xlsx" else sheets.to_xlsx()
    with opened() as (session, _):
        actor = Actor.system(centre_named(session, slug).id)
        problems = list_publish_problems(session, actor.centre_id, compiled.definition, WorkbookEditor(sheets), workbook)
        if problems:
            _say(problems)
            raise click.ClickException(REFUSED)
        version = publish_form(session, actor, compiled=compiled, workbook=workbook, files=zip_lists(files))
    click.echo(f"{version.form} {version.version} is published for {slug}.")


def _say(problems: Sequence[FormProblem]) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)


def _say_what_will_lack(data: bytes, ending: str, slug: str) -> None:
    """Name what the centre will refuse too, once the errors of a form are corrected."""
    try:
        book = WorkbookEditor(read_sheets(data, ending))
    except FormRefused:
        return  # no workbook at all
    with opened() as (session, _):
        _say(list_reasons_to_come(session, centre_named(session, slug).id, book))
