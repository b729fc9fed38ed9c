"""Targets: where packages can be sent, as the office enters it, and in what form."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluator_export.package import seal
from evaluator_export.problems import ExportProblem
from fieldapp.services.problems import N_
from fieldapp.services.stored_problems import StoredProblem, to_stored, write_lines

# Kinds of targets, as they are stored.
SFTP = "sftp"
S3 = "s3"
EMAIL = "email"
NEEDED = {
    SFTP: ("host", "username", "folder", "host_key", "secret"),
    S3: ("endpoint", "bucket", "secret"),
    EMAIL: ("to",),
}


class DeliveryFailed(Exception):
    """A package did not reach its target.

    `problems` say why, without secrets. `is_final`: trying again does not help, a person has to
    change something.
    """

    def __init__(self, *problems: StoredProblem, is_final: bool = False):
        super().__init__(write_lines(problems))
        self.problems = problems
        self.is_final = is_final


def check_target(target: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that a target lacks."""
    kind = target.get("kind")
    if kind not in NEEDED:
        return ["kind"]
    return [name for name in NEEDED[kind] if not str(target.get(name, "")).strip()]


def encrypt_for_recipient(packages: Path, sha256: str, age_key: str) -> Path:
    """Return the file of a package that only its recipient can read.

    `age_key` is the recipient's public key. The file is made once, so that sending again sends the
    same bytes. Raises DeliveryFailed without a key, or when the package is not on this server.
    """
    if not age_key:
        text = N_("The series has no age key of the recipient; nothing leaves unencrypted.")
        raise DeliveryFailed(StoredProblem("delivery.no_key", text), is_final=True)
    whole = packages / f"{sha256}.zip"
    target = packages / f"{sha256}-{seal.fingerprint(age_key)}.zip.age"
    if not whole.is_file():
        text = N_("The file of this release is not on this server.")
        raise DeliveryFailed(StoredProblem("release.missing", text), is_final=True)
    if not target.is_file():
        try:
            seal.encrypt(whole, target, [age_key])
        except ExportProblem as problem:
            raise DeliveryFailed(*to_stored(problem), is_final=True) from None
    return target
