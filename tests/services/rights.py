"""Who may do what, written down a second time and by hand: the tests compare it with services/access.py.

Whoever gives somebody a right changes both, and says why in the commit.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

from fieldapp import services
from fieldapp.services import acts

RIGHTS: dict[str, set[str]] = {
    "worker": {
        "areas.fetch", "attachment.receive", "batch.receive", "collect.fetch", "collect.list", "device.enrol", "device.join",
        "feed.fetch", "form.fetch", "instance.receive", "manifest.fetch", "map.fetch", "record.fetch_own",
    },
    "crisis": {
        "board.ask", "board.report", "board.see", "board.step", "map.see", "person.own_password", "person.see_own",
    },
    "evaluator": {
        "person.own_password", "person.see_own", "release.attest", "release.attest_withdrawal", "release.download", "releases.list", "second_factor.see",
        "second_factor.set",
    },
    "admin": {
        "attachment.open", "board.ask", "board.report", "board.see", "board.step", "card.assign", "caseload.list",
        "centre.rules", "classes.list", "consent.end_card", "consent.lower_card", "consent.see", "consent.take_record", "copy.bring", "delivery.retry", "device.collect", "device.give_up", "device.invite", "device.revoke", "draft.begin",
        "draft.change", "draft.classify", "draft.discard", "draft.publish", "draft.see", "drafts.list", "feed_key.make",
        "feed_key.revoke", "feed_keys.list", "figures.see", "form.open", "form.publish", "form.withdraw", "forms.list",
        "hold.confirm", "hold.make", "home.see", "map.see", "partner.bring", "partner.remove", "people.list", "person.add", "person.own_password", "person.reset",
        "person.see_own", "person.switch", "preview.see", "product.switch", "product.take", "products.list", "record.choose", "record.open",
        "record.erase", "record.review", "records.browse", "records.export", "release.attest", "release.attest_withdrawal", "release.download", "release.retry",
        "release.revoke", "releases.list", "retention.confirm_day", "retention.delay", "retention.see", "second_factor.reset", "second_factor.see", "second_factor.set", "series.change", "series.see",
        "submission.let_in", "submission.open", "submission.settle", "subscription.add", "subscription.end", "system.see",
        "withdrawals.see",
    },
    "system": {
        "areas.bring", "board.report", "board.see", "caseload.rebuild", "consent.end_listed", "database.restore", "datasets.take_in", "feed.pull", "feed_key.make", "form.publish", "key.make",
        "key.make_signing", "partner.bring", "people.list", "person.add", "person.reset", "product.build", "product.switch",
        "records.export", "refusals.cut", "release.build",
        "release.deliver", "release.draw_withdrawals", "release.revoke", "hold.confirm", "retention.plan", "retention.run", "retention.see", "retention.tick",
        "slip.end", "slip.lower", "submission.let_in", "tables.count", "withdrawal.advance",
    },
}  # fmt: skip

RUNNERS = {"act.<locals>.wrap_function.<locals>.run", "read_act.<locals>.wrap_function.<locals>.run"}


def all_acts() -> dict[str, tuple[str, Callable[..., Any]]]:
    """Return every function that is an act, also where several share a name: module and function → name, function.

    All modules of the services are imported for it, those in folders too.
    """
    found = {}
    for module in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isfunction(value) and value.__code__.co_qualname in RUNNERS:
                name = inspect.getclosurevars(value).nonlocals["name"]
                place = value.__module__.removeprefix(f"{services.__name__}.")
                found[f"{place}.{value.__name__}"] = (name, value)
    assert {name for name, _ in found.values()} == set(acts.ACTS)
    return found
