"""Show what ends when, and rehearse it."""

import datetime as dt

import click

from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor
from fieldapp.services.consent.retention import agree_to_shorten, confirm_hold, rehearse, run_retention, view_retention
from fieldapp.store.operations import centres


@click.group()
def retention() -> None:
    """See what is erased when, and what was."""


@retention.command()
@click.argument("slug")
def show(slug: str) -> None:
    """Show the rules, what goes next, what was erased, and legal holds of the centre SLUG."""
    with opened() as (session, _):
        page = view_retention(session, Actor.system(centre_named(session, slug).id))
    for rule in page.rules.rules:
        days = f"{rule.days} days " if rule.days else ""
        click.echo(f"{rule.key}: {days}{rule.counts_from['en']}. Left: {rule.remains['en']}")
    doubt = page.clock.doubt if page.clock else "the job has not run yet"
    click.echo(f"Clock: {doubt or 'believed'}")
    for plan in page.plans:
        click.echo(f"{plan.goes_at:%Y-%m-%d}: {plan.count} by {plan.rule}. Hash of their tags: {plan.tags_sha256}")
    for plan in page.proofs:
        click.echo(
            f"erased {plan.done_at:%Y-%m-%d}: {plan.erased} of {plan.count} by {plan.rule}, in backups until "
            f"{plan.copies_until}. Hash of their tags: {plan.erased_sha256}"
        )
    current = [hold for hold in page.holds if hold.until >= page.today]
    click.echo(f"Legal holds: {len(current)}")
    for hold in current:
        state = "agreed by two" if hold.confirmed_at else f"nobody else has agreed, so until {hold.alone_until} only"
        if hold.id in page.without_effect:
            state = "the record was preserved before, so not until somebody else agrees"
        click.echo(f"hold {hold.id}: until {hold.until}, {state}")


@retention.command()
@click.option("--rehearse", "is_rehearsal", is_flag=True, help="Count what every rule would erase now; write nothing.")
def run(is_rehearsal: bool) -> None:
    """Plan what is due and erase what was shown for seven days, as the scheduler does."""
    with opened() as (session, _):
        if not is_rehearsal:
            click.echo(f"Erased: {run_retention(session)}. What is due now is shown first.")
            return
        for centre in centres.list_all(session):
            for rehearsed in rehearse(session, Actor.system(centre.id)):
                click.echo(f"{centre.slug}: {rehearsed.count} by {rehearsed.rule.key}")


@retention.command("agree-to-end")
@click.argument("slug")
@click.argument("number", type=int)
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
def agree_to_end(slug: str, number: int, day: dt.datetime) -> None:
    """Agree that legal hold NUMBER of the centre SLUG ends on DAY, as was asked for.

    For where there is no second administrator.
    """
    with opened() as (session, _):
        agree_to_shorten(session, Actor.system(centre_named(session, slug).id), hold_id=number, until=day.date())
    click.echo("Agreed.")


@retention.command()
@click.argument("slug")
@click.argument("number", type=int)
def agree(slug: str, number: int) -> None:
    """Agree to legal hold NUMBER of the centre SLUG, where there is no second administrator."""
    with opened() as (session, _):
        confirm_hold(session, Actor.system(centre_named(session, slug).id), hold_id=number)
    click.echo("Agreed.")
