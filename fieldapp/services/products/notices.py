"""Notify subscribers of a new edition: an e-mail that never holds the numbers."""

from dataclasses import dataclass

from fieldapp.services.products.catalogue import get_product
from fieldapp.services.transports.senders import DeliveryPayload, TransportConfig, send
from fieldapp.services.transports.targets import EMAIL, DeliveryFailed
from fieldapp.store.database import ReadTransaction, WriteTransaction
from fieldapp.store.operations import centres
from fieldapp.store.products import products as store
from fieldapp.store.products.products import Subscription
from fieldapp.store.session import Session


@dataclass(frozen=True)
class _Notice:
    """An e-mail that is due: its subscription's id and address, and the edition's SHA-256."""

    subscription_id: int
    address: str
    edition_hash: str
    payload: DeliveryPayload


def notify_subscribers(session: Session, transport: TransportConfig) -> int:
    """Send the notices that are due and return how many.

    An address that could not be reached is tried again at the next call.
    """
    sent = 0
    if not transport.smtp_url:
        return 0
    with ReadTransaction(session):
        centre_ids = [centre.id for centre in centres.list_all(session)]
    for centre_id in centre_ids:
        # No transaction is open while a mail server is waited for.
        with ReadTransaction(session):
            notices = _list_due_notices(session, centre_id)
        for notice in notices:
            try:
                send({"kind": EMAIL, "to": notice.address}, notice.payload, transport)
            except DeliveryFailed:
                continue
            _save_notified(session, notice)
            sent += 1
    return sent


def _list_due_notices(session: Session, centre_id: int) -> list[_Notice]:
    notices = []
    centre_name = centres.get(session, centre_id).name
    for subscription in store.subscriptions(session, centre_id):
        product = subscription.product
        version = store.find_latest_version(session, centre_id, product)
        if version is None or not store.is_on(session, centre_id, product):
            continue
        _, edition_hash = version
        if edition_hash != subscription.last_notified_hash:
            payload = _write_payload(centre_name, product, edition_hash, subscription.id)
            notices.append(_Notice(subscription.id, subscription.address, edition_hash, payload))
    return notices


def _write_payload(centre_name: str, product: str, edition_hash: str, subscription_id: int) -> DeliveryPayload:
    title = get_product(product).title
    return DeliveryPayload(
        file=None,
        name="",
        subject=f"{centre_name}: {title['en']} / {title['fr']}",
        text="There is a new edition. Sign in to see it.\nIl y a une nouvelle édition. Connectez-vous pour la voir.\n",
        # The same at each try, so that a mail server which got it before its answer was lost can drop the second.
        message_id=f"<{edition_hash[:32]}.{subscription_id}@fieldapp.invalid>",
    )


def _save_notified(session: Session, notice: _Notice) -> None:
    with WriteTransaction(session):
        subscription = session.get(Subscription, notice.subscription_id)
        if subscription is not None:  # it may have ended while the mail was on its way
            subscription.last_notified_hash = notice.edition_hash
