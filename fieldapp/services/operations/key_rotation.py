"""Change the server's keys while it runs.

A new root is written into the key's file first, beside the one before. Every process reads the file again within a
second; only then is what the database holds wrapped again. Killed in between, both roots open it, and the next rotation
finishes this one.
"""

import time

from fieldapp.key_ring import ServerSecret, add_cookie_key, add_root
from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.keys import KeyUnavailable, find_wrapping_root, make_key, unwrap, wrap
from fieldapp.services.operations.server_key import count_by_root, load_usable_key
from fieldapp.services.people.second_factor import wrapped_as
from fieldapp.settings import Settings
from fieldapp.store.operations import centres, keys
from fieldapp.store.people import second_factors
from fieldapp.store.resealing import reseal_centre
from fieldapp.store.session import Session

WAIT = 3.0  # seconds; processes look at the file each second


def rotate_root(session: Session, settings: Settings) -> bool:
    """Make a new root and wrap everything with it; finish a rotation that was begun instead.

    Returns whether a new one was made. Raises KeyProblem when the key cannot be used, or is in no file.
    """
    with settings.only_change_of_key():
        secret = load_usable_key(session, settings, may_make=False)
        newest = secret.roots[0].number
        is_finished = count_by_root(session, secret).keys() <= {newest}
        if is_finished:
            settings.replace_key(add_root(secret, utcnow()))
            time.sleep(WAIT)
        _rewrap_all(session, settings.key())
        return is_finished


def rotate_cookies(session: Session, settings: Settings, is_at_once: bool) -> None:
    """Make a new key for sessions. With `is_at_once` everybody is signed out.

    Raises KeyProblem when the key cannot be used, or is in no file.
    """
    with settings.only_change_of_key():
        secret = load_usable_key(session, settings, may_make=False)
        settings.replace_key(add_cookie_key(secret, utcnow(), is_at_once))


def rotate_seals(session: Session, secret: ServerSecret) -> int:
    """Make a new key for each centre that phones seal to; return how many.

    Phones take it at their next contact. What is sealed to the earlier ones still opens.
    """
    listed = [centre.id for centre in centres.list_all(session)]
    for centre_id in listed:
        make_key(session, Actor.system(centre_id), secret=secret)
    return len(listed)


def rotate_content(session: Session) -> tuple[int, int]:
    """Make a new data key for each centre, and seal all content with it.

    Returns how many keys, and how many rows. Others go on working. Killed in between, the same again finishes it.
    """
    listed = [centre.id for centre in centres.list_all(session)]
    count = 0
    for centre_id in listed:
        _make_data_key(session, Actor.system(centre_id))
        count += reseal_centre(session, centre_id)
    return len(listed), count


@act("key.make_data")
def _make_data_key(ctx: ActContext) -> None:
    """Make a new key for the centre's content."""
    keys.add_data_key(ctx.session, ctx.centre_id)
    ctx.describe("keys")


def _rewrap_all(session: Session, secret: ServerSecret) -> None:
    for centre_id in [centre.id for centre in centres.list_all(session)]:
        _rewrap(session, Actor.system(centre_id), secret=secret)


@act("key.rewrap")
def _rewrap(ctx: ActContext, secret: ServerSecret) -> None:
    """Wrap the keys of a centre, and its people's second factors, with the newest root."""
    centres.lock(ctx.session, ctx.centre_id)
    count = 0
    for key in keys.list_of_centre(ctx.session, ctx.centre_id):
        if find_wrapping_root(key.kid, key.wrapped, secret) != secret.roots[0].number:
            key.wrapped = wrap(unwrap(key.kid, key.wrapped, secret), key.kid, secret)
            count += 1
    for code_key in keys.list_code_keys(ctx.session):  # of the whole database: with the first centre
        if find_wrapping_root(code_key.kid, code_key.wrapped, secret) != secret.roots[0].number:
            code_key.wrapped = wrap(unwrap(code_key.kid, code_key.wrapped, secret), code_key.kid, secret)
            count += 1
    for factor in second_factors.list_of_centre(ctx.session, ctx.centre_id):
        count += _rewrap_factor(factor, secret)
    ctx.is_audited = bool(count)
    ctx.describe("keys", rewrapped=count)


def _rewrap_factor(factor: second_factors.SecondFactor, secret: ServerSecret) -> int:
    """Wrap a second factor with the newest root; one that is damaged stays as it is."""
    name = wrapped_as(factor.user_id)
    try:
        if find_wrapping_root(name, factor.wrapped, secret) == secret.roots[0].number:
            return 0
    except KeyUnavailable:
        return 0
    factor.wrapped = wrap(unwrap(name, factor.wrapped, secret), name, secret)
    return 1
