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
        "pull.fetch", "form.fetch", "instance.receive", "labels.keep", "manifest.fetch", "map.fetch", "record.fetch_own", "person.code_password",
    },
    "crisis": {
        "sign_on.check", "sign_on.link", "sign_on.link_by_code", "sign_on.unlink_own", "sign_on.view",
        "board.request", "board.report", "board.view", "board.step", "map.view", "person.own_password", "person.view_own",
        "one_time_code.accept", "person.code_password", "passkey.add", "passkey.remove", "recovery_codes.make", "second_factor.check",
        "second_factor.set", "second_factor.view", "session.end_others", "session.end_own", "session.list",
    },
    "evaluator": {
        "sign_on.check", "sign_on.link", "sign_on.link_by_code", "sign_on.unlink_own", "sign_on.view",
        "one_time_code.accept", "person.code_password", "passkey.add", "passkey.remove", "recovery_codes.make", "second_factor.check",
        "person.own_password", "person.view_own", "release.attest_deletion", "release.attest_withdrawal", "release.download", "releases.list", "second_factor.view",
        "second_factor.set", "session.end_others", "session.end_own", "session.list",
    },
    "admin": {
        "sign_on.check", "sign_on.link", "sign_on.link_by_code", "sign_on.unlink_own", "sign_on.view",
        "sign_on.trust", "sign_on.unlink",
        "one_time_code.accept", "person.code_password", "passkey.add", "passkey.remove", "recovery_codes.make", "second_factor.check", "one_time_code.give",
        "second_factor.ask",
        "audit.export", "audit.view", "attachment.open", "board.request", "board.report", "board.view", "board.step", "card.hand_over", "follow_ups.hand_over", "caseload.list",
        "phone_rules.change", "classes.propose", "consent.end_card", "consent.lower_card", "consent.view", "consent.take_record", "copy.import", "delivery.retry", "device.set_up_collect", "device.give_up", "device.invite", "device.revoke", "draft.begin",
        "draft.change", "draft.classify", "draft.discard", "draft.publish", "draft.view", "drafts.list", "feed_key.make",
        "feed_key.revoke", "feed_keys.list", "product.view", "form.open", "form.publish", "form.withdraw", "forms.list",
        "hold.agree_shorten", "hold.confirm", "hold.make", "hold.shorten", "home.view", "map.view", "partner.import", "partner.remove", "people.list", "person.add", "person.own_password", "person.reset_password",
        "person.view_own", "person.set_active", "release.preview", "product.switch", "product.download", "products.list", "record.resolve", "record.open",
        "record.erase", "record.review", "records.browse", "records.export", "release.attest_deletion", "release.attest_withdrawal", "release.download", "release.retry",
        "release.revoke", "releases.list", "retention.confirm_day", "retention.delay", "retention.view", "second_factor.reset", "second_factor.view", "second_factor.set", "series.change", "series.view", "session.end_others", "session.end_own", "session.list",
        "submission.let_in", "submission.open", "submission.dismiss", "subscription.add", "subscription.end", "system.view",
        "withdrawals.view",
    },
    "system": {
        "answers.cut", "areas.import", "board.report", "board.view", "caseload.rebuild", "city.give_numbers", "city.join", "consent.end_listed", "consent.lower_listed", "database.restore", "datasets.install", "feed.read", "feed_key.make", "form.publish", "key.make",
        "key.make_data", "key.make_signing", "key.rewrap", "one_time_code.give", "second_factor.ask", "partner.import", "people.list", "person.add", "person.reset_password", "product.build", "product.switch",
        "records.export", "refusals.cut", "release.build",
        "release.deliver", "release.draw_withdrawals", "release.revoke", "hold.agree_shorten", "hold.confirm", "retention.plan", "retention.run", "retention.view", "retention.tick",
        "sign_on.trust",
        "pieces.count_again", "pieces.freeze", "pieces.take_back",
        "slip.end", "slip.lower", "submission.let_in", "tables.count", "withdrawal.advance",
    },
}  # fmt: skip

RUNNERS = {f"{kind}.<locals>.wrap_function.<locals>.run" for kind in ("act", "read_act", "view_act")}


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
