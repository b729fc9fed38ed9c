"""Recovery codes: ten, shown once; each counts once, when the phone is gone."""

import hashlib
import re

from fieldapp.services.acts import ActContext, act
from fieldapp.services.people import passwords
from fieldapp.store.people import recovery_codes
from fieldapp.store.people.recovery_codes import RecoveryCode

COUNT = 10
SHAPE = re.compile(r"[a-z0-9]{15}")  # without dashes and spaces; codes of apps have six digits


@act("recovery_codes.make")
def make_recovery_codes(ctx: ActContext) -> list[str]:
    """Return ten new codes of the actor's; the earlier ones count no more."""
    codes = replace_codes(ctx)
    ctx.describe(f"user/{ctx.actor.user_id}")
    return codes


def replace_codes(ctx: ActContext) -> list[str]:
    """Return ten new codes of the actor's, of which only hashes are stored."""
    user_id = ctx.actor.user_id or 0
    recovery_codes.delete_of_user(ctx.session, user_id)
    codes = [passwords.generate_password() for _ in range(COUNT)]
    for code in codes:
        row = RecoveryCode(
            centre_id=ctx.centre_id, user_id=user_id, code_hash=hash_code("recovery", user_id, code), used_at=None
        )
        ctx.session.add(row)
    return codes


def looks_like_one(code: str) -> bool:
    """Say whether something typed has the shape of a recovery code."""
    return SHAPE.fullmatch(_normalize(code)) is not None


@act("second_factor.check")
def use_recovery_code(ctx: ActContext, code: str) -> bool:
    """Say whether a recovery code of the actor's is right; then it is used up."""
    user_id = ctx.actor.user_id or 0
    row = recovery_codes.lock_unused(ctx.session, user_id, hash_code("recovery", user_id, code))
    if row is None:
        # No line: there are too many to guess, so such tries are not counted either, and must not fill the disk.
        ctx.skip_audit()
        return False
    row.used_at = ctx.now
    ctx.describe(f"user/{user_id}", by="recovery code")
    return True


def hash_code(purpose: str, user_id: int, code: str) -> str:
    """Return the hash under which a code is stored.

    A fast one: with 73 random bits there are too many codes to try.
    """
    return hashlib.sha256(f"{purpose} {user_id} {_normalize(code)}".encode()).hexdigest()


def _normalize(code: str) -> str:
    return re.sub(r"[\s\-‐–]", "", code[:100]).lower()
