"""Totals of partner organizations, shown beside the centre's own numbers."""

import hashlib
from collections.abc import Sequence

from evaluator_export.formulas import RISKY
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.products.partner_totals import read_partner
from fieldapp.services.acts import ActContext, act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import check_revision, mark_of, require, revision_of
from fieldapp.store.operations import centres
from fieldapp.store.products import products as store
from fieldapp.store.products.products import PartnerSource

MOST_REASONS = 20  # of what is wrong in one file
NAME_LENGTH = 120  # characters, as the database holds


class PartnerRefused(ActProblem):
    """Something is wrong in a file with a partner's totals; `reasons` say what, by row."""

    def __init__(self, reasons: Sequence[Reason]):
        super().__init__("partner.refused", N_("Nothing was imported. Correct this in the file and choose it again:"))
        self.reasons = reasons

    def __str__(self) -> str:
        return "\n".join([self.text, *(str(reason) for reason in self.reasons)])


@act("partner.import")
def import_partner_totals(ctx: ActContext, name: str, calendar: str, data: bytes, seen: str | None = None) -> int:
    """Save a partner's totals in place of its earlier ones; return how many figures.

    `calendar`: how the partner counts time, in words. `data`: a CSV file.
    Raise ActProblem "partner.incomplete", or PartnerRefused with everything wrong in the file.
    """
    name = name.strip()[:NAME_LENGTH]
    calendar = calendar.strip()[:NAME_LENGTH]
    # Both reach spreadsheets, where a text that starts like a formula would run.
    is_risky = name.startswith(RISKY) or calendar.startswith(RISKY)
    if not name or not calendar or is_risky:
        raise ActProblem("partner.incomplete", N_("Name the organisation, and the calendar by which it counts."))
    try:
        figures = read_partner(data, ctx.now.date())
    except ExportProblem as problem:
        raise PartnerRefused(problem.reasons[:MOST_REASONS]) from None
    # Two imports of a new name lock no row of it, since there is none yet; so they lock the centre.
    centres.lock(ctx.session, ctx.centre_id)
    revision = partners_revision(store.partners(ctx.session, ctx.centre_id))
    require(ctx, seen, revision, f"partner/{name}", ("partner.import", "partner.remove"))
    source = store.partner(ctx.session, ctx.centre_id, name) or PartnerSource(centre_id=ctx.centre_id, name=name)
    source.calendar = calendar
    source.figures = [figure.as_json() for figure in figures]
    source.brought_at = ctx.now
    source.sha256 = hashlib.sha256(data).hexdigest()
    ctx.session.add(source)
    ctx.describe(f"partner/{name}", figures=len(figures))
    return len(figures)


@act("partner.remove")
def remove_partner(ctx: ActContext, name: str, seen: str | None = None) -> None:
    """Delete a partner's totals; raise ActProblem "access.not_found"."""
    source = store.partner(ctx.session, ctx.centre_id, name)
    if source is None:
        raise make_not_found()
    check_revision(ctx, seen, source, f"partner/{name}", ("partner.import", "partner.remove"))
    ctx.session.delete(source)
    ctx.describe(f"partner/{name}")


def partners_revision(partners: Sequence[PartnerSource]) -> str:
    """Return the mark of all partners' totals."""
    # Of all, because a page cannot say beforehand whose file will be imported: the name is typed in.
    return mark_of(*(revision_of(source) for source in partners))
