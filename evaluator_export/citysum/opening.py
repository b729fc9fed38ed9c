"""Take the masks off a sum: what each member computes from the letters of a round."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluator_export.citysum import masks
from evaluator_export.citysum.masks import Vector
from evaluator_export.problems import ExportProblem, Reason


@dataclass(frozen=True)
class Vouched:
    """What a centre vouched for at the begin of a round."""

    mask_key: bytes  # public
    own_hash: str  # SHA-256 of the seed of its own mask


@dataclass(frozen=True)
class Transcript:
    """A round as a member knows it.

    `senders`: all whose masks are in the vectors, by name. `vectors`: of the members. `shares`: for each sender, by the
    place of who opened: of its own seed if it is a member, else of its private mask key.
    """

    round: str
    senders: Mapping[str, Vouched]
    vectors: Mapping[str, Vector]
    shares: Mapping[str, Mapping[int, bytes]]
    least: int


def derive_mask(secret: bytes, round_id: str, size: int) -> Vector:
    """Return the mask that two centres share in one round."""
    return masks.expand(masks.derive(secret, "mask", round_id), size)


def add_masks(numbers: Sequence[int], name: str, own: bytes, secrets: Mapping[str, bytes], round_id: str) -> Vector:
    """Return a centre's numbers under its own mask and one for each other centre.

    `secrets`: what it has in common with each other. Of two centres one adds their mask, the other takes it away, so that in
    the sum there is none.
    """
    size = len(numbers)
    masked = np.array(numbers, dtype="<u8") + masks.expand(own, size)
    for other, secret in secrets.items():
        mask = derive_mask(secret, round_id, size)
        masked = masked + mask if other > name else masked - mask
    return masked


def compute_sums(transcript: Transcript) -> list[int]:
    """Return the exact sums over the members. Raise ExportProblem where shares do not fit."""
    total = np.zeros(len(next(iter(transcript.vectors.values()))), "<u8")
    for name in transcript.senders:
        vector = transcript.vectors.get(name)
        if vector is not None:
            total = total + vector - masks.expand(_find_own_seed(transcript, name), len(total))
        else:
            key = _find_mask_key(transcript, name)
            total = total - _sum_masks_of_missing(transcript, name, key, len(total))
    return [int(number) for number in total]


def _sum_masks_of_missing(transcript: Transcript, missing: str, key: bytes, size: int) -> Vector:
    """Return what is left in the members' vectors of a centre that sent none."""
    total = np.zeros(size, "<u8")
    for name in transcript.vectors:
        secret = masks.agree_on_secret(key, transcript.senders[name].mask_key)
        mask = derive_mask(secret, transcript.round, size)
        total = total + mask if missing > name else total - mask
    return total


def _find_own_seed(transcript: Transcript, name: str) -> bytes:
    for secret in _iterate_secrets(transcript, name):
        if masks.hash_seed(secret) == transcript.senders[name].own_hash:
            return secret
    raise ExportProblem(Reason("city.opened", {"sender": name}))


def _find_mask_key(transcript: Transcript, name: str) -> bytes:
    for secret in _iterate_secrets(transcript, name):
        if masks.find_public_key(secret) == transcript.senders[name].mask_key:
            return secret
    raise ExportProblem(Reason("city.opened", {"sender": name}))


def _iterate_secrets(transcript: Transcript, name: str) -> Iterator[bytes]:
    """Yield what shares of a centre give, others each time: one may be wrong."""
    for shares in _iterate_choices(transcript.shares.get(name, {}), transcript.least):
        yield masks.join(shares)


def _iterate_choices(shares: Mapping[int, bytes], least: int) -> Iterator[dict[int, bytes]]:
    """Yield shares, as many as are needed, so that a wrong one is left out of some."""
    places = sorted(shares)
    if len(places) < least:
        return
    for start in range(len(places)):
        turned = [*places[start:], *places[:start]]
        yield {place: shares[place] for place in turned[:least]}
