"""Chains: a record with the records that follow it up, of which the latest word counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.record_state import RecordState, load_states
from fieldapp.store.records import records
from forms.roles import FOLLOWED, FormRole


@dataclass(frozen=True)
class Chain:
    """A record and its follow-ups, by their days."""

    first: RecordState
    later: Sequence[RecordState] = ()

    def find_latest(self, role: str) -> RecordState:
        """Return which record answers the question with a role last; the first where none does."""
        for state in reversed(self.later):
            if state.read_role(role):
                return state
        return self.first

    def read_role(self, role: str) -> str:
        """Return the last answer to the question with a role; "" when there is none."""
        return self.find_latest(role).read_role(role)

    def list_answers(self, role: str) -> list[str]:
        """Return every answer to the question with a role, the first record's first."""
        answers = [state.read_role(role) for state in (self.first, *self.later)]
        return [answer for answer in answers if answer]

    def is_ended(self, role: str, choice_role: str) -> bool:
        """Say whether the last word about its state is one that ends it.

        A correction that ends the first record is the last word where it was finished after all follow-ups. One
        that leaves the state as it was says nothing about it.
        """
        if self.first.is_chosen(role, choice_role) and self._is_corrected_last():
            return True
        return self.find_latest(role).is_chosen(role, choice_role)

    def _is_corrected_last(self) -> bool:
        finished = self.first.finished_on
        if finished is None or list(self.first.heads) == [self.first.root_id]:
            return False
        return all(state.finished_on is None or state.finished_on <= finished for state in self.later)


def make_chains(ctx: ActContext, states: Sequence[RecordState]) -> list[Chain]:
    """Return records with what follows them up."""
    expected: dict[str, FormRole] = {}  # the role that a follow-up of a record has
    for state in states:
        for follow_up_role, followed_role in FOLLOWED.items():
            if state.definition.role == followed_role:
                expected[state.root_id] = follow_up_role
    later: dict[str, list[RecordState]] = {}
    if expected:
        for visit in load_states(ctx, records.list_following(ctx.session, ctx.centre_id, expected)):
            if visit.definition.role == expected[visit.follows]:
                later.setdefault(visit.follows, []).append(visit)
    return [Chain(state, later.get(state.root_id, ())) for state in states]


def load_chains(ctx: ActContext, states: Sequence[RecordState]) -> list[Chain]:
    """Return the chains that records belong to.

    As their first record, or as a follow-up, now or until it was corrected.
    """
    first = [state for state in states if not state.follows]
    followed = {state.follows for state in states} | {state.followed_before for state in states}
    followed -= {"", *(state.root_id for state in states)}
    if followed:
        first += load_states(ctx, records.list_by_ids(ctx.session, ctx.centre_id, followed))
    return make_chains(ctx, first)
