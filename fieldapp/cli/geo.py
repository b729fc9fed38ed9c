"""Bring in outlines of areas."""

from pathlib import Path

import click

from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor
from fieldapp.services.forms.areas import import_areas
from fieldapp.services.forms.roles import find_area_list


@click.group()
def geo() -> None:
    """Bring in outlines of areas, for phones to find where they are without keeping the place."""


@geo.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--list", "key", default="", help="The choice list whose names are the codes; else that of neighbourhoods.")
@click.option("--code", default="AREA_SHORT_CODE", show_default=True, help="The property with the code of an area.")
@click.option("--attribution", required=True, help="The line that the data's licence asks for.")
@click.option("--centre", "slug", required=True, help="The centre whose phones get them.")
def bring(file: Path, key: str, code: str, attribution: str, slug: str) -> None:
    """Bring in FILE, GeoJSON or TopoJSON in degrees."""
    with opened() as (session, _):
        centre = centre_named(session, slug)
        key = key or find_area_list(session, centre.id)
        count, missing = import_areas(
            session, Actor.system(centre.id), key=key, data=file.read_bytes(), code=code, attribution=attribution
        )
    click.echo(f"{count} areas. Phones of {slug} fetch them at their next contact.")
    if missing:
        click.echo(f"Without an outline, to be chosen by hand: {', '.join(missing)}")
