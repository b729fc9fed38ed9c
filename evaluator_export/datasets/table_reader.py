"""Read tables of the menu as an audience gets them, with everything that is wrong at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evaluator_export.datasets.dataset_spec import ConsentRule, DatasetSpec, Family
from evaluator_export.datasets.recipe import Audience, Method, TableSpec
from evaluator_export.policy.hierarchies import Hierarchy, make_choice_hierarchy
from evaluator_export.policy.policy import Role
from evaluator_export.policy.thresholds import HARD_FLOOR
from evaluator_export.problems import Detail, ExportProblem, Reason
from forms.definition import FormDefinition
from forms.question_type import AnswerKind
from forms.roles import FormRole

PUBLIC_TIER = 3  # the consent level that counting people in public numbers needs
MOST_HEADINGS = 3
OF_THINGS = (FormRole.EVENT, FormRole.SHIFT)
EVENTS = "events"  # what a table counts; the words of the format
PERSONS = "persons"

Menu = Sequence[Mapping[str, Any]]  # tables as written: name, dataset, by, title, counts, method


def read_tables_for_audience(
    audience: Audience,
    names: Sequence[str],
    datasets: Mapping[str, DatasetSpec],
    definitions: Mapping[str, FormDefinition],
    menu: Menu,
) -> dict[str, TableSpec]:
    """Return tables of the menu as an audience gets them, by name.

    Raises ExportProblem with everything that is wrong in them.
    """
    reader = TableReader(audience, datasets, definitions)
    tables = reader.read_tables(names, menu)
    reader.raise_problems()
    return {table.name: table for table in tables}


class TableReader:
    """Reads tables for one audience; what is wrong with them is collected in `problems`."""

    def __init__(
        self,
        audience: str,
        datasets: Mapping[str, DatasetSpec],
        definitions: Mapping[str, FormDefinition],
    ):
        self.audience = audience
        self.datasets = datasets
        self.definitions = definitions
        self.problems: list[Reason] = []

    def refuse(self, code: str, details: Mapping[str, Detail] | None = None, *where: str) -> None:
        self.problems.append(Reason(code, details or {}, where))

    def raise_problems(self) -> None:
        """Raise ExportProblem with everything that was wrong; nothing when all was well."""
        if self.problems:
            raise ExportProblem(*self.problems)

    def refuse_dataset(self, name: Any, names: Iterable[str], *where: str) -> None:
        details = {"dataset": str(name), "known": ", ".join(sorted(names))}
        self.refuse("recipe.dataset", details, *where)

    def read_tables(self, names: Sequence[str], menu: Menu) -> list[TableSpec]:
        """Return tables of the menu by name, without those that are wrong."""
        offered = {str(item["name"]): item for item in menu}
        table_names = ", ".join(offered)
        for name in names:
            if name not in offered:
                self.refuse("recipe.table", {"table": name, "known": table_names})
        tables = [self.read_table(offered[name]) for name in names if name in offered]
        return [table for table in tables if table]

    def read_table(self, item: Mapping[str, Any]) -> TableSpec | None:
        """Return a table as the audience gets it; None when its dataset is not there."""
        name = str(item.get("name"))
        # Staff see levels that are too fine for anybody outside; a recipe must not choose such a
        # table by its name.
        if item.get("audience") == Audience.STAFF and self.audience != Audience.STAFF:
            self.refuse("recipe.staff", {}, name)
        dataset = self.datasets.get(str(item.get("dataset")))
        if dataset is None:
            self.refuse_dataset(item.get("dataset"), self.datasets, name)
            return None
        headings = item.get("by") or ()
        by = tuple((str(part["column"]), int(part.get("level", 0))) for part in headings)
        if not 1 <= len(by) <= MOST_HEADINGS:
            self.refuse("recipe.headings", {"most": MOST_HEADINGS}, name)
        sources = self.read_sources(name, by, dataset)
        method = str(item.get("method", Method.ROUND))
        counts = str(item.get("counts", EVENTS))
        if method not in list(Method) or counts not in (EVENTS, PERSONS):
            self.refuse("recipe.method", {}, name)
            method = Method.ROUND
        if method == Method.EXACT and not self.counts_things(dataset, counts, sources):
            self.refuse("recipe.exact", {}, name)
        person = ""
        consent = None
        if counts == PERSONS:
            person, consent = self.read_persons(name, dataset)
        # A table about people that counts rows instead of persons would show one person with many
        # rows as many.
        elif dataset.family != Family.EVENTS and self.audience == Audience.CITY:
            self.refuse("recipe.city_people", {}, name)
        threshold = int(item.get("threshold", 0))
        if threshold and threshold < HARD_FLOOR:
            details = {"threshold": threshold, "least": HARD_FLOOR}
            self.refuse("recipe.threshold", details, name)
        if item.get("margins") and len(by) != 2:
            self.refuse("recipe.margins", {}, name)
        return TableSpec(
            name=name,
            dataset=dataset,
            by=by,
            sources=tuple(sources),
            title=item.get("title") or {"en": name, "fr": name},
            person=person,
            consent=consent,
            method=Method(method),
            threshold=threshold,
            days=int(item.get("days", 0)),
            has_margins=bool(item.get("margins")),
        )

    def counts_things(self, dataset: DatasetSpec, counts: str, sources: Iterable[tuple[str, Hierarchy, int]]) -> bool:
        """Say whether a table counts events held or shifts, by nothing sensitive.

        Anybody can see and count those.
        """
        form = self.definitions[dataset.form]
        questions = {question for question, _, _ in sources}
        asked = [element for element in form.elements if element.is_answered and form.column(element) in questions]
        is_about_somebody = any(element.privacy in ("identifier", "sensitive") for element in asked)
        return counts == EVENTS and form.role in OF_THINGS and not is_about_somebody

    def read_persons(self, name: str, dataset: DatasetSpec) -> tuple[str, ConsentRule | None]:
        """Return the question with the card code, and the consent that counting persons needs."""
        person = ""
        if dataset.policy.person:
            person = dataset.columns[dataset.policy.person].question
        consent = dataset.consent
        if not person or consent is None:
            self.refuse("recipe.persons", {}, name)
        elif self.audience == Audience.CITY:
            # Without `unless_question`: every row that counts is about a person.
            # For everybody: being counted in public needs the highest consent, whatever the dataset
            # asks for.
            consent = ConsentRule(consent.question, max(consent.minimum, PUBLIC_TIER))
        return person, consent

    def read_sources(
        self, name: str, by: Sequence[tuple[str, int]], dataset: DatasetSpec
    ) -> list[tuple[str, Hierarchy, int]]:
        """Return the question, hierarchy and level of each column of a table.

        Only staff may see levels below the lowest at which rows leave.
        """
        fields = {field.name: field for field in dataset.policy.fields if field.role != Role.PERSON}
        sources = []
        for column, written_level in by:
            field = fields.get(column)
            if field is None:
                details = {"column": column, "dataset": dataset.name}
                self.refuse("recipe.column", details, name)
                continue
            question = dataset.columns[column].question
            hierarchy = field.hierarchy
            if hierarchy is None:
                hierarchy = self.find_choice_hierarchy(name, dataset, question)
            if hierarchy is None:
                continue
            level = written_level
            # Raised, not refused: a menu is shared by all audiences, and each gets it as fine as it
            # may.
            if self.audience != Audience.STAFF:
                level = max(level, field.minimum)
            if not 0 <= level <= hierarchy.top:
                self.refuse("recipe.level", {"column": column, "level": level}, name)
                continue
            sources.append((question, hierarchy, level))
        return sources

    def find_choice_hierarchy(self, table: str, dataset: DatasetSpec, question: str) -> Hierarchy | None:
        """Return the hierarchy of a question that the policy gives none: its choices, or all.

        Reports a question that is not there, and one without choices: each of its answers would be "other".
        """
        definition = self.definitions[dataset.form]
        for element in definition.elements:
            if element.is_answered and definition.column(element) == question:
                names = [choice.name for choice in definition.choices.get(element.choices, ())]
                if element.answer_kind == AnswerKind.TICK:
                    names = ["OK"]
                if names:
                    return make_choice_hierarchy(names)
                self.refuse("recipe.domain", {"column": question}, table)
                return None
        self.refuse("dataset.question", {"form": definition.id, "question": question}, table)
        return None
