"""Seal and sign as a phone does (client/src/storage/sealing.ts), for tests of the other side."""

import base64
import datetime as dt
import json
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync.sealed import CURVE, SUITE, SealedRecord
from tests.programme import definition_of


def _point(key: ec.EllipticCurvePublicKey) -> str:
    return base64.b64encode(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)).decode()


class Centre:
    def __init__(self, public: str = "", kid: str = ""):
        self.private = ec.generate_private_key(CURVE)
        self.public_key = (
            ec.EllipticCurvePublicKey.from_encoded_point(CURVE, base64.b64decode(public))
            if public
            else self.private.public_key()
        )
        self.kid = kid or str(uuid.uuid4())


class PhoneKey:
    def __init__(self, device: str = ""):
        self.private = ec.generate_private_key(CURVE)
        self.public = _point(self.private.public_key())
        self.device = device or str(uuid.uuid4())

    def sign(self, signed: bytes) -> bytes:
        r, s = decode_dss_signature(self.private.sign(signed, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)


def sealed(answers: Any, centre: Centre, phone: PhoneKey, seq: int = 1, **changes: Any) -> dict[str, Any]:
    """Return one item of a delivery."""
    body = answers if isinstance(answers, str) else json.dumps(answers)
    inner = {
        "form": "encounter", "version": definition_of("encounter").version, "finished_at": f"{dt.datetime.now(dt.UTC).date()}T22:00:00+00:00",
        "body": body, "seq": seq, **changes,
    }  # fmt: skip
    number = changes.get("id") or str(uuid.uuid4())
    blank = SealedRecord(number, phone.device, centre.kid, b"", b"")
    box = SUITE.encrypt(json.dumps(inner).encode(), centre.public_key, info=blank.info)
    signature = phone.sign(blank.info + b"|" + box)
    coded = {"box": base64.b64encode(box).decode(), "signature": base64.b64encode(signature).decode()}
    return {"id": number, "device": phone.device, "kid": centre.kid, **coded}


def delivery(*items: dict[str, Any], phones: Any = ()) -> bytes:
    return json.dumps({"items": list(items), "phones": list(phones)}).encode()
