"""A centre without a database: invented records, the ledger in memory, releases as files. For tests and benchmarks."""

import datetime as dt
import functools
import hashlib
import random
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluator_export.datasets import recipe_reader
from evaluator_export.datasets.dataset_reader import read_dataset
from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.datasets.recipe import Recipe
from evaluator_export.package import seal, write
from evaluator_export.periods import parse
from evaluator_export.series import batch, ledger
from evaluator_export.series.eligible_rows import EligibleRows
from evaluator_export.series.ledger import LedgerEntry
from evaluator_export.series.participant_months import ParticipantMonths
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedBatch
from evaluator_export.series.withdrawal import WithdrawalList, sort_lines
from evaluator_export.tables import protected_counts
from evaluator_export.tables.protected_counts import CellCounter, Published
from evaluator_export.tabular import CategoricalColumn
from evaluator_export.yaml_text import read_yaml
from fieldapp.services.releases.datasets import (
    hierarchies,
    hierarchy_words,
    load_count_only_datasets,
    load_program_datasets,
    load_program_recipe,
    load_table_menu,
)
from tests.programme import FORMS as FORM_IDS
from tests.programme import definition_of

FORMS = {form: definition_of(form) for form in FORM_IDS}
SEED = b"k" * 32
KEY = seal.public_key(SEED)
Row = dict[str, str]
Records = Mapping[str, Iterable[tuple[str, Row]]]


@functools.cache  # frozen, and asked for by nearly every test
def dataset_of(text: str) -> DatasetSpec:
    body = read_yaml(text)
    return read_dataset(text, FORMS.get(body.get("form", "")), hierarchies())


def all_datasets(**changes: Callable[[str], str]) -> dict[str, DatasetSpec]:
    """Return the programme's datasets, some of them changed in their text."""
    texts = {**load_count_only_datasets(), **load_program_datasets()}
    return {name: dataset_of(changes.get(name, str)(text)) for name, text in texts.items()}


def recipe_of(
    key: str = "evaluator-quarterly", datasets: dict[str, DatasetSpec] | None = None, text: str = "", menu: str = ""
) -> Recipe:
    tables = read_yaml(menu) if menu else load_table_menu()
    return recipe_reader.read_recipe(text or load_program_recipe(key), datasets or all_datasets(), FORMS, tables)


def encounters(count: int, seed: int = 1, months: Iterable[int] = (7, 8, 9), first: int = 0) -> list[tuple[str, Row]]:
    chance, months = random.Random(seed), list(months)
    made = []
    for number in range(first, first + count):
        row = {
            "contact_type": chance.choice(["check_in", "presence", "deesc"]),
            "mode": "in_person",
            "setting": chance.choice(["street", "street", "park"]),
            "enc_date": f"2026-{chance.choice(months):02}-1{chance.randrange(10)}",
            "enc_hour": chance.choice(["14", "19", "22"]),
            "nbhd": chance.choice(["002", "004", "004", "111"]),
            "people_n": "2",
            "who": chance.choice(["group", "new_person", "enrolled", "known_not_enrolled"]),
            "code": f"CANARY-CODE-{chance.randrange(count)}",
            "risk_now": chance.choice(["low", "high", "none"]),
            "minutes": "lt5",
            "support": "listened food",
            "ref_made": "no",
            "note": "CANARY-NOTE",
            "safeto_default": "prev",
            "tier": chance.choice(["0", "1", "2", "3"]),
            "lang_used": "CANARY-LANG",
        }
        made.append((f"CANARY-UNIT-{seed}-{number}", row))
    return made


def participants(count: int, seed: int = 1) -> list[tuple[str, Row]]:
    chance = random.Random(seed)
    return [
        (
            f"CANARY-PERSON-{seed}-{number}",
            {
                "kind": "intake",
                "month_in": f"2026-0{chance.choice([4, 7, 8, 9])}-01",
                "came_by": "outreach",
                "code": f"CANARY-{seed}-{number}",
                "tier": chance.choice("223"),
                "age_band": chance.choice(["12-15", "16-19", "20-24", "30-39"]),
                "gender": chance.choice(["woman_girl", "man_boy", "man_boy", "nonbinary"]),
                "race": chance.choice(["black", "black", "white", "south_asian", "black white"]),
                "risk_level": chance.choice(["low", "high", "moderate"]),
                "housing": "stable",
                "needs": "food work",
            },
        )
        for number in range(count)
    ]


@dataclass
class Memory:
    entries: list[LedgerEntry] = field(default_factory=list)
    tags: dict[int, bytes] = field(default_factory=dict)
    files: dict[int, dict[str, CategoricalColumn]] = field(default_factory=dict)
    reports: dict[int, dict[str, Any]] = field(default_factory=dict)
    units: dict[int, list[str]] = field(default_factory=dict)
    named: dict[bytes, str] = field(default_factory=dict)


