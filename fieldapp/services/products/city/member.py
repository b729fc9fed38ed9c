"""What a centre does in the City's sum: give its card, join, answer rounds."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evaluator_export.citysum.coordinator import RESULT
from evaluator_export.citysum.letters import CITY
from evaluator_export.citysum.lists import KINDS
from evaluator_export.citysum.member import Member, Numbers
from evaluator_export.citysum.registry import Registry, RoundCall, read_registry, write_card
from evaluator_export.problems import ExportProblem
from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.keys import load_package_seed
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products.city.box import Box, OpenRound, name_letter
from fieldapp.services.products.city.diary import Diary
from fieldapp.services.products.city.numbers import check_layouts, load_specs, make_layouts, make_words, read_numbers
from fieldapp.services.products.tables import get_local_today
from fieldapp.settings import Settings
from fieldapp.store.database import ReadTransaction
from fieldapp.store.operations.centres import Centre
from fieldapp.store.session import Session


@dataclass(frozen=True)
class RoundAnswer:
    """What a centre did in one round.

    `sent`: the letters of this run. `refusal`: why it stopped, "" where it did not.
    """

    period: str
    attempt: int
    sent: tuple[str, ...]
    refusal: str
    is_over: bool


def make_card(session: Session, settings: Settings, centre: Centre, name: str) -> str:
    """Return the centre's card, signed with the key of its packages."""
    key = _load_key(session, settings, centre)
    with ReadTransaction(session):
        specs = load_specs(session, centre.id)
        words = make_words(session, centre.id, specs)
    public = key.public_key().public_bytes_raw().hex()
    return write_card(name, centre.name, public, make_layouts(specs), words, key.sign)


def _load_key(session: Session, settings: Settings, centre: Centre) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(load_package_seed(session, centre.id, settings.key()))


@act("city.join")
def join_city(ctx: ActContext, settings: Settings, centre: Centre, registry_text: str, box: Path) -> str:
    """Write the City's list into the diary; return the centre's name in it.

    Raise ActProblem "city.not_listed", or ExportProblem for a list that is not safe or counts otherwise.
    """
    registry = read_registry(registry_text)
    check_layouts(ctx.session, ctx.centre_id, registry)
    public = _load_key(ctx.session, settings, centre).public_key().public_bytes_raw().hex()
    names = [name for name, key in registry.keys.items() if key == public]
    if not names:
        raise ActProblem(
            "city.not_listed", N_("The City's list has no centre with this centre's key. Give the City your card.")
        )
    diary = Diary(settings, centre)
    with diary.open() as content:
        # From the first time on: a diary that begins later has forgotten what was signed before.
        content.setdefault("since", get_local_today(centre, ctx.now).isoformat())
        content |= {"name": names[0], "registry": registry_text, "box": str(box.resolve())}
        diary.save()
    ctx.describe(f"centre/{ctx.centre_id}", centres=len(registry.keys))
    return names[0]


def answer_rounds(session: Session, settings: Settings, centre: Centre) -> list[RoundAnswer]:
    """Answer what can be answered now in each round; return what was done.

    Raise ActProblem "city.not_joined". Killed at any moment, the next run sends the same letters.
    """
    key = _load_key(session, settings, centre)
    diary = Diary(settings, centre)
    with diary.open() as content:
        if "registry" not in content:
            raise ActProblem("city.not_joined", N_("This centre has not joined: fieldapp city join"))
        registry = read_registry(content["registry"])
        member = Member(content["name"], registry, content, key.sign)
        box = Box(Path(content["box"]))
        return [_answer_round(session, centre, diary, member, box, open_round) for open_round in box.list_rounds(registry)]


def _answer_round(
    session: Session, centre: Centre, diary: Diary, member: Member, box: Box, open_round: OpenRound
) -> RoundAnswer:
    call = open_round.call
    inbox = dict(open_round.inbox)
    sent = _post_letters(member, call, box)  # what a run that was killed had only saved
    refusal = ""
    if (RESULT, CITY) not in inbox:
        try:
            kind = _write_next(session, centre, diary, member, call, inbox)
            while kind is not None:
                sent += _post_letters(member, call, box)
                inbox[kind, member.name] = member.list_letters(call)[kind]
                kind = _write_next(session, centre, diary, member, call, inbox)
        except ExportProblem as problem:
            refusal = str(problem)
    return RoundAnswer(call.period, call.attempt, tuple(sent), refusal, (RESULT, CITY) in inbox)


def _write_next(
    session: Session, centre: Centre, diary: Diary, member: Member, call: RoundCall, inbox: dict[tuple[str, str], str]
) -> str | None:
    def read(called: RoundCall) -> Numbers:
        return give_numbers(session, Actor.system(centre.id), registry=member.registry, call=called)

    kind = member.write_next(call, inbox, read)
    # For good, before anything is sent: what was sent and forgotten could be said twice, in two ways.
    diary.save()
    return kind


def _post_letters(member: Member, call: RoundCall, box: Box) -> list[str]:
    letters = member.list_letters(call)
    kinds = [kind for kind in KINDS if kind in letters]
    return [kind for kind in kinds if box.post(name_letter(call, kind, member.name), letters[kind])]


@act("city.give_numbers")
def give_numbers(ctx: ActContext, registry: Registry, call: RoundCall) -> Numbers:
    """Return the centre's numbers for a round; they leave the server only under masks."""
    numbers = read_numbers(ctx.session, ctx.centre_id, registry, call)
    ctx.describe(f"city/{call.period}", attempt=call.attempt, cells=len(numbers.counts))
    return numbers
