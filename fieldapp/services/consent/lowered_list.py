"""What people lowered, on the list outside the database: no restored copy raises it.

By slip and in the office a line is written before the change counts; of what was said in a talk, within a minute after
it came. A line has a tag of the statement, a moment, and the statement, sealed with the server's secret key.
"""

import base64
import datetime as dt
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.caseload.cards import show_standing
from fieldapp.services.consent import standing
from fieldapp.services.consent.forgotten import ForgottenList, find_list
from fieldapp.services.consent.line_file import parse_line, write_line
from fieldapp.services.consent.retention_rules import load_rules
from fieldapp.services.consent.standing import BY_HAND, ConsentStatement
from fieldapp.store.consent import standing as words
from fieldapp.store.consent import withdrawals
from fieldapp.store.consent.withdrawals import EndedKind
from fieldapp.store.operations import centres, epochs
from fieldapp.store.session import Session
from sync.envelope import SpokenConsent

SLACK = dt.timedelta(hours=1)  # a line may be older than a copy in which its change is not yet


@dataclass(frozen=True)
class LoweredLine:
    """That a person of a centre lowered their consent at a moment."""

    centre_id: int
    tag: str  # of the statement
    at: dt.datetime
    sealed: bytes


def note_statement(ctx: ActContext, person: str, tier: int, how: str) -> str:
    """Let a person allow less by their slip, or at the office; return the id of the statement.

    It is on the list before it counts. Raises ActProblem when it would allow more than stands, when the list cannot be
    written, or when the secret key is missing.
    """
    statement = standing.make_lowering(ctx, person, tier, how)
    forgotten = find_list(ctx.session)
    tag = forgotten.tag_statement(ctx.centre_id, statement.root_id, tier)
    _add(forgotten, ctx.centre_id, tag, ctx.now, statement)
    standing.save_statements(ctx.session, ctx.centre_id, [statement], ctx.now)
    show_standing(ctx, {person})
    return statement.root_id


def list_lowered_in_talks(session: Session) -> int:
    """Write on the list what lowered consent and is not there yet.

    Returns how many lines. Only of the time for which there are backups: no older copy can come back.
    """
    forgotten = find_list(session)
    added = 0
    tags = {line.tag for line in _read(forgotten)}
    since = utcnow() - load_rules().copies
    for centre_id in [centre.id for centre in centres.list_all(session)]:
        for lowered_at, statement in standing.list_lowering(session, centre_id, since):
            tag = forgotten.tag_statement(centre_id, statement.statement_id, statement.tier)
            if tag not in tags:
                _add(forgotten, centre_id, tag, lowered_at, statement)
                added += 1
    return added


def lower_listed(session: Session) -> int:
    """Lower what a kill kept out of the database; return how many people's consent.

    Only what somebody lowered by slip or in the office: a talk is listed after it counted.
    """
    return _lower(session, [line for line in _open_lines(session) if line[1].how in BY_HAND])


def lower_again(session: Session, copied_at: dt.datetime) -> int:
    """Lower in a restored copy what people lowered after it was made; return how many.

    To be called before anybody can read the copy.
    """
    return _lower(session, [line for line in _open_lines(session) if line[0].at >= copied_at - SLACK])


def lower_since_restore(session: Session) -> int:
    """Lower what people lowered between a backup and its restore.

    For a list that could not be read while it was restored. Returns the number of that restore; 0 where no backup was
    ever restored, or not all places of the list can be read now.
    """
    restored = epochs.last_restore(session)
    forgotten = find_list(session)
    if restored is None or not (forgotten.second is None or forgotten.level()):
        return 0
    since = restored.copied_at - SLACK
    _lower(session, [line for line in _open_lines(session) if since <= line[0].at <= restored.began_at])
    return restored.number


