"""Forms at the centre: publish from an XLSForm, look at, withdraw."""

from collections.abc import Sequence

from fieldapp.services.acts import Act, act, reading
from fieldapp.services.definitions import definition_of
from fieldapp.services.problems import N_, ActProblem, not_found
from fieldapp.services.revisions import check_revision
from fieldapp.store import forms
from fieldapp.store.forms import FormVersion
from forms.definition import Compiled, FormDefinition


@reading("forms.list")
def list_forms(a: Act) -> Sequence[FormVersion]:
    return forms.list_for(a.session, a.centre_id)


@reading("form.open")
def open_form(a: Act, version_id: int) -> tuple[FormVersion, FormDefinition]:
    version = _of_centre(a, version_id)
    return version, definition_of(version)


@act("form.publish")
def publish_form(a: Act, compiled: Compiled, workbook: bytes, files: bytes | None = None) -> FormVersion:
    """Publish a compiled form. The same form again changes nothing; other content needs a new version."""
    return publish(a, compiled, workbook, files)


def publish(a: Act, compiled: Compiled, workbook: bytes, files: bytes | None) -> FormVersion:
    """Publish a form within an act: from a workbook, or from a draft."""
    definition = compiled.definition
    target = f"form/{definition.id}/{definition.version}"
    existing = forms.find(a.session, a.centre_id, definition.id, definition.version)
    if existing is not None:
        if existing.sha256 != definition.sha256:
            text = N_(
                "Version {version} of “{form}” is already published with other content. Give the workbook a new version."
            )
            raise ActProblem("form.version_taken", text, {"form": definition.id, "version": definition.version})
        existing.withdrawn_at = None
        a.note(target, again=True)
        return existing
    version = FormVersion(
        centre_id=a.centre_id,
        form=definition.id,
        version=definition.version,
        title=definition.title,
        definition=definition.to_json(),
        xform=compiled.xform,
        workbook=workbook,
        files=files,
        sha256=definition.sha256,
        published_at=a.now,
        withdrawn_at=None,
    )
    a.session.add(version)
    a.session.flush()
    a.note(target, sha256=definition.sha256)
    return version


@act("form.withdraw")
def withdraw_form(a: Act, version_id: int, seen: str | None = None) -> FormVersion:
    """Take a version off phones. What was filled with it already is still accepted."""
    version = _of_centre(a, version_id)
    target = f"form/{version.form}/{version.version}"
    check_revision(a, seen, version, target, ("draft.publish", "form.publish", "form.withdraw"))
    version.withdrawn_at = version.withdrawn_at or a.now
    a.note(target)
    return version


def _of_centre(a: Act, version_id: int) -> FormVersion:
    version = a.session.get(FormVersion, version_id)
    if version is None or version.centre_id != a.centre_id:
        raise not_found()
    return version
