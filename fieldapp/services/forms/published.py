"""Published forms: publish a version, open one, withdraw one."""

from collections.abc import Sequence

from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.definitions import load_definition
from fieldapp.services.forms.roles import find_role_problems
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import check_revision
from fieldapp.store.forms import versions
from fieldapp.store.forms.versions import FormVersion
from forms.definition import Compiled, FormDefinition


@read_act("forms.list")
def list_forms(ctx: ActContext) -> Sequence[FormVersion]:
    return versions.list_for(ctx.session, ctx.centre_id)


@read_act("form.open")
def open_form(ctx: ActContext, version_id: int) -> tuple[FormVersion, FormDefinition]:
    """Return a version of a form, with its definition."""
    version = _get_version(ctx, version_id)
    return version, load_definition(version)


@act("form.publish")
def publish_form(ctx: ActContext, compiled: Compiled, workbook: bytes, files: bytes | None = None) -> FormVersion:
    """Publish a compiled form; see publish_in_act."""
    return publish_in_act(ctx, compiled, workbook, files)


def publish_in_act(ctx: ActContext, compiled: Compiled, workbook: bytes, files: bytes | None) -> FormVersion:
    """Publish a form within an act: from a workbook, or from a draft.

    The same form again changes nothing, except that a withdrawn version is open again. Raises
    ActProblem "form.version_taken" for other content under the same version, and "form.role_missing",
    "form.role_lost" or "form.role_taken" for what something switched on at the centre could not read.
    """
    definition = compiled.definition
    target = f"form/{definition.id}/{definition.version}"
    existing = versions.find(ctx.session, ctx.centre_id, definition.id, definition.version)
    if existing is not None:
        # The second hash is that of a definition whose rule about a no was added when it was read.
        if definition.sha256 not in (existing.sha256, load_definition(existing).sha256):
            text = N_(
                "Version {version} of “{form}” is already published with other content. Give the workbook a new version."
            )
            raise ActProblem("form.version_taken", text, {"form": definition.id, "version": definition.version})
        existing.withdrawn_at = None  # publishing again is how a withdrawal is taken back
        ctx.describe(target, again=True)
        return existing
    # Refused here and not only on the page: commands publish, too.
    for problem in find_role_problems(ctx.session, ctx.centre_id, definition):
        raise ActProblem(problem.code, problem.text, problem.details)
    # A published version never changes: phones and records name it by its hash.
    version = FormVersion(
        centre_id=ctx.centre_id,
        form=definition.id,
        version=definition.version,
        title=definition.title,
        definition=definition.to_json(),
        xform=compiled.xform,
        workbook=workbook,
        files=files,
        sha256=definition.sha256,
        published_at=ctx.now,
        withdrawn_at=None,
    )
    ctx.session.add(version)
    ctx.session.flush()
    ctx.describe(target, sha256=definition.sha256)
    return version


@act("form.withdraw")
def withdraw_form(ctx: ActContext, version_id: int, seen: str | None = None) -> FormVersion:
    """Withdraw a version from phones; what was filled with it already is still accepted."""
    version = _get_version(ctx, version_id)
    target = f"form/{version.form}/{version.version}"
    check_revision(ctx, seen, version, target, ("draft.publish", "form.publish", "form.withdraw"))
    version.withdrawn_at = version.withdrawn_at or ctx.now  # a second click keeps the first time
    ctx.describe(target)
    return version


def _get_version(ctx: ActContext, version_id: int) -> FormVersion:
    version = ctx.session.get(FormVersion, version_id)
    if version is None or version.centre_id != ctx.centre_id:
        raise make_not_found()
    return version
