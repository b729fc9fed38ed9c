"""The OpenRosa door's acts: the forms for ODK Collect, and its submissions, which the same intake decides about."""

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
    """What an OpenRosa client is told: whether all is kept, and why not."""

    is_kept: bool
    code: str = ""
    text: str = ""


@dataclass(frozen=True)
class InstanceRequest:
    """One request of an OpenRosa client: a submission, its attachments, whether all of them are in it."""

    instance: Instance
    xml: bytes
    files: Mapping[str, bytes]
    is_complete: bool
    limits: Limits = DEFAULT

    @property
    def text(self) -> str:
        return decode_xml(self.xml)

    @property
    def sha256(self) -> str:
        """Return the hash of what is kept of the XML: its text, whatever encoding it came in."""
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
    """Take in one submission with its attachments; more of them may follow when it is not whole."""
    sent = InstanceRequest(instance, xml, files, is_complete, limits)
    try:
        return _receive_twice(session, actor, sent)
    except Exception as error:
        if concerns_whole_message(error):
            raise
        note_failure(log, f"a submission of device/{actor.device_id} could not be taken in", error)
    return _receive(session, actor, sent, None)


def _receive_twice(session: Session, actor: Actor, sent: InstanceRequest) -> InstanceResult:
    try:
        return _receive(session, actor, sent, _judge(session, actor, sent))
    except (IntegrityError, TooSlow):  # the same one came by another connection meanwhile: now we see it
        return _receive(session, actor, sent, _judge(session, actor, sent))


def _judge(session: Session, actor: Actor, sent: InstanceRequest) -> Judgements:
    """Return what the form's rules say of it, with the names of its attachments as they will be kept."""
    if not sent.is_complete:
        return Judgements()
    names = attachments.find_client_file_names(session, actor.centre_id, sent.instance.instance_id)
    names |= {name: _make_answer(name, hashlib.sha256(data).hexdigest()) for name, data in sent.files.items()}
    root, prev = _find_corrected_record(session, actor.centre_id, sent.instance)
    finished_at = _find_finished_time(session, actor.centre_id, sent.instance, utcnow())
    return judge_all(session, actor.centre_id, [_make_envelope(sent, names, finished_at, root, prev)])


def _make_answer(name: str, sha256: str) -> str:
    """Return how a record names an attachment."""
    kind = KINDS.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    return f"attachment:{kind}:{sha256}"


def _find_corrected_record(session: Session, centre_id: int, instance: Instance) -> tuple[str, tuple[str, ...]]:
    """Return the record that a submission corrects, "" when it is not here, and what it builds on."""
    before = instance.deprecated_id
    if not before:
        return "", ()
    return submissions.find_record_ids(session, centre_id, [before]).get(before, ""), (before,)


def _make_envelope(
    sent: InstanceRequest, names: Mapping[str, str], finished_at: dt.datetime, root: str, prev: tuple[str, ...]
) -> Envelope:
    instance, body = sent.instance, append_attachment_names(sent.text, dict(names))
    return Envelope(instance.instance_id, instance.form, instance.version, finished_at, body, sent.sha256, root, prev)


@act("instance.receive")
def _receive(ctx: ActContext, sent: InstanceRequest, judgements: Judgements | None) -> InstanceResult:
    """Take it in by what the form's rules said; without that, since it cannot be taken in, keep it aside."""
    instance = sent.instance
    ctx.describe(f"device/{ctx.actor.device_id}", files=len(sent.files))
    ctx.is_audited = bool(sent.files)  # what is sent again and again leaves no line
    assert ctx.actor.device_id is not None
    devices.update_last_contact(ctx.session, ctx.actor.device_id, ctx.now, {})
    version = versions.find(ctx.session, ctx.centre_id, instance.form, instance.version)
    if version is None:
        return InstanceResult(False, "form", N_("The centre does not know this form or this version of it."))
    known = submissions.find_earlier(ctx.session, ctx.centre_id, [instance.instance_id]).get(instance.instance_id, {})
    if known and sent.sha256 not in known:
        return InstanceResult(False, "conflict", N_("The centre has another submission with the same id."))
    if known and known[sent.sha256].is_cut:
        return InstanceResult(True)  # its attachments are not kept either
    for name, data in sent.files.items():
        if not NAME.fullmatch(name) or len(data) > MAX_SIZE:
            return InstanceResult(False, "attachment", N_("An attachment is too large or has an unusable name."))
        answer = _make_answer(name, store_attachment(ctx, data, sent.limits))
        ctx.session.merge(
            AttachmentName(centre_id=ctx.centre_id, instance_id=instance.instance_id, name=name, answer=answer)
        )
    if known or not sent.is_complete:
        return InstanceResult(True)
    ctx.session.flush()
    root, prev = _find_corrected_record(ctx.session, ctx.centre_id, instance)
    if prev and not root:
        return InstanceResult(False, "missing", N_("The submission that it corrects is not with the centre."))
    names = attachments.find_client_file_names(ctx.session, ctx.centre_id, instance.instance_id)
    envelope = _make_envelope(sent, names, _find_finished_time(ctx.session, ctx.centre_id, instance, ctx.now), root, prev)
    arrived = IncomingSubmission(envelope, via=COLLECT)
    if judgements is None:
        (decided,) = store_failed(ctx, arrived, limits=sent.limits)
    else:
        (decided,) = store_submissions(ctx, [arrived], judgements=judgements, limits=sent.limits)
    if decided["status"] in (Status.RETRY, Status.CLOSED):
        problem = decided["problems"][0]
        code = "attachment" if problem["code"] == "sync.attachment_missing" else decided["status"]
        return InstanceResult(False, code, problem["text"])
    ctx.is_audited = True
    return InstanceResult(True)


def _find_finished_time(session: Session, centre_id: int, instance: Instance, now: dt.datetime) -> dt.datetime:
    """Return when it was finished by the phone's clock; when it does not say, when it came."""
    zone = zoneinfo.ZoneInfo(centres.get(session, centre_id).time_zone)
    return parse_moment(read_end_time(instance)) or now.astimezone(zone)
