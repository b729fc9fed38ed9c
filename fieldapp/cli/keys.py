"""The server's keys: what there is, change one, move the file."""

import datetime as dt
import stat
from collections.abc import Iterator

import click

from fieldapp import settings as settings_module
from fieldapp.cli.opening import opened
from fieldapp.key_ring import ServerSecret, find_end
from fieldapp.services.operations import key_rotation
from fieldapp.services.operations.server_key import count_by_root, load_usable_key
from fieldapp.settings import KeyMissing, KeyProblem, Settings, sync_folder
from fieldapp.store.operations import centres
from fieldapp.store.operations import keys as centre_keys
from fieldapp.store.operations.centres import Centre
from fieldapp.store.operations.keys import DATA, PACKAGE, SEAL, SIGN
from fieldapp.store.session import Session

USES = {SEAL: "phones seal to it", SIGN: "signs receipts", PACKAGE: "signs packages", DATA: "seals content in the database"}


@click.group()
def keys() -> None:
    """Say which keys there are, change them, move the key's file; no key is ever shown."""


@keys.command()
def show() -> None:
    """Say which keys there are, how old they are, and what each is for."""
    with opened() as (session, settings):
        secret = _load(session, settings)
        for line in [_describe_place(settings), *_describe_roots(session, secret), *_describe_cookies(secret)]:
            click.echo(line)
        for centre in centres.list_all(session):
            for line in _describe_centre(session, centre):
                click.echo(line)
        session.rollback()


def _load(session: Session, settings: Settings) -> ServerSecret:
    """Return the secret key; raise ClickException where there is none yet."""
    try:
        return load_usable_key(session, settings, may_make=False)
    except KeyMissing as missing:
        raise click.ClickException(f"{missing} It is made when the server first starts.") from None


def _describe_place(settings: Settings) -> str:
    if not settings.has_key_file:
        return f"The secret key comes from {settings.key_place}."
    mode = stat.S_IMODE(settings.key_path.stat().st_mode)
    where = "outside the data folder" if settings.key_file else "in the data folder: fieldapp doctor says how to move it"
    return f"The secret key is in {settings.key_path} (mode {mode:o}), {where}."


def _describe_roots(session: Session, secret: ServerSecret) -> Iterator[str]:
    counts = count_by_root(session, secret)
    for root in secret.roots:
        about = f"root {root.number}, {_format_age(root.made_at)}: opens {counts.get(root.number, 0)} keys in the database"
        if root == secret.roots[0]:
            yield f"{about}; all that is new is under it"
        elif counts.get(root.number):
            yield f"{about}; not ended yet: run fieldapp keys rotate root"
        else:
            uses = "slips made under it"
            if root == secret.roots[-1]:
                uses = f"{uses}, the list of ended cards and forgotten PINs"
            yield f"{about}; ended, and stays in the file for {uses}"


def _describe_cookies(secret: ServerSecret) -> Iterator[str]:
    end: dt.datetime | None = None
    now = dt.datetime.now(dt.UTC)
    for key in secret.cookie_keys:
        about = f"cookies {key.number}, {_format_age(key.made_at)}"
        if key == secret.cookie_keys[0]:
            yield f"{about}: signs sessions"
        elif end is None or end > now:
            yield f"{about}: sessions that it signed count until {end:%Y-%m-%d %H:%M} UTC" if end else f"{about}: counts"
        else:
            yield f"{about}: ended {end:%Y-%m-%d %H:%M} UTC"
        end = find_end(key)


def _format_age(made_at: dt.datetime | None) -> str:
    if made_at is None:
        return "of unknown age"
    days = (dt.datetime.now(dt.UTC) - made_at).days
    return f"made {made_at:%Y-%m-%d} ({days} days ago)"


def _describe_centre(session: Session, centre: Centre) -> Iterator[str]:
    newest = centre_keys.newest(session, centre.id, SEAL)
    newest_data = centre_keys.newest(session, centre.id, DATA)
    for key in centre_keys.list_of_centre(session, centre.id):
        use = USES[key.purpose]
        if key.purpose == SEAL and key is not newest:
            use = "opens what phones sealed before they took the newest"
        if key.purpose == DATA and key is not newest_data:
            use = "opens content from before the newest; the next change of the key deletes it"
        yield f"centre {centre.slug}: key {key.id}, {_format_age(key.created_at)}: {use}"


@keys.command()
@click.argument("which", type=click.Choice(["root", "cookies", "seal", "content"]))
@click.option("--at-once", is_flag=True, help="For cookies: everybody is signed out now.")
def rotate(which: str, at_once: bool) -> None:
    """Change a key while the server runs; the one before still opens what it must.

    root: the server's secret key, which wraps all others. cookies: for sessions. seal: phones seal records to it.
    content: answers, notes and attachments lie in the database under it.
    """
    with opened() as (session, settings):
        secret = _load(session, settings)
        if which == "seal":
            count = key_rotation.rotate_seals(session, secret)
            click.echo(f"New keys to seal to: {count}. Phones take them at their next contact; the earlier ones still open.")
        elif which == "content":
            count, rows = key_rotation.rotate_content(session)
            click.echo(f"New keys for content: {count}. Rows that were sealed again: {rows}.")
        elif which == "cookies":
            key_rotation.rotate_cookies(session, settings, at_once)
            click.echo("Everybody is signed out." if at_once else "Sessions go on; the key before ends in 12 hours.")
        elif key_rotation.rotate_root(session, settings):
            click.echo("There is a new secret key, and everything in the database is under it.")
            click.echo(
                f"Copy {settings.key_path} to where you keep it now: "
                "a copy of before opens no backup that is made from now on."
            )
        else:
            click.echo("The change that was begun before is finished. For another new key run this once more.")


@keys.command()
def move() -> None:
    """Move the secret key into the file that FIELDAPP_KEY_FILE names."""
    settings = settings_module.read()
    if not settings.key_file:
        raise click.ClickException(
            "Set FIELDAPP_KEY_FILE to a file outside the data folder first, such as /etc/fieldapp/key, then run this again."
        )
    earlier = settings.find_earlier_key()
    if not earlier and not settings.key_path.exists():
        raise click.ClickException(
            f"There is no key to move: it is not in the data folder, nor in FIELDAPP_SECRET_KEY, nor in {settings.key_path} "
            "yet. If it was in FIELDAPP_SECRET_KEY, set that once more for this command. A server that never ran makes its "
            "key there when it first starts."
        )
    if not earlier:
        with opened() as (session, _):
            _load(session, settings)
        click.echo(f"The secret key is in {settings.key_path} already.")
        return
    before = settings.without_key_file()
    with settings.only_change_of_key():
        secret = before.key()
        settings.replace_key(secret, is_first=True)
        # Read back before the other one goes: it may have been there, and be another.
        if secret not in [root.secret for root in settings.key().roots]:
            raise KeyProblem(f"{settings.key_path} holds another key than {earlier}. Nothing was changed.")
        if before.has_key_file:
            before.key_path.unlink()
            sync_folder(before.key_path.parent)
    click.echo(f"The secret key is in {settings.key_path}.")
    if not before.has_key_file:
        click.echo(f"Take {earlier} out of the settings.")
    click.echo("Restart the server and the scheduler with FIELDAPP_KEY_FILE set.")
