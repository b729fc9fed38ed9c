"""Find what is due by each rule of retention, and erase it."""

from collections.abc import Callable, Collection, Iterator, Sequence

from fieldapp.services.acts import ActContext
from fieldapp.services.consent import answer_times, erasing, old_ends, unlinking
from fieldapp.services.consent.due_rules import MOST_PLANNED, DueRule, Subject
from fieldapp.services.consent.retention_rules import RuleKey
from fieldapp.store.records import tombstones

FINDERS: dict[RuleKey, Callable[[ActContext, DueRule], Iterator[Subject]]] = {
    RuleKey.NOT_TAKEN_IN: erasing.find_not_taken_in,
    RuleKey.FREE_TEXT: answer_times.find_free_text,
    RuleKey.ANSWERS: answer_times.find_answers,
    RuleKey.CONTACT_WISHES: answer_times.find_wishes,
    RuleKey.CARD_LINKS: unlinking.find_links,
    RuleKey.NOTES: old_ends.find_notes,
    RuleKey.WITHDRAWAL_ROUNDS: old_ends.find_rounds,
    RuleKey.WITHDRAWALS: old_ends.find_withdrawals,
    RuleKey.ATTACHMENTS: erasing.find_attachments,
    RuleKey.REFUSAL_TIMES: erasing.find_refusal_times,
    RuleKey.AUDIT: erasing.find_audit,
}
ERASERS: dict[RuleKey, Callable[[ActContext, DueRule, Collection[int]], set[int]]] = {
    RuleKey.NOT_TAKEN_IN: erasing.erase_not_taken_in,
    RuleKey.FREE_TEXT: answer_times.erase_free_text,
    RuleKey.ANSWERS: answer_times.erase_answers,
    RuleKey.CONTACT_WISHES: answer_times.erase_wishes,
    RuleKey.CARD_LINKS: unlinking.erase_links,
    RuleKey.NOTES: old_ends.erase_notes,
    RuleKey.WITHDRAWAL_ROUNDS: old_ends.erase_rounds,
    RuleKey.WITHDRAWALS: old_ends.erase_withdrawals,
    RuleKey.ATTACHMENTS: erasing.erase_attachments,
    RuleKey.REFUSAL_TIMES: erasing.erase_refusal_times,
    RuleKey.AUDIT: erasing.erase_audit,
}


def find_due(ctx: ActContext, due: DueRule) -> list[Subject]:
    """Return what is due by a rule, at most MOST_PLANNED subjects."""
    subjects: list[Subject] = []
    for subject in FINDERS[due.rule.key](ctx, due):
        subjects.append(subject)
        if len(subjects) >= MOST_PLANNED:
            break
    return subjects


def erase_due(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    """Erase those of these subjects that are due now; return their ids."""
    return ERASERS[due.rule.key](ctx, due, ids)


def hash_tags(tags: Sequence[str]) -> str:
    """Return the SHA-256 of sorted tags, one a line: the proof of what was shown, or erased."""
    return tombstones.hash_lines(sorted(tags))
