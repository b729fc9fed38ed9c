"""Check the audit log."""

import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from evaluator_export.package import seal
from fieldapp.cli.opening import opened
from fieldapp.services.operations.audit_chain import ChainReport, check_all_chains, describe_faults, list_links_of_phones
from fieldapp.store.operations import centres


@click.group()
def audit() -> None:
    """Check that nobody changed the log of who did what."""


@audit.command()
@click.option(
    "--package",
    "packages",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A package as its recipient has it: the log must go on from where it was then.",
)
@click.option("--link", "links", multiple=True, help="A link that was written down earlier.")
def verify(packages: tuple[Path, ...], links: tuple[str, ...]) -> None:
    """Go through the audit log of each centre.

    Exit status 1 when a line is changed, missing or added.
    """
    names = {0: "Lines of no centre"}
    kept_links = {*links, *(_read_link(package) for package in packages)}
    with opened() as (session, _):
        names |= {centre.id: f"Centre {centre.slug}" for centre in centres.list_all(session)}
        of_phones = list_links_of_phones(session)
        reports = check_all_chains(session, kept_links.union(*of_phones.values()))
    for report in reports:
        click.echo(f"{names.get(report.centre_id, report.centre_id)}: {_describe(report)}")
    faults = describe_faults(reports)
    for report in reports:
        kept_links -= report.anchors.keys()
    for report in reports:
        for line in _compare_with_phones(report, of_phones.get(report.centre_id, {})):
            click.echo(line)
    faults += [f"No line has the link {link}, which somebody kept." for link in sorted(kept_links)]
    for fault in faults:
        click.echo(f"PUT RIGHT: {fault}", err=True)
    if faults:
        sys.exit(1)
    click.echo("All lines are as they were written.")


def _compare_with_phones(report: ChainReport, links: Mapping[str, int]) -> Iterator[str]:
    """Say which phones heard of a line that is not there."""
    there = links.keys() & report.anchors.keys()
    if there:
        yield f"Links that phones heard, and that its lines have: {len(there)}."
    for link in sorted(links.keys() - there):
        # What a phone says of itself is not signed, so that it can be a hint only.
        yield (
            f"LOOK AT: phone {links[link]} heard of a line that is not there. Either somebody rewrote the log, or somebody "
            "spoke in the phone's name, or retention erased the line since."
        )


def _read_link(package: Path) -> str:
    try:
        with zipfile.ZipFile(package) as file:
            manifest = seal.parse_manifest(file.read(seal.MANIFEST))
        return str(manifest["audit"])
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise click.ClickException(f"{package} is no package, or one from before packages kept a link.") from None


def _describe(report: ChainReport) -> str:
    parts = [f"{report.lines} lines in order"]
    if report.erased:
        parts.append(f"{report.erased} erased by the rules of retention")
    if report.taken_out:
        parts.append(f"{report.taken_out} whose record was taken out")
    return f"{', '.join(parts)}. Its last link: {report.link}"
