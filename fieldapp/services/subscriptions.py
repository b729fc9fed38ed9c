"""Who is told when a product has a new edition."""

import re

from fieldapp.services.acts import Act, act
from fieldapp.services.problems import N_, ActProblem, not_found
from fieldapp.services.product_list import product_named
from fieldapp.services.revisions import check_revision
from fieldapp.store import products as store
from fieldapp.store.products import Subscription

ADDRESS = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,185}\.[A-Za-z]{2,}")


@act("subscription.add")
def subscribe(a: Act, product: str, address: str) -> None:
    product_named(product)
    address = address.strip()
    if not ADDRESS.fullmatch(address):
        raise ActProblem("subscription.address", N_("Write one e-mail address, like name@example.org."))
    if any(one.product == product and one.address == address for one in store.subscriptions(a.session, a.centre_id)):
        return
    mark = store.latest_mark(a.session, a.centre_id, product)
    a.session.add(
        Subscription(
            centre_id=a.centre_id, product=product, address=address, told_of=mark[1] if mark else "", created_at=a.now
        )
    )
    a.note(f"product/{product}")


@act("subscription.end")
def unsubscribe(a: Act, subscription_id: int, seen: str | None = None) -> None:
    found = a.session.get(Subscription, subscription_id)
    if found is None or found.centre_id != a.centre_id:
        raise not_found()
    check_revision(a, seen, found, f"product/{found.product}", ("subscription.add", "subscription.end"))
    a.session.delete(found)
    a.note(f"product/{found.product}")