def _lower(session: Session, lines: Iterable[tuple[LoweredLine, ConsentStatement]]) -> int:
    centre_ids = [centre.id for centre in centres.list_all(session)]
    lowered = 0
    for line, statement in lines:
        if line.centre_id in centre_ids and _is_missing(session, line.centre_id, statement):
            _lower_listed(session, Actor.system(line.centre_id), line=line, statement=statement)
            lowered += 1
    return lowered


@act("consent.lower_listed")
def _lower_listed(ctx: ActContext, line: LoweredLine, statement: ConsentStatement) -> None:
    """Let a statement of the list count, as it did when it was made."""
    centres.lock_words(ctx.session, ctx.centre_id)
    if not _is_missing(ctx.session, ctx.centre_id, statement):
        ctx.skip_audit()
        return
    standing.save_statements(ctx.session, ctx.centre_id, [statement], ctx.now)
    show_standing(ctx, {statement.person})
    ctx.describe(f"lowered/{line.tag}", tier=statement.tier)


def _is_missing(session: Session, centre_id: int, statement: ConsentStatement) -> bool:
    """Say whether a statement does not count, though its person's card goes on."""
    card_tag = find_list(session).tag_card(centre_id, statement.person)
    for kind in (EndedKind.CARD, EndedKind.UNLINKED):
        if withdrawals.find_ended(session, centre_id, kind, [card_tag]):
            return False
    word = words.find_word(session, centre_id, statement.person, {statement.root_id, statement.statement_id})
    return word is None or word.tier > statement.tier


# The lines.


def _add(forgotten: ForgottenList, centre_id: int, tag: str, at: dt.datetime, statement: ConsentStatement) -> None:
    spoken = statement.spoken or SpokenConsent()
    values = {
        "person": statement.person,
        "root": statement.root_id,
        "statement": statement.statement_id or statement.root_id,
        "tier": statement.tier,
        "finished_at": statement.finished_at.isoformat(),
        "knew": list(spoken.knew),
        "wording": spoken.wording,
        "language": spoken.language,
        "how": statement.how,
    }
    sealed = base64.b64encode(forgotten.seal(json.dumps(values))).decode()
    moment = at.astimezone(dt.UTC).isoformat(timespec="seconds")
    # Not called "tag", by which earlier versions know the line of an end.
    forgotten.add_text(write_line({"centre": centre_id, "lowered": tag, "at": moment, "sealed": sealed}))


def _read(forgotten: ForgottenList) -> list[LoweredLine]:
    """Return the lines of what was lowered, in the order of time."""
    lines = [_parse(parse_line(text) or {}) for text in forgotten.read_texts()]
    return sorted((line for line in lines if line is not None), key=lambda line: line.at)


def _parse(values: Mapping[str, Any]) -> LoweredLine | None:
    try:
        at = dt.datetime.fromisoformat(values["at"]).astimezone(dt.UTC)
        return LoweredLine(int(values["centre"]), str(values["lowered"]), at, base64.b64decode(values["sealed"]))
    except (ValueError, TypeError, KeyError):
        return None


def _open_lines(session: Session) -> list[tuple[LoweredLine, ConsentStatement]]:
    """Return the lines that this server's key opens, with their statements, by time.

    Left out is a line whose tag is of another centre or statement: somebody put together what does not belong.
    """
    forgotten = find_list(session)
    opened = []
    for line in _read(forgotten):
        text = forgotten.open(line.sealed)
        if text is None:
            continue
        statement = _read_statement(json.loads(text))
        tag = forgotten.tag_statement(line.centre_id, statement.statement_id, statement.tier)
        if hmac.compare_digest(tag, line.tag):
            opened.append((line, statement))
    return opened


def _read_statement(values: Mapping[str, Any]) -> ConsentStatement:
    """Return the statement of a line.

    It says that nobody was asked, so it cannot raise anything.
    """
    return ConsentStatement(
        values["root"],
        values["person"],
        values["tier"],
        False,
        dt.datetime.fromisoformat(values["finished_at"]),
        0,
        statement_id=values["statement"],
        spoken=SpokenConsent(tuple(values["knew"]), values["wording"], values["language"]),
        how=values["how"],
    )
