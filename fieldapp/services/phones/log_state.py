"""What a centre says of how safe its log is; phones keep their copies by it."""

from typing import Any

from fieldapp.store.operations import audit, centre_log
from fieldapp.store.session import Session

COPIES = 2  # newest checked copies that each hold what is called safe


def read_log_state(session: Session, centre_id: int, has_place: bool) -> dict[str, Any]:
    """Return what answers to phones say of the centre's log.

    `has_place`: copies are made in a place off this machine; without one nothing is ever safe, and phones keep
    their copies for a number of days only.

    Example:
        {"epoch": 0, "lineage": [[0, 0]], "safe": 17, "copies": 2, "audit": "4e07…"}
    """
    head = centre_log.read_head(session, centre_id)
    return {
        "epoch": head.epoch,
        "lineage": head.lineage,
        "safe": head.safe if has_place else None,
        "copies": COPIES,
        # The end of the audit log's chain, without its number, which would say how much the centre does. Phones keep it.
        "audit": audit.read_link(session, centre_id),
    }
