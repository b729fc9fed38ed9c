"""Every table, so that importing this module fills the metadata (migrations and tests need all of it)."""

from fieldapp.store import (
    areas,
    audit,
    centre_keys,
    centres,
    devices,
    form_drafts,
    forms,
    records,
    releases,
    submissions,
    throttles,
    users,
)
from fieldapp.store.base import Base

metadata = Base.metadata
__all__ = [
    "areas",
    "audit",
    "centre_keys",
    "centres",
    "devices",
    "form_drafts",
    "forms",
    "metadata",
    "records",
    "releases",
    "submissions",
    "throttles",
    "users",
]
