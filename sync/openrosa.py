"""OpenRosa as ODK Collect speaks it: lists of forms, manifests, and XForm instances.

Written from the OpenRosa specifications (Form List, Form Manifest, Form Submission, Metadata) and from what Collect does
with the replies; see docs/interfaces.md.
"""

import codecs
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from forms.definition import FormDefinition
from sync.envelope import is_random_uuid
from sync.problems import N_, SyncProblem

LIST = "http://openrosa.org/xforms/xformsList"
MANIFEST = "http://openrosa.org/xforms/xformsManifest"
REPLY = "http://openrosa.org/http/response"
MAX_INSTANCE = 1_000_000  # bytes of one submission's XML
MAX_DEPTH = 40
# Encodings whose every text is one text in Unicode; what is declared otherwise is refused, not guessed.
ENCODINGS = {
    "utf-8": "utf-8-sig",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "windows-1252": "cp1252",
    "utf-16": "utf-16",
}
DECLARED = re.compile(r"(?:\ufeff|\xef\xbb\xbf)?<\?xml\s[^>]*?encoding\s*=\s*[\"'](?P<name>[A-Za-z0-9._-]+)[\"']")
ENCODING = N_("The submission is written in an encoding that the centre does not read. Send it as UTF-8.")
TEMPLATE = "{http://openrosa.org/javarosa}template"  # on the empty copy of a repeat
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True)
class ListedForm:
    """A form as it is listed.

    `hash_` has to be that of the bytes behind `url`, or clients fetch it again and again.
    """

    id: str
    name: str
    version: str
    hash_: str
    url: str
    manifest_url: str = ""


@dataclass(frozen=True)
class MediaFile:
    name: str
    data: bytes

    @property
    def hash_(self) -> str:
        return md5(self.data)


@dataclass(frozen=True)
class Instance:
    """A submission as an OpenRosa client sent it."""

    form: str
    version: str
    instance_id: str
    deprecated_id: str  # the submission that it corrects; ""
    root: Element


class InstanceRefused(Exception):
    """XML that is no submission."""

    def __init__(self, problem: SyncProblem):
        super().__init__(problem.text)
        self.problem = problem


def md5(data: bytes) -> str:
    """Return the hash as OpenRosa lists it; it tells changes apart and protects nothing."""
    return f"md5:{hashlib.md5(data, usedforsecurity=False).hexdigest()}"


def make_form_list(forms: Iterable[ListedForm]) -> str:
    rows = []
    for form in forms:
        manifest = f"<manifestUrl>{escape(form.manifest_url)}</manifestUrl>" if form.manifest_url else ""
        rows.append(
            f"<xform><formID>{escape(form.id)}</formID><name>{escape(form.name)}</name><version>{escape(form.version)}</version>"
            f"<hash>{form.hash_}</hash><downloadUrl>{escape(form.url)}</downloadUrl>{manifest}</xform>"
        )
    return f'{HEAD}<xforms xmlns="{LIST}">{"".join(rows)}</xforms>'


def make_media_manifest(files: Sequence[MediaFile], address: str) -> str:
    rows = [
        f"<mediaFile><filename>{escape(file.name)}</filename><hash>{file.hash_}</hash>"
        f"<downloadUrl>{escape(f'{address}/{file.name}')}</downloadUrl></mediaFile>"
        for file in files
    ]
    return f'{HEAD}<manifest xmlns="{MANIFEST}">{"".join(rows)}</manifest>'


def make_openrosa_response(text: str) -> str:
    return f'{HEAD}<OpenRosaResponse xmlns="{REPLY}"><message nature="">{escape(text)}</message></OpenRosaResponse>'


