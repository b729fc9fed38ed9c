"""Tell those who asked that a product has a new edition: a notice by e-mail, never the numbers."""

from fieldapp.services.products.catalogue import product_named
from fieldapp.services.transports.senders import DeliveryPayload, TransportConfig, send
from fieldapp.services.transports.targets import EMAIL, DeliveryFailed
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import centres
from fieldapp.store.products import products as store
from fieldapp.store.products.products import Subscription
from fieldapp.store.session import Session


def tell_subscribers(session: Session, means: TransportConfig) -> int:
    """Send what is due and return how much was; an address that cannot be reached is tried again at the next turn."""
    sent = 0
    if not means.smtp_url:
        return 0
    for centre_id in [one.id for one in centres.list_all(session)]:
        name = centres.get(session, centre_id).name
        for one in store.subscriptions(session, centre_id):
            mark = store.find_latest_version(session, centre_id, one.product)
            if mark is None or mark[1] == one.last_notified_hash or not store.is_on(session, centre_id, one.product):
                continue
            title = product_named(one.product).title
            parcel = DeliveryPayload(
                None,
                "",
                f"{name}: {title['en']} / {title['fr']}",
                "There is a new edition. Sign in to see it.\nIl y a une nouvelle édition. Connectez-vous pour la voir.\n",
                f"<{mark[1][:32]}.{one.id}@fieldapp.invalid>",
            )
            key, address = one.id, one.address
            session.rollback()
            try:
                send({"kind": EMAIL, "to": address}, parcel, means)
            except DeliveryFailed:
                continue
            with WriteTransaction(session):
                kept = session.get(Subscription, key)
                if kept is not None:
                    kept.last_notified_hash = mark[1]
            sent += 1
    return sent
