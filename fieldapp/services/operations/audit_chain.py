"""Check the chains of hashes through the audit log: a changed or missing line is found.

Who can write to the database could compute a whole new chain. So its end is also where they cannot change it (an
anchor): in each package that was handed out, and in each backup.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from fieldapp.services.acts import utcnow
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import audit, centre_log, centres
from fieldapp.store.operations.audit import AuditEvent, AuditHead, AuditLine
from fieldapp.store.phones import devices
from fieldapp.store.releases import releases
from fieldapp.store.session import Session

AT_ONCE = 2000
TAKEN_OUT = re.compile(r"record/[0-9a-f]{36}")


class Fault(StrEnum):
    """What is wrong with a line; the values are stored."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    REWRITTEN = "rewritten"  # the chain is whole, and another one than that of which somebody keeps a link


@dataclass
class ChainReport:
    """What a check of one chain found."""

    centre_id: int  # 0: lines of no centre
    lines: int = 0
    last: int = 0  # the number of the last line
    link: str = ""  # of the last line, hexadecimal
    erased: int = 0  # lines that retention deleted
    taken_out: int = 0  # lines whose target was taken out, since a record or a card is no more
    fault: Fault | None = None
    fault_at: int = 0  # the number of the first line that is wrong
    anchors: dict[str, int] = field(default_factory=dict)  # links that somebody keeps → number of their line
    not_found: list[str] = field(default_factory=list)  # such links that no line has; their lines may be erased


class _ChainFault(Exception):
    def __init__(self, fault: Fault, number: int):
        super().__init__(fault)
        self.fault = fault
        self.number = number


def check_chain(
    session: Session, of_centre: int, anchors: Collection[str] = (), looked_for: Collection[str] = ()
) -> ChainReport:
    """Return what is right and wrong with the chain of a centre (0: the lines of no centre).

    `anchors`: links of this chain, hexadecimal, that somebody else keeps. `looked_for`: links that may be of another.
    """
    head = audit.find_head(session, of_centre)
    report = ChainReport(of_centre)
    walk = _Walk(report, _list_erasures(session, of_centre), anchors, looked_for)
    try:
        for line in _list_lines(session, of_centre, head.number if head else 0):
            walk.check(line)
        walk.finish(head)
        _check_what_no_link_has(session, of_centre)
    except _ChainFault as problem:
        report.fault = problem.fault
        report.fault_at = problem.number
    report.last = walk.number
    report.link = walk.link.hex()
    return report


def _check_what_no_link_has(session: Session, of_centre: int) -> None:
    """Check that no line lies beside the chain: beyond its end, or without a number.

    Who deletes the end of the chain would else hide all of it.
    """
    added = audit.find_unchained(session, of_centre)
    if added is not None:
        raise _ChainFault(Fault.ADDED, added)
    newest = audit.find_last_number(session, of_centre)
    # Asked for after the lines: each transaction moves the end with the lines that it adds.
    session.expire_all()
    head = audit.find_head(session, of_centre)
    if head is None and newest:
        raise _ChainFault(Fault.MISSING, newest + 1)
    if head is not None and newest > head.number:
        raise _ChainFault(Fault.ADDED, head.number + 1)


def _list_lines(session: Session, of_centre: int, last: int) -> Iterator[AuditEvent]:
    """Yield the lines of a chain up to its end as it is now; more may come meanwhile."""
    number = 0
    while True:
        page = audit.list_chained(session, of_centre, number, AT_ONCE)
        yield from [line for line in page if line.number is not None and line.number <= last]
        if len(page) < AT_ONCE or (page[-1].number or 0) >= last:
            return
        number = page[-1].number or 0
        session.expunge_all()


def _list_erasures(session: Session, of_centre: int) -> dict[int, tuple[int, bytes]]:
    """Return which numbers were erased: first → last, and the link of the last.

    The lines that say so are of the chain, and are checked as all others are.
    """
    erased: dict[int, tuple[int, bytes]] = {}
    for line in audit.list_erasures(session, of_centre):
        if line.number is None:
            continue
        for first, last, link in line.details.get("ranges", []):
            erased[first] = (last, bytes.fromhex(link))
    return erased


