"""What is said about consent in a submission whose record is gone counts all the same.

Nothing else of it is stored. It can only allow less: it names no record, so nobody could see what a yes
was about.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.cards import show_standing
from fieldapp.services.consent import standing
from fieldapp.services.consent.ending import end_person, tag_records
from fieldapp.services.consent.refusals import (
    DecidedSubmission,
    read_answers,
    read_person,
    read_refused_tier,
    says_for_good,
)
from fieldapp.services.consent.standing import make_refusal
from fieldapp.services.definitions import load_definition
from fieldapp.store.consent.standing import LATE
from fieldapp.store.consent.withdrawals import Withdrawal
from fieldapp.store.forms import versions
from forms.consent import goes_on_as_before
from forms.definition import FormDefinition
from sync.envelope import SpokenConsent
from sync.notes import is_caseload_note, plain_code


@dataclass(frozen=True)
class LateWord:
    """What somebody with a living card said in a submission of which nothing is stored."""

    submission: DecidedSubmission  # as it came
    person: str  # card code without dashes
    tier: int
    is_end: bool  # the card ends now; else somebody at the centre has to end it

    def end(self, ctx: ActContext) -> Withdrawal | None:
        """End the card where the person took everything back."""
        if not self.is_end:
            return None
        return end_person(ctx, self.person, "form")


def read_late_words(
    ctx: ActContext, item: DecidedSubmission, definition: FormDefinition | None, ended: Collection[str]
) -> list[LateWord]:
    """Return what a submission of a record that is gone says about consent.

    One word for each person, or none. `ended`: the codes of ended cards that it names; nothing is said of those.
    """
    if is_caseload_note(item.envelope):
        return []
    if definition is None:
        # Its version has not come: what another version asks about consent says enough.
        latest = versions.latest(ctx.session, ctx.centre_id, item.envelope.form)
        definition = load_definition(latest) if latest else None
    tier = _read_tier(ctx, item, definition)
    if tier is None or tier >= standing.HIGHEST:
        return []
    refused_by = plain_code(item.decision.refused_by)
    persons = _find_persons(ctx, item, definition)
    is_usable = not item.decision.problems and definition is not None
    late_words = []
    for person in sorted(persons.difference(ended)):
        is_end = tier == standing.END and is_usable and person == refused_by
        late_words.append(LateWord(item, person, tier, is_end))
    return late_words


def find_slip_person(
    ctx: ActContext, item: DecidedSubmission, definition: FormDefinition | None, gone: Collection[str]
) -> str:
    """Return the card that a slip shows which came with a version of a record that is gone.

    "" for none: nobody said yes in it, it cannot be used, or nobody can tell who it was. `gone`: the codes of cards that
    ended, or that the centre does not know any more.
    """
    if definition is None or item.decision.problems or is_caseload_note(item.envelope):
        return ""
    tier = _read_tier(ctx, item, definition)
    persons = sorted(_find_persons(ctx, item, definition).difference(gone))
    if tier is None or tier <= standing.LOWEST or len(persons) != 1:
        return ""
    return persons[0]


def _find_persons(ctx: ActContext, item: DecidedSubmission, definition: FormDefinition | None) -> set[str]:
    """Return the cards whose people a submission of a record that is gone is about."""
    persons = {plain_code(item.decision.refused_by), read_person(item.envelope.body, definition)} - {""}
    if persons:
        return persons
    # A correction may leave the card out; then the person is the one that the record named before.
    record_tag = tag_records(ctx, [item.envelope.record])[item.envelope.record]
    return {standing.find_person(ctx.session, ctx.centre_id, record_tag)} - {""}


def _read_tier(ctx: ActContext, item: DecidedSubmission, definition: FormDefinition | None) -> int | None:
    """Return how far consent reaches by a submission; None where it says nothing."""
    if item.decision.refused_by:
        return read_refused_tier(ctx, item)
    if definition is None:
        return None
    if item.decision.is_refusal:
        return standing.LOWEST if says_for_good(definition, item.envelope.body) else None
    answers = item.decision.answers or read_answers(item.envelope.body, definition)
    if goes_on_as_before(definition, answers):
        return None
    consent = standing.read_consent(definition, answers)
    return consent[0] if consent else None


def save_late_words(ctx: ActContext, spoken: Sequence[tuple[LateWord, int]]) -> None:
    """Let late words lower what stands.

    Each comes with the position of its submission in the log. The word of a shut-out phone waits, as any does.
    """
    statements = []
    for word, position in spoken:
        item = word.submission
        refusal = make_refusal(word.person, item.envelope.finished_at, position, item.is_of_shut_out_phone, word.tier)
        how_spoken = item.envelope.consent or SpokenConsent()
        # What its writer knew of names the record that is gone. So it settles nothing, and is asked about again.
        statements.append(replace(refusal, spoken=replace(how_spoken, knew=()), how=LATE))
    standing.save_statements(ctx.session, ctx.centre_id, statements, ctx.now)
    show_standing(ctx, {statement.person for statement in statements if not statement.waits})
