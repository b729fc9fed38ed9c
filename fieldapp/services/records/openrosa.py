"""Receive the submissions of ODK Collect (OpenRosa), stored like those of our phones."""

import datetime as dt
import hashlib
import logging
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.failures import note_failure
from fieldapp.services.phones.limits import DEFAULT, Limits
from fieldapp.services.problems import N_
from fieldapp.services.records.attachments import MAX_SIZE, store_attachment
from fieldapp.services.records.decisions import IncomingSubmission
from fieldapp.services.records.form_rules import Judgements, judge_all
from fieldapp.services.records.intake import concerns_whole_message, store_failed, store_submissions
from fieldapp.store.forms import versions
from fieldapp.store.operations import centres
from fieldapp.store.phones import devices
from fieldapp.store.records import attachments, submissions
from fieldapp.store.records.attachments import AttachmentName
from fieldapp.store.records.submissions import COLLECT
from fieldapp.store.session import IntegrityError, Session
from forms.budget import TooSlow
from sync.bodies import append_attachment_names
from sync.envelope import Envelope, parse_moment
from sync.intake import Status
from sync.openrosa import Instance, decode_xml, read_end_time

log = logging.getLogger("fieldapp.sync")

KINDS = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "m4a": "audio/mp4", "mp3": "audio/mpeg",
    "amr": "audio/amr", "ogg": "audio/ogg", "wav": "audio/wav", "pdf": "application/pdf", "txt": "text/plain",
}  # fmt: skip
NAME = re.compile(r"[\w .()\-]{1,200}")


@dataclass(frozen=True)
class InstanceResult:
    """What an OpenRosa client gets as an answer: whether everything is stored, and why not."""

    is_kept: bool
    code: str = ""
    text: str = ""


@dataclass(frozen=True)
class InstanceRequest:
    """One request of an OpenRosa client: a submission with some or all of its attachments."""

    instance: Instance
    xml: bytes
    files: Mapping[str, bytes]
    is_complete: bool  # all attachments are in it
    limits: Limits = DEFAULT

    @property
    def text(self) -> str:
        return decode_xml(self.xml)

    @property
    def sha256(self) -> str:
        """Return the hash of what is stored of the XML: its text, whatever encoding it came in."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def receive_openrosa_submission(
    session: Session,
    actor: Actor,
    instance: Instance,
    xml: bytes,
    files: Mapping[str, bytes],
    is_complete: bool,
    limits: Limits = DEFAULT,
) -> InstanceResult:
    """Store one submission with its attachments, or some of them when it is not complete.

    A submission that cannot be stored as usual is quarantined.
    """
    sent = InstanceRequest(instance, xml, files, is_complete, limits)
    try:
        return _judge_and_receive(session, actor, sent)
    except Exception as error:
        if concerns_whole_message(error):
            raise
        note_failure(log, f"a submission of device/{actor.device_id} could not be taken in", error)
    return _receive(session, actor, sent, None)


def _judge_and_receive(session: Session, actor: Actor, sent: InstanceRequest) -> InstanceResult:
    try:
        return _receive(session, actor, sent, _judge(session, actor, sent))
    # Another connection stored the same one meanwhile: now we see it.
    except (IntegrityError, TooSlow):
        return _receive(session, actor, sent, _judge(session, actor, sent))


def _judge(session: Session, actor: Actor, sent: InstanceRequest) -> Judgements:
    """Run the form's rules over it, with the names of its attachments as they will be stored."""
    if not sent.is_complete:
        # Not yet judged: a rule may need an attachment that comes with a later request.
        return Judgements()
    # Also those of earlier requests: Collect sends large attachments one request each.
    names = attachments.find_client_file_names(session, actor.centre_id, sent.instance.instance_id)
    for name, data in sent.files.items():
        names[name] = _make_answer(name, hashlib.sha256(data).hexdigest())
    record_id, prev = _find_corrected_record(session, actor.centre_id, sent.instance)
    finished_at = _find_finished_time(session, actor.centre_id, sent.instance, utcnow())
    envelope = _make_envelope(sent, names, finished_at, record_id, prev)
    return judge_all(session, actor.centre_id, [envelope], sender=actor.device_id)


def _make_answer(name: str, sha256: str) -> str:
    """Return how a record names an attachment."""
    kind = KINDS.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    return f"attachment:{kind}:{sha256}"


