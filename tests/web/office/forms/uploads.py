"""Workbooks as an admin uploads them."""

import io
from typing import Any

from flask.testing import FlaskClient

from tests.web.conftest import csrf_of


def upload(client: FlaskClient, data: bytes, name: str = "form.xlsx", lists: dict[str, bytes] | None = None) -> Any:
    token = csrf_of(client.get("/office/forms").text)
    files = [(io.BytesIO(one), name_) for name_, one in (lists or {}).items()]
    return client.post(
        "/office/forms",
        data={"csrf_token": token, "workbook": (io.BytesIO(data), name), **({"lists": files} if files else {})},
        content_type="multipart/form-data",
    )
