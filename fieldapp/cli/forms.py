"""Publish a form from the command line."""

from pathlib import Path

import click

from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor
from fieldapp.services.forms.published import publish_form
from fieldapp.store.forms.list_files import zip_lists
from forms.isolation import compile_isolated
from forms.problems import FormRefused
from forms.sheets import read_sheets


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
    files = {path.name: path.read_bytes() for path in lists}
    try:
        compiled = compile_isolated(data, file.suffix.lower(), files)
    except FormRefused as refused:
        for problem in refused.problems:
            click.echo(str(problem), err=True)
        raise click.ClickException("The form was not published.") from None
    workbook = data
    if file.suffix.lower() != ".xlsx":
        # Centres keep every form as the .xlsx that the office offers for download.
        workbook = read_sheets(data, file.suffix.lower()).to_xlsx()
    with opened() as (session, _):
        actor = Actor.system(centre_named(session, slug).id)
        version = publish_form(session, actor, compiled=compiled, workbook=workbook, files=zip_lists(files))
    click.echo(f"{version.form} {version.version} is published for {slug}.")
