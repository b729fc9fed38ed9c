"""What ODK Collect fetches: the list of forms, XForms, and their lists of choices."""

from fieldapp.services.acts import ActContext, read_act
from fieldapp.services.definitions import load_definition
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.forms import versions
from fieldapp.store.forms.list_files import unzip_lists
from fieldapp.store.forms.versions import FormVersion
from fieldapp.store.operations import centres
from fieldapp.store.session import Session
from forms.lists import in_language
from sync.openrosa import ListedForm, MediaFile, add_end_time, md5


def require_collect(session: Session, centre_id: int) -> None:
    """Raise ActProblem when the centre does not let ODK Collect take part."""
    # Asked at each request: a centre can switch it off while phones are set up already.
    if not centres.get(session, centre_id).allows_collect:
        raise ActProblem("collect.forbidden", N_("This centre does not allow ODK Collect. Use the phone app."))


@read_act("collect.list")
def list_for_collect(ctx: ActContext, address: str, form: str = "") -> list[ListedForm]:
    """Return the open forms, each with the MD5 of the XML behind its address.

    `address` is what the forms' addresses begin with; `form` limits the list to one form.
    """
    listed = []
    for version in versions.current(ctx.session, ctx.centre_id):
        if form and version.form != form:
            continue
        url = f"{address}/forms/{version.form}/{version.version}"
        # The default language, since Collect shows one name and asks for no language.
        name = in_language(version.title, load_definition(version).languages[0]) or version.form
        media = f"{url}/manifest" if version.files else ""
        listed.append(
            # Of the very bytes that fetch_xform answers, or Collect would fetch every form again at
            # each look.
            ListedForm(version.form, name, version.version, md5(_make_xform(version).encode()), f"{url}.xml", media)
        )
    return listed


def _make_xform(version: FormVersion) -> str:
    return add_end_time(version.xform)


@read_act("collect.fetch")
def fetch_xform(ctx: ActContext, form: str, version: str) -> str:
    """Return the XForm of a form version as Collect gets it."""
    return _make_xform(_get_version(ctx, form, version))


@read_act("collect.fetch")
def fetch_media(ctx: ActContext, form: str, version: str) -> list[MediaFile]:
    """Return the lists that came with a form, by name."""
    lists = unzip_lists(_get_version(ctx, form, version).files)
    # By name, so that the same lists always give the same manifest.
    return [MediaFile(name, data) for name, data in sorted(lists.items())]


def _get_version(ctx: ActContext, form: str, version: str) -> FormVersion:
    form_version = versions.find(ctx.session, ctx.centre_id, form, version)
    if form_version is None:
        raise make_not_found()
    return form_version