def parse_instance(data: bytes) -> Instance:
    """Return what a submission's XML says.

    Raises InstanceRefused when it is none, hides entities or a bomb, or is written in an encoding that is not read.
    """
    too_large = InstanceRefused(SyncProblem("openrosa.large", N_("This submission is too large.")))
    if len(data) > MAX_INSTANCE:
        raise too_large
    # Checked again after decoding: UTF-16 or Latin-1 can grow when written as UTF-8.
    xml = decode_xml(data).encode()
    if len(xml) > MAX_INSTANCE:
        raise too_large
    try:
        root: Element = fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError, LookupError):
        raise InstanceRefused(SyncProblem("openrosa.xml", N_("The submission is not the XML of a form."))) from None
    # A tree of few bytes can be deep enough to exhaust the stack of what walks it later.
    if _measure_depth(root) > MAX_DEPTH:
        raise InstanceRefused(SyncProblem("openrosa.xml", N_("The submission is not the XML of a form.")))
    meta: dict[str, str] = {}
    for group in root:
        if _get_local_name(group) == "meta":
            meta = {_get_local_name(node): (node.text or "").strip() for node in group}
    instance_id = meta.get("instanceID", "").removeprefix("uuid:")
    deprecated_id = meta.get("deprecatedID", "").removeprefix("uuid:")
    if not is_random_uuid(instance_id) or (deprecated_id and not is_random_uuid(deprecated_id)):
        raise InstanceRefused(SyncProblem("openrosa.id", N_("The submission has no proper instanceID.")))
    form = root.get("id") or root.tag.removeprefix("{").partition("}")[0]
    return Instance(form, root.get("version") or "", instance_id, deprecated_id, root)


def decode_xml(data: bytes) -> str:
    """Return XML as text by its own declaration, which says UTF-8 afterwards.

    Raises InstanceRefused for an encoding that is not read, or bytes that are none of it. Parsing and keeping start from
    this text, so both see the same characters.
    """
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    start = data[:400].decode("utf-16" if is_wide else "latin-1", errors="replace")
    declared = DECLARED.match(start)
    name = "utf-16" if is_wide else "utf-8"
    if declared:
        name = declared["name"].lower()
    encoding = ENCODINGS.get(name)
    # A byte order mark that contradicts the declaration would let two parsers read two different
    # texts.
    if encoding is None or is_wide != (encoding == "utf-16"):
        raise InstanceRefused(SyncProblem("openrosa.encoding", ENCODING))
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise InstanceRefused(SyncProblem("openrosa.encoding", ENCODING)) from None
    text = DECLARED.sub(lambda match: match[0].replace(match["name"], "UTF-8"), text, count=1)
    return text.lstrip("\ufeff \t\r\n")  # a body that begins otherwise is taken for JSON


def _measure_depth(root: Element) -> int:
    deepest = 0
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in node]
    return deepest


def _get_local_name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def read_answers(instance: Instance, definition: FormDefinition) -> dict[str, Any]:
    """Return the answers of an instance as our phones send them.

    Groups are nested, repeats are lists, blank answers are left out.
    """
    return _read_group(instance.root, definition, "/data")


def _read_group(node: Element, definition: FormDefinition, path: str) -> dict[str, Any]:
    elements = {element.name: element for element in definition.children.get(path, ())}
    answers: dict[str, Any] = {}
    for child in node:
        if TEMPLATE in child.attrib:
            continue
        name = _get_local_name(child)
        text = (child.text or "").strip()
        element = elements.get(name)
        if element is None:
            if name not in ("meta", "") and (len(child) or text):
                answers[name] = text or {}  # stored, and refused by name: the form has no such question
        elif element.kind == "repeat":
            answers.setdefault(name, []).append(_read_group(child, definition, element.path))
        elif element.kind == "group":
            answers[name] = {**answers.get(name, {}), **_read_group(child, definition, element.path)}
        elif text:
            answers[name] = text
    if path == "/data":
        return answers
    return {name: value for name, value in answers.items() if value not in ({}, [])}


END = "timeEnd"  # where OpenRosa's metadata say when somebody finished


def add_end_time(xform: str) -> str:
    """Return an XForm that also records when it was finished.

    Rules about days are judged by that time.
    """
    if f"<{END}/>" in xform or "<instanceID/></meta>" not in xform:
        return xform
    bind = f'<bind nodeset="/data/meta/{END}" type="dateTime" jr:preload="timestamp" jr:preloadParams="end"/>'
    noted = xform.replace("<instanceID/></meta>", f"<instanceID/><{END}/></meta>", 1)
    position = noted.find('nodeset="/data/meta/instanceID"')
    start = noted.rfind("<bind", 0, position)
    if position < 0 or start < 0:
        return xform
    return noted[:start] + bind + noted[start:]


def read_end_time(instance: Instance) -> str:
    """Return when it was finished as the client wrote it; "" when it does not say."""
    for group in instance.root:
        if _get_local_name(group) == "meta":
            for node in group:
                if _get_local_name(node) == END:
                    return (node.text or "").strip()
            return ""
    return ""