class _Walk:
    """Goes through the lines of a chain by number."""

    def __init__(
        self,
        report: ChainReport,
        erased: Mapping[int, tuple[int, bytes]],
        anchors: Collection[str],
        looked_for: Collection[str],
    ):
        self.report = report
        self.erased = erased
        self.anchors = set(anchors)
        self.looked_for = {*anchors, *looked_for}
        self.number = 0
        self.link = audit.START

    def check(self, line: AuditEvent) -> None:
        number = line.number or 0
        self._pass_erased(number)
        if number <= self.number:
            raise _ChainFault(Fault.ADDED, number)
        if number > self.number + 1:
            raise _ChainFault(Fault.MISSING, self.number + 1)
        target_hash = line.target_hash or b""
        content = AuditLine(line.at, line.act, line.centre_id, line.actor_id, line.device_id, line.target, line.details)
        link = audit.compute_link(self.link, number, content, target_hash)
        if link != line.link or not self._is_target_right(line, target_hash):
            raise _ChainFault(Fault.CHANGED, number)
        self._move(number, link)
        self.report.lines += 1

    def _is_target_right(self, line: AuditEvent, target_hash: bytes) -> bool:
        if line.salt is not None:
            return audit.hash_target(line.salt, line.target) == target_hash
        self.report.taken_out += 1
        return TAKEN_OUT.fullmatch(line.target) is not None

    def _pass_erased(self, until: int) -> None:
        """Go past the lines before a number that retention erased."""
        while self.number + 1 < until and self.number + 1 in self.erased:
            last, link = self.erased[self.number + 1]
            self.report.erased += last - self.number
            self._move(last, link)

    def _move(self, number: int, link: bytes) -> None:
        self.number = number
        self.link = link
        if link.hex() in self.looked_for:
            self.report.anchors[link.hex()] = number

    def finish(self, head: AuditHead | None) -> None:
        """Check that the chain ends where its head says, and has every kept link."""
        last = head.number if head else 0
        self._pass_erased(last + 1)
        if self.number < last:
            raise _ChainFault(Fault.MISSING, self.number + 1)
        if head is not None and head.link != self.link:
            raise _ChainFault(Fault.CHANGED, last)
        self.report.not_found = sorted(self.anchors - self.report.anchors.keys())
        if self.report.not_found and not self.report.erased:
            raise _ChainFault(Fault.REWRITTEN, max(self.report.anchors.values(), default=0) + 1)


def check_all_chains(session: Session, looked_for: Collection[str] = ()) -> list[ChainReport]:
    """Check every chain, note what was found for the office's home, and return it.

    With the links in the packages of each centre. `looked_for`: links of any centre, of which it is only said
    whether a line has them.
    """
    reports = []
    centre_ids = {head.centre_id for head in audit.list_heads(session)} | {centre.id for centre in centres.list_all(session)}
    for of_centre in sorted(centre_ids):
        report = check_chain(session, of_centre, _list_links_of_packages(session, of_centre), looked_for)
        reports.append(report)
        with WriteTransaction(session):
            audit.note_check(session, of_centre, utcnow(), report.fault or "", report.fault_at)
    return reports


def _list_links_of_packages(session: Session, of_centre: int) -> list[str]:
    packages = releases.list_for(session, of_centre) if of_centre else []
    return [str(package.manifest["audit"]) for package in packages if "audit" in package.manifest]


def list_links_of_phones(session: Session) -> dict[int, dict[str, int]]:
    """Return the links that phones heard days ago and say now: centre → link → a phone's id.

    Not those from before a restore: the lines that were written after the backup are gone, which a line says.
    """
    of_centres: dict[int, dict[str, int]] = {}
    for centre in centres.list_all(session):
        epoch = centre_log.read_epoch(session, centre.id)
        links: dict[str, int] = {}
        for device in devices.list_for(session, centre.id):
            heard_in, _, link = str(device.report.get("audit", "")).partition(":")
            if heard_in == str(epoch):
                links[link] = device.id
        of_centres[centre.id] = links
    return of_centres


def describe_faults(reports: Sequence[ChainReport]) -> list[str]:
    """Return a sentence for each chain in which something is wrong."""
    sentences = []
    for report in reports:
        if report.fault:
            whose = f"centre {report.centre_id}" if report.centre_id else "no centre"
            sentences.append(f"The audit log of {whose} is not as it was written: line {report.fault_at} is {report.fault}.")
    return sentences
