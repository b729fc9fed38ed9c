"""Who is told when a product has a new edition."""

import re

from fieldapp.services.acts import ActContext, act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.products.catalogue import product_named
from fieldapp.services.revisions import check_revision
from fieldapp.store.products import products as store
from fieldapp.store.products.products import Subscription

ADDRESS = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,185}\.[A-Za-z]{2,}")


@act("subscription.add")
def subscribe(ctx: ActContext, product: str, address: str) -> None:
    product_named(product)
    address = address.strip()
    if not ADDRESS.fullmatch(address):
        raise ActProblem("subscription.address", N_("Write one e-mail address, like name@example.org."))
    if any(one.product == product and one.address == address for one in store.subscriptions(ctx.session, ctx.centre_id)):
        return
    mark = store.find_latest_version(ctx.session, ctx.centre_id, product)
    ctx.session.add(
        Subscription(
            centre_id=ctx.centre_id,
            product=product,
            address=address,
            last_notified_hash=mark[1] if mark else "",
            created_at=ctx.now,
        )
    )
    ctx.describe(f"product/{product}")


@act("subscription.end")
def unsubscribe(ctx: ActContext, subscription_id: int, seen: str | None = None) -> None:
    found = ctx.session.get(Subscription, subscription_id)
    if found is None or found.centre_id != ctx.centre_id:
        raise make_not_found()
    check_revision(ctx, seen, found, f"product/{found.product}", ("subscription.add", "subscription.end"))
    ctx.session.delete(found)
    ctx.describe(f"product/{found.product}")