@dataclass
class PretendCentre:
    """Releases one recipe after the other, remembering as the real one does."""

    folder: Path
    recipe: Recipe = field(default_factory=recipe_of)
    secret: bytes = b"c" * 32
    memories: dict[str, Memory] = field(default_factory=dict)
    states: dict[tuple[str, str], Published] = field(default_factory=dict)
    too_fine: dict[str, float] = field(default_factory=dict)
    remembers_units: bool = True  # for tests that look behind the tags

    def publish(self, period: str, records: Records) -> None:
        """Make the next batch of every dataset from records that have come by now, also those of before."""
        for view in self.recipe.views:
            dataset = view.dataset
            memory = self.memories.setdefault(dataset.name, Memory())
            ledger.verify_ledger(
                dataset.name, memory.entries, ledger.compute_head_hash(dataset.name, memory.entries), memory.tags
            )
            known = {tag for tags in memory.tags.values() for tag in split(tags)}
            rows = EligibleRows(dataset)
            for unit, row in rows_for(dataset, period, records):
                tag = ledger.compute_row_tag(self.secret, unit)
                if tag not in known:
                    rows.add(tag, row)
                if self.remembers_units:
                    memory.named[tag] = unit
            try:
                made = batch.make_batch(dataset, rows, ledger.frozen_levels(memory.entries, dataset.sha256), self.secret)
            except batch.TooFine as found:
                self.too_fine[dataset.name] = found.share
                continue
            if made is None:
                continue
            data, tags = batch.to_bytes(made), made.tags
            number = len(memory.entries) + 1
            memory.entries.append(
                LedgerEntry(
                    dataset.name,
                    number,
                    period,
                    dataset.sha256,
                    made.levels,
                    len(tags) // 16,
                    made.classes,
                    made.smallest,
                    ledger.hash_tags(tags),
                    hashlib.sha256(data).hexdigest(),
                    ledger.compute_head_hash(dataset.name, memory.entries),
                )
            )
            memory.tags[number] = tags
            memory.units[number] = [memory.named[tag] for tag in split(tags)] if self.remembers_units else []
            memory.files[number], memory.reports[number] = batch.from_bytes(data), dict(made.report)

    def package(self, period: str, records: Records, since: int = 0, name: str = "", secret: bytes = b"s" * 32) -> Path:
        """Return a signed package of the batches after number `since`, and the tables of a period."""
        listed = WithdrawalList(sort_lines(())) if self.recipe.views else WithdrawalList()
        occasion = ReleaseContext(
            "Rexdale centre", parse(period), "2026-10-04T00:00:00Z", secret, "An evaluator", withdrawals=listed
        )
        parts = []
        for view in self.recipe.views:
            memory = self.memories.get(view.dataset.name, Memory())
            sent = [
                ReleasedBatch(entry, memory.files[entry.number], memory.reports[entry.number])
                for entry in memory.entries
                if entry.number > since
            ]
            before = ledger.compute_head_hash(view.dataset.name, memory.entries[:since])
            parts.append(write.assemble_dataset(view, sent, before, occasion, withheld=0, without_consent=0, records=0))
        tables = []
        for spec in self.recipe.tables:
            counter = CellCounter(spec, self.secret)
            for unit, row in records.get(spec.dataset.form, ()):
                counter.add(unit, row)
            before_now = self.states.get((spec.key, period))
            protection = protected_counts.make_protection(spec, self.recipe.threshold, self.secret, parse(period))
            published = protected_counts.publish_counts(counter.counted(), before_now, protection)
            self.states[spec.key, period] = published
            tables.append(protected_counts.make_protected_table(spec, period, published))
        folder = self.folder / (name or period)
        shutil.rmtree(folder, ignore_errors=True)
        body = write.write_package_files(self.recipe, parts, tables, FORMS, hierarchy_words(), occasion, folder)
        return sealed(folder, body)


def rows_for(dataset: DatasetSpec, period: str, records: Records) -> Iterable[tuple[str, Row]]:
    if dataset.months is None:
        return records.get(dataset.form, ())
    people = ParticipantMonths(dataset, dataset.months)
    for form in dataset.forms:
        for unit, row in records.get(form, ()):
            people.add(form, unit, row)
    return people.rows(dt.date(2020, 1, 1), parse(period).last)


def split(tags: bytes) -> list[bytes]:
    return [tags[at : at + 16] for at in range(0, len(tags), 16)]


def sealed(folder: Path, body: dict[str, Any] | None = None, seed: bytes = SEED) -> Path:
    """Sign what is in a folder, as somebody with the key could, and put it in a ZIP beside it."""
    if body is None:
        old = seal.parse_manifest((folder / seal.MANIFEST).read_bytes())
        body = {name: value for name, value in old.items() if name not in ("files", "key")}
    manifest = seal.manifest_of(folder, {**body, "key": seal.public_key(seed)})
    (folder / seal.MANIFEST).write_bytes(manifest)
    (folder / seal.SIGNATURE).write_bytes(seal.sign(manifest, seed, "a test"))
    target = folder.with_suffix(".zip")
    seal.zip_up(folder, target)
    return target