def _find_corrected_record(session: Session, centre_id: int, instance: Instance) -> tuple[str, tuple[str, ...]]:
    """Return the record that a submission corrects ("": not here), and what it builds on."""
    earlier = instance.deprecated_id
    if not earlier:
        return "", ()
    return submissions.find_record_ids(session, centre_id, [earlier]).get(earlier, ""), (earlier,)


def _make_envelope(
    sent: InstanceRequest, names: Mapping[str, str], finished_at: dt.datetime, record_id: str, prev: tuple[str, ...]
) -> Envelope:
    instance = sent.instance
    body = append_attachment_names(sent.text, dict(names))
    return Envelope(instance.instance_id, instance.form, instance.version, finished_at, body, sent.sha256, record_id, prev)


@act("instance.receive")
def _receive(ctx: ActContext, sent: InstanceRequest, judgements: Judgements | None) -> InstanceResult:
    """Store a submission by what the form's rules said; without judgements it is quarantined."""
    instance = sent.instance
    ctx.describe(f"device/{ctx.actor.device_id}", files=len(sent.files))
    ctx.is_audited = bool(sent.files)  # what is sent again and again leaves no line
    assert ctx.actor.device_id is not None
    devices.update_last_contact(ctx.session, ctx.actor.device_id, ctx.now, {})
    # Refused and not quarantined: Collect keeps its own copy, and can send it again once the form
    # is here.
    if versions.find(ctx.session, ctx.centre_id, instance.form, instance.version) is None:
        return InstanceResult(False, "form", N_("The centre does not know this form or this version of it."))
    earlier = submissions.find_earlier(ctx.session, ctx.centre_id, [instance.instance_id])
    known_hashes = earlier.get(instance.instance_id, {})
    # Collect never changes an id by itself; another submission under it is somebody's mistake or an
    # attack.
    if known_hashes and sent.sha256 not in known_hashes:
        return InstanceResult(False, "conflict", N_("The centre has another submission with the same id."))
    if known_hashes and known_hashes[sent.sha256].is_cut:
        return InstanceResult(True)  # its attachments are not stored either
    if not _store_files(ctx, sent):
        return InstanceResult(False, "attachment", N_("An attachment is too large or has an unusable name."))
    if known_hashes or not sent.is_complete:
        return InstanceResult(True)
    ctx.session.flush()
    return _store(ctx, sent, judgements)


def _store_files(ctx: ActContext, sent: InstanceRequest) -> bool:
    """Store the attachments; return False at one with an unusable name or size."""
    for name, data in sent.files.items():
        if not NAME.fullmatch(name) or len(data) > MAX_SIZE:
            return False
        answer = _make_answer(name, store_attachment(ctx, data, sent.limits))
        instance_id = sent.instance.instance_id
        ctx.session.merge(AttachmentName(centre_id=ctx.centre_id, instance_id=instance_id, name=name, answer=answer))
    return True


def _store(ctx: ActContext, sent: InstanceRequest, judgements: Judgements | None) -> InstanceResult:
    """Store the submission itself, now that its attachments are here."""
    instance = sent.instance
    record_id, prev = _find_corrected_record(ctx.session, ctx.centre_id, instance)
    # Without the record that it corrects it would be stored as a new one, and the person counted
    # twice.
    if prev and not record_id:
        return InstanceResult(False, "missing", N_("The submission that it corrects is not with the centre."))
    names = attachments.find_client_file_names(ctx.session, ctx.centre_id, instance.instance_id)
    finished_at = _find_finished_time(ctx.session, ctx.centre_id, instance, ctx.now)
    submission = IncomingSubmission(_make_envelope(sent, names, finished_at, record_id, prev), channel=COLLECT)
    if judgements is None:
        (answer,) = store_failed(ctx, submission, limits=sent.limits)
    else:
        (answer,) = store_submissions(ctx, [submission], judgements=judgements, limits=sent.limits)
    if answer["status"] in (Status.RETRY, Status.CLOSED):
        problem = answer["problems"][0]
        code = "attachment" if problem["code"] == "sync.attachment_missing" else answer["status"]
        return InstanceResult(False, code, problem["text"])
    ctx.is_audited = True
    return InstanceResult(True)


def _find_finished_time(session: Session, centre_id: int, instance: Instance, now: dt.datetime) -> dt.datetime:
    """Return when it was finished by the phone's clock; when it does not say, when it arrived."""
    zone = zoneinfo.ZoneInfo(centres.get(session, centre_id).time_zone)
    return parse_moment(read_end_time(instance)) or now.astimezone(zone)
