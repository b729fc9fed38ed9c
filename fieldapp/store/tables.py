"""Every table, so that importing this module fills the metadata (migrations and tests need all of it)."""

from fieldapp.store import (
    areas,
    audit,
    blobs,
    cards,
    centre_keys,
    centres,
    datasets,
    devices,
    feed,
    follow_ups,
    form_drafts,
    forms,
    invitations,
    records,
    releases,
    reviews,
    submissions,
    throttles,
    users,
)
from fieldapp.store.base import Base

metadata = Base.metadata
__all__ = [
    "areas",
    "audit",
    "blobs",
    "cards",
    "centre_keys",
    "centres",
    "datasets",
    "devices",
    "feed",
    "follow_ups",
    "form_drafts",
    "forms",
    "invitations",
    "metadata",
    "records",
    "releases",
    "reviews",
    "submissions",
    "throttles",
    "users",
]
