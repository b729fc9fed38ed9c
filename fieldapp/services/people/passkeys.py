"""Passkeys: a browser, phone or key answers a challenge with a private key of its own.

The signature names the site, so a page that only looks like ours gets none that is worth anything here.

Source: WebAuthn Level 3.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, act
from fieldapp.services.people.second_factor import begin_factor, is_last_factor
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.people import passkeys
from fieldapp.store.people.passkeys import Passkey

LONGEST_ANSWER = 20_000  # characters of what a browser sends
MOST = 10  # of one person
CHALLENGE_LASTS = dt.timedelta(minutes=5)
REFUSED = N_("The passkey was not accepted. Try again, or use another way.")


@dataclass(frozen=True)
class Challenge:
    """What a browser was asked, and the site that asks."""

    host: str  # without a port
    origin: str  # with scheme and port
    nonce: bytes
    asked_at: dt.datetime


def draw_nonce() -> bytes:
    """Return new random bytes for a challenge."""
    return secrets.token_bytes(32)


def make_sign_in_options(stored: Sequence[Passkey], challenge: Challenge) -> str:
    """Return, as JSON for the browser, which of a person's passkeys may answer."""
    import webauthn  # noqa: PLC0415  heavy to load, and few pages need it
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor  # noqa: PLC0415

    usable = [passkey for passkey in stored if passkey.host == challenge.host]
    allowed = [PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential)) for passkey in usable]
    options = webauthn.generate_authentication_options(
        rp_id=challenge.host, challenge=challenge.nonce, allow_credentials=allowed
    )
    return webauthn.options_to_json(options)


def make_new_options(stored: Sequence[Passkey], challenge: Challenge, user_id: int, username: str) -> str:
    """Return, as JSON for the browser, what it needs to make a passkey."""
    import webauthn  # noqa: PLC0415
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor  # noqa: PLC0415

    existing = [PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential)) for passkey in stored]
    options = webauthn.generate_registration_options(
        rp_id=challenge.host,
        rp_name="fieldapp",
        user_name=username,
        user_id=f"fieldapp {user_id}".encode(),
        challenge=challenge.nonce,
        exclude_credentials=existing,
    )
    return webauthn.options_to_json(options)


@act("passkey.add")
def add_passkey(ctx: ActContext, answer: str, challenge: Challenge, label: str, grant: int | None = None) -> list[str]:
    """Store the public half of a passkey that the actor's browser has just made.

    `grant` is the one-time code that the first factor needs. Returns new recovery codes with the first factor,
    otherwise none. Raises ActProblem "passkey.refused", "passkey.too_many" or "second_factor.grant".
    """
    import webauthn  # noqa: PLC0415
    from webauthn.helpers import bytes_to_base64url  # noqa: PLC0415
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    user_id = ctx.actor.user_id or 0
    _refuse_old(ctx, answer, challenge)
    if len(passkeys.of_user(ctx.session, user_id)) >= MOST:
        raise ActProblem("passkey.too_many", N_("You have ten passkeys. Remove one first."))
    recovery = begin_factor(ctx, grant)
    try:
        registration = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge.nonce,
            expected_rp_id=challenge.host,
            expected_origin=challenge.origin,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise ActProblem("passkey.refused", REFUSED) from None
    credential = bytes_to_base64url(registration.credential_id)
    if passkeys.is_known(ctx.session, credential):
        raise ActProblem("passkey.refused", REFUSED)
    passkey = Passkey(
        centre_id=ctx.centre_id,
        user_id=user_id,
        credential=credential,
        public_key=registration.credential_public_key,
        host=challenge.host,
        sign_count=registration.sign_count,
        label=label.strip()[:40],
        created_at=ctx.now,
        last_used_at=ctx.now,
    )
    ctx.session.add(passkey)
    ctx.session.flush()
    ctx.describe(f"user/{user_id}", passkey=passkey.id)
    return recovery


@act("second_factor.check")
def check_passkey(ctx: ActContext, answer: str, challenge: Challenge) -> None:
    """Check what the actor's passkey has signed. Raises ActProblem "passkey.refused"."""
    import webauthn  # noqa: PLC0415
    from webauthn.helpers import parse_authentication_credential_json  # noqa: PLC0415
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    _refuse_old(ctx, answer, challenge)
    try:
        credential = parse_authentication_credential_json(answer)
        passkey = passkeys.lock_one(ctx.session, ctx.actor.user_id or 0, credential.id)
        # The same signature a second time: its challenge is older than its last use.
        if passkey is None or passkey.host != challenge.host or challenge.asked_at <= passkey.last_used_at:
            raise ActProblem("passkey.refused", REFUSED)
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge.nonce,
            expected_rp_id=challenge.host,
            expected_origin=challenge.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise ActProblem("passkey.refused", REFUSED) from None
    passkey.sign_count = verified.new_sign_count
    passkey.last_used_at = ctx.now
    ctx.describe(f"user/{ctx.actor.user_id}", by="passkey", passkey=passkey.id)


@act("passkey.remove")
def remove_passkey(ctx: ActContext, passkey_id: int) -> None:
    """Remove one of the actor's passkeys.

    Raises ActProblem "second_factor.last" for the only factor where the centre asks for one.
    """
    own_passkeys = {passkey.id: passkey for passkey in passkeys.of_user(ctx.session, ctx.actor.user_id or 0)}
    if passkey_id not in own_passkeys:
        raise make_not_found()
    if is_last_factor(ctx.session, ctx.actor):
        raise ActProblem("second_factor.last", N_("This is your only second step. Set up another one first."))
    ctx.session.delete(own_passkeys[passkey_id])
    ctx.describe(f"user/{ctx.actor.user_id}", passkey=passkey_id)


def _refuse_old(ctx: ActContext, answer: str, challenge: Challenge) -> None:
    """Raise ActProblem for an answer that is too long, or to a challenge of long ago."""
    if len(answer) > LONGEST_ANSWER or not dt.timedelta() <= ctx.now - challenge.asked_at < CHALLENGE_LASTS:
        raise ActProblem("passkey.refused", REFUSED)
