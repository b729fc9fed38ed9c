"""What is known of somebody on the way to a sign-on provider; asks no provider itself."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

LASTS = 10 * 60  # seconds between leaving for the provider and coming back


@dataclass(frozen=True)
class Journey:
    """What is kept in a browser while its person is at the provider."""

    state: str
    nonce: str
    verifier: str
    began_at: float
    is_again: bool  # they are to prove again who they are

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Identity:
    """Whom the provider named."""

    subject_hash: str
    has_second_step: bool  # as the provider says

    @classmethod
    def of(cls, issuer: str, claim: str, name: str, *, has_second_step: bool = False) -> "Identity":
        # The claim is part of it: were another one chosen, names of one kind must not open accounts linked by the other.
        text = "\n".join((issuer, claim, name))
        return cls(hashlib.sha256(text.encode()).hexdigest(), has_second_step)
