"""What tests of consent share."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.consent.forgotten import attach
from fieldapp.settings import Settings


@pytest.fixture
def with_list(session: Session, tmp_path: Path) -> None:
    """Give the database its list of what people took back."""
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="s" * 64))
