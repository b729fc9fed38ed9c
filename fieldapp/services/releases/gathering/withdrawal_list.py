"""The list of rows that a recipient must delete, by the rows of their own files."""

from collections.abc import Mapping
from typing import Any

from evaluator_export.series.withdrawal import (
    ListedAs,
    ListLine,
    WithdrawalList,
    find_places,
    number_rows,
    sort_lines,
)
from fieldapp.services.releases.gathering.assembly import Assembly, SentPackage
from fieldapp.services.releases.gathering.ledger_state import parse_entry
from fieldapp.services.releases.withheld import list_batches
from fieldapp.store.releases import withdrawals

PlacesByBatch = Mapping[tuple[str, int], set[int]]


def make_withdrawal_list(assembly: Assembly) -> WithdrawalList:
    """Return what the package tells its recipient to delete.

    Rows of earlier packages of the series that were withdrawn since; what the recipient has not said to be deleted is
    listed again.
    """
    replaces = [{"period": package.period, "sha256": package.sha256} for package in assembly.replaced]
    if not assembly.recipe.views and not any(list_batches(package.manifest) for package in assembly.sent):
        return WithdrawalList(replaces=replaces)
    places = _load_places(assembly)
    without_order = withdrawals.batches_without_order(assembly.session, assembly.centre_id)
    lines: list[ListLine] = []
    for package in assembly.sent:
        lines += _list_rows(assembly, package, places)
        for name, number in list_batches(package.manifest):
            if (name, number) in without_order:
                lines.append(ListLine(name, package.period, number, what=ListedAs.ORDER_UNKNOWN))
    return WithdrawalList(sort_lines(lines), replaces)


def _load_places(assembly: Assembly) -> PlacesByBatch:
    """Return the places of the rows to be listed, by batch: dataset and number."""
    settled = max((package.listed_round for package in assembly.sent if package.is_settled), default=0)
    names = {stored.id: name for name, stored in assembly.catalogue.stored.items()}
    places: dict[tuple[str, int], set[int]] = {}
    for row in withdrawals.of_centre(assembly.session, assembly.centre_id):
        if row.place is not None and row.round_id is not None and row.round_id > settled:
            places.setdefault((names[row.dataset_id], row.number), set()).add(row.place)
    return places


def _list_rows(assembly: Assembly, package: SentPackage, places: PlacesByBatch) -> list[ListLine]:
    """Return the lines for one earlier package."""
    secret = bytes.fromhex(assembly.series.secret)
    lines: list[ListLine] = []
    for name, dataset in package.manifest["datasets"].items():
        left_out: dict[str, Any] = dataset.get("left_out", {})
        for body in dataset.get("ledger", {}).get("entries", ()):
            entry = parse_entry(body)
            withdrawn = places.get((name, entry.number))
            if not withdrawn:
                continue
            missing = find_places(secret, entry, left_out.get(str(entry.number), ()))
            rows = number_rows(secret, entry, missing)
            for place in withdrawn - missing:
                lines.append(ListLine(name, package.period, entry.number, rows[place], ListedAs.DELETE))
    return lines
