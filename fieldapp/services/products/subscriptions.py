"""Who gets a notice when a product has a new edition."""

import re

from fieldapp.services.acts import ActContext, act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.products.catalogue import get_product
from fieldapp.services.revisions import check_revision
from fieldapp.store.products import products as store
from fieldapp.store.products.products import Subscription

# One address and no list; up to 64 characters before the @, as RFC 5321 allows.
ADDRESS = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,185}\.[A-Za-z]{2,}")


@act("subscription.add")
def subscribe(ctx: ActContext, product: str, address: str) -> None:
    """Send notices of a product's new editions to an address, from the next edition on.

    Raise ActProblem "product.unknown" or "subscription.address". An address that gets them already stays as it is.
    """
    get_product(product)
    address = address.strip()
    if not ADDRESS.fullmatch(address):
        raise ActProblem("subscription.address", N_("Write one e-mail address, like name@example.org."))
    for subscription in store.subscriptions(ctx.session, ctx.centre_id):
        if subscription.product == product and subscription.address == address:
            return
    version = store.find_latest_version(ctx.session, ctx.centre_id, product)
    subscription = Subscription(
        centre_id=ctx.centre_id, product=product, address=address, last_notified_hash="", created_at=ctx.now
    )
    if version:
        # The edition that is there already is no news.
        subscription.last_notified_hash = version[1]
    ctx.session.add(subscription)
    ctx.describe(f"product/{product}")


@act("subscription.end")
def unsubscribe(ctx: ActContext, subscription_id: int, seen: str | None = None) -> None:
    """Stop the notices of one subscription; raise ActProblem "access.not_found"."""
    subscription = ctx.session.get(Subscription, subscription_id)
    if subscription is None or subscription.centre_id != ctx.centre_id:
        raise make_not_found()
    acts = ("subscription.add", "subscription.end")
    check_revision(ctx, seen, subscription, f"product/{subscription.product}", acts)
    ctx.session.delete(subscription)
    ctx.describe(f"product/{subscription.product}")
