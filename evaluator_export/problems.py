"""What can stop a release: by code, a sentence to translate, and the details in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import yaml

from forms.problems import N_

# A whole number and a share (a float from 0 to 1) are written as the reader's language writes them; text stays as it is.
Detail = str | int | float

# By code. docs/problems.md lists them; the command line prints the English, the office the reader's language.
SENTENCES: Mapping[str, str] = {
    "file.missing": N_("There is no file {file}."),
    "file.kind": N_("{file}: give a .csv or .parquet file."),
    "file.unreadable": N_("{file} cannot be read: {why}."),
    "file.unwritable": N_("{file} cannot be written: {why}."),
    "file.damaged": N_("{file} cannot be read."),
    "file.encoding": N_("{file} is not text in UTF-8."),
    "file.yaml": N_("This is not YAML: look at line {line}, column {column}."),
    "table.empty": N_("There are no rows."),
    "table.column": N_("The data have no column “{column}”; they have {columns}."),
    "table.formula": N_("A value begins with a character that spreadsheets run as a formula."),
    "table.key": N_("Pseudonyms need the key of a series; here give that field the role person."),
    "table.combinations": N_("The columns have too many combinations of values; raise the lowest levels of some."),
    "table.ways": N_("There are more than {most} ways to make these columns less detailed. Fix the levels of some."),
    "table.no_way": N_("No way of making these columns less detailed keeps within the policy."),
    "table.promise": N_("The written file does not have what was promised, and was removed."),
    "table.class_size": N_("{small} of {classes} classes in {file} have fewer than {k} persons."),
    "table.distinct": N_("A class in {file} has too few different values of {column} ({distinct}; {least} are needed)."),
    "table.confidence": N_("A class in {file} gives a value of {column} away: {share} of its rows have it."),
    "table.cells": N_("A table that is protected by hiding has at most {most} cells and two columns; use rounding."),
    "advice.persons": N_(
        "The rows are about too few people ({persons}; {k} are needed). Wait for more, or take a longer period."
    ),
    "advice.share": N_("It would work if up to {percent} of the rows could be withheld for good (max_rows: {share})."),
    "advice.pinned": N_("Or let these become less detailed than their limit: {columns}."),
    "advice.group": N_("Or let somebody by name waive the limit for groups of “{column}” (max_group_rate: waived)."),
    "advice.nothing": N_("Even all together, the rows do not have what the policy asks of a class."),
    "policy.format": N_("This is no policy: it must begin with “deid: {format}”."),
    "policy.key": N_("“{key}” is not known here; there are {known}."),
    "policy.mapping": N_("It is missing, or is not a list of names with values."),
    "policy.number": N_("It must be a number from {least} to {most}."),
    "policy.default_role": N_("default_role can only be drop: a column that is not named never leaves."),
    "policy.one_person": N_("Only one field can say whose row it is (person or pseudonym)."),
    "policy.role": N_("“{role}” is no role; there are {known}."),
    "policy.no_identifier": N_("The policy has no quasi-identifier: nothing says what others may know about a person."),
    "policy.no_hierarchy": N_("A quasi-identifier needs a hierarchy."),
    "policy.levels": N_("min and max must be levels from 0 to {top} ({levels}), min not above max."),
    "policy.hierarchy": N_(
        "“{hierarchy}” is no hierarchy; write file:NAME, bins[5,10], bands[1,2,4], date[month,year] or h3[8,7]."
    ),
    "policy.whole_numbers": N_("“{hierarchy}” needs whole numbers between its brackets."),
    "policy.resolutions": N_("“{hierarchy}”: resolutions go down one by one, as in h3[8,7,6]."),
    "policy.rising": N_("“{hierarchy}”: the numbers must rise."),
    "policy.preset": N_("There is no preset “{preset}”; there are {known}."),
    "policy.k": N_("k must be a whole number: how many persons a class has at least."),
    "policy.k_floor": N_("k is {k}; it may never be under {least}."),
    "policy.t_field": N_("Name a field and its max, as in field: outcome, max: 0.4."),
    "policy.l_field": N_("Name a field of the policy, as in field: outcome, distinct: 2."),
    "policy.mode": N_("mode is “{mode}”; write global or local."),
    "policy.no_field": N_("There is no field “{field}”."),
    "policy.controls": N_("{name} is “{value}”; write high, medium or low."),
    "policy.count": N_("{name} must be a whole number above 0."),
    "policy.breach": N_("breach must be a share from 0 to 1: of such bodies, how many have a breach in a year."),
    "policy.population": N_("There are more participants than people in the population."),
    "hierarchy.nest": N_("“{label}” lies in two values of “{level}”: the levels do not nest."),
    "hierarchy.divide": N_("{small} does not divide {large}: the levels do not nest."),
    "hierarchy.cells": N_("This row has another number of cells than the first ({cells} instead of {columns})."),
    "hierarchy.empty": N_("The hierarchy has no values."),
    "hierarchy.dates": N_("A date has the levels {levels}, in this order; not {names}."),
    "dataset.format": N_("This is no dataset: it must begin with “dataset: {format}”."),
    "dataset.lacks": N_("The dataset lacks: {keys}."),
    "dataset.form": N_("There is no form “{form}”."),
    "dataset.family": N_("family is “{family}”; write events or people."),
    "dataset.policy": N_("The policy is not a list of names with values."),
    "dataset.local": N_("The mode local is for a table that is made once; a dataset withholds rows until later instead."),
    "dataset.consent": N_("A dataset about people needs a consent."),
    "dataset.keep": N_(
        "The form stores “{column}” only with consent {keep}, and the dataset takes rows from {minimum}. Raise the minimum "
        "of its consent, or remove the column."
    ),
    "dataset.purpose": N_("“{column}” is stored for one purpose only ({keep}), so it leaves in no dataset."),
    "dataset.question": N_("The form {form} has no question “{question}”."),
    "dataset.hierarchy": N_("There is no hierarchy “{hierarchy}”; there are {known}."),
    "dataset.never": N_("“{column}” has the privacy class {privacy} and never leaves."),
    "dataset.unclassified": N_("“{column}” has no privacy class, so it never leaves."),
    "dataset.export": N_("The form says that “{column}” leaves only as: {export}."),
    "dataset.generalize": N_("The form says that “{column}” must be made less detailed; give a hierarchy."),
    "dataset.identifier": N_("“{column}” is a quasi-identifier; it cannot have the role {role}."),
    "dataset.who": N_("“{column}” says who; a dataset of events says where, when and what, never who."),
    "dataset.where_when": N_("“{column}” says where or when; a dataset about people says neither."),
    "dataset.time": N_("“{column}” must be a half-year or longer in a dataset about people."),
    "recipe.format": N_("This is no recipe: it must begin with “recipe: {format}”."),
    "recipe.lacks": N_("The recipe lacks: {keys}."),
    "recipe.audience": N_("audience is “{audience}”; write one of {known}."),
    "recipe.threshold": N_("threshold is {threshold}; it may never be under {least}."),
    "recipe.city": N_(
        "The City gets tables only: what it has can be asked for by others. Remove the datasets from the recipe."
    ),
    "recipe.table": N_("There is no table “{table}”; there are {known}."),
    "recipe.dataset": N_("There is no dataset “{dataset}”; there are {known}."),
    "recipe.twice": N_("“{name}” is there twice."),
    "recipe.only_counted": N_("“{column}” is released in tables only: in rows it would make them recognizable. Remove it."),
    "recipe.column": N_("There is no column “{column}” in {dataset}."),
    "recipe.level": N_("“{column}” has no level {level}."),
    "recipe.staff": N_("This table is for front-line staff; no recipe can choose it."),
    "recipe.headings": N_("A table is by one column at least, by {most} at most."),
    "recipe.exact": N_("Only events held and shifts are counted exactly; the counts of this dataset are rounded."),
    "recipe.domain": N_("“{column}” has no list of values, so a table cannot say what there is. Give it a hierarchy."),
    "recipe.method": N_("method is round, suppress or exact; counts is events or persons."),
    "recipe.persons": N_("Persons can be counted only in a dataset with a person and a consent."),
    "recipe.city_people": N_("For the City, a dataset about people is counted in persons."),
    "recipe.margins": N_("Only a table by two columns has margins."),
    "period.format": N_(
        "“{period}” is not a period. Write 2026-W47 for a week, 2026-10 a month, 2026-Q4 a quarter, 2026 a year."
    ),
    "period.weeks": N_("“{period}”: that year has 52 weeks."),
    "period.not_week": N_("“{period}” is not a week."),
    "period.not_month": N_("“{period}” is not a month."),
    "period.not_quarter": N_("“{period}” is not a quarter."),
    "period.not_year": N_("“{period}” is not a year."),
    "ledger.damaged": N_(
        "The ledger of {dataset} is damaged or lost, so nothing more of it is published. Restore it from a backup."
    ),
    "ledger.order": N_("Entry {number} does not follow the one before it."),
    "ledger.head": N_("Its last entry is not the one that the dataset remembers."),
    "ledger.no_entry": N_("It has rows of a batch that has no entry."),
    "ledger.rows": N_("The rows of batch {number} are not those that were published."),
    "ledger.twice": N_("It has a row that was published twice."),
    "ledger.handed_out": N_("Batch {number} was released for {period}, and the ledger does not know it."),
    "ledger.policy": N_(
        "The policy of {dataset} was changed after its first batch. A changed policy is a new dataset, under another name. "
        "It begins with records that never left: what left under the old name stays out of it."
    ),
    "pseudonym.linked": N_(
        "With pseudonyms, {share} of people could be recognized by two of their rows, more than {limit}. "
        "Remove the pseudonym, or make the other columns less detailed."
    ),
    "package.key": N_("“{key}” is no age public key; it begins with “age1” and has 62 characters."),
    "package.promise": N_("The package does not have what it promises, so it was not signed."),
    "package.check": N_("verify.py: {line}"),
    "package.rows": N_("{file} does not have the rows of {csv}."),
    "package.row_count": N_("{file} does not have as many rows as {csv}."),
    "package.sheets": N_("data.xlsx has other sheets than it should."),
    "package.sheet": N_("data.xlsx: the sheet {sheet} is not {csv}."),
    "indicator.choice": N_("{key} must be one of {known}."),
    "indicator.ripens": N_("ripens is a whole number of days, from 0 to {most}."),
    "indicator.denominator": N_("A share needs a denominator, in English and in French."),
    "indicator.words": N_("{key} is needed in English and in French."),
    "indicator.twice": N_("This indicator is there twice."),
    "city.letter": N_("The letter “{kind}” of {sender} is not signed with its key, or was changed on its way."),
    "city.name": N_("“{name}” is no name for a centre: small letters, digits and hyphens, at most 40; not “city”."),
    "city.twice": N_("Two cards have the name “{name}”. One of these centres chooses another: fieldapp city card --name"),
    "city.few": N_("There are {number} centres; {least} are needed."),
    "city.least": N_("{least} of {centres} centres would open a sum; it must be {needed} or more."),
    "city.thin": N_("{table} has two columns; its cells are too small for fewer than {least} centres."),
    "city.layout": N_("{table} is not counted alike. All centres need the same version of the program and its tables."),
    "city.year": N_(
        "In {year} this centre takes part with another list of centres. Who joins or leaves does so at a new year."
    ),
    "city.used": N_("{period}, attempt {attempt}, was called before with other words. Nothing was answered."),
    "city.joined": N_("This centre takes part in quarters that begin on or after {day}; {period} begins earlier."),
    "city.calendar": N_("{period} is no quarter. Sums are of whole quarters, so that none can be subtracted from another."),
    "city.early": N_("The numbers of {period} are not published here yet."),
    "city.roster": N_("For {period} this centre agreed on another list of centres. It agrees on one a period."),
    "city.list": N_("The City’s list of “{kind}” is not the one that the centres answered. Nothing was opened."),
    "city.share": N_("What {sender} sent to this centre cannot be opened."),
    "city.opened": N_("The numbers of {sender} cannot be opened: what it shared does not fit."),
    "city.numbers": N_("{sender} sent other numbers than were called for."),
    "city.bounds": N_(
        "{table}, {cell}: this sum cannot be, beside what the centres publish. A centre sent wrong numbers; nobody signed."
    ),
    "partner.large": N_("The file is over 1 MB; send totals, not rows about people."),
    "partner.csv": N_("This is not CSV."),
    "partner.columns": N_("The file lacks the columns {missing}. It needs: {columns}."),
    "partner.rows": N_("The file has over {most} rows; send totals, not rows about people."),
    "partner.empty": N_("{column} is empty."),
    "partner.formula": N_("{column} begins with a character that spreadsheets run as a formula."),
    "partner.unit": N_("unit is “{unit}”; write one of {known}."),
    "partner.backwards": N_("The period ends before it begins."),
    "partner.days": N_("from and to are days, like 2026-01-31."),
    "partner.value": N_("value is “{value}”; write a number, or <{threshold} where it is too small to show."),
    "partner.small": N_("The count {value} could point to somebody; write <{threshold} instead, or join it with others."),
    "partner.spans": N_("The period {period} has two different spans."),
    "partner.overlap": N_("The periods {period} and {other} overlap."),
    "partner.units": N_("It has two units or titles."),
    "partner.part_twice": N_("The part “{part}” is there twice."),
    "partner.no_total": N_("The row with the part “{part}” is missing."),
    "partner.sum": N_("The parts add up to {sum}, the total says {total}."),
    "partner.over": N_("The parts add up to more than the total of {total}."),
    "partner.under": N_("The parts cannot add up to the total of {total}, whatever is hidden."),
    "partner.worked_out": N_(
        "A hidden part can be worked out from the rest and the total; hide more, join parts, or round."
    ),
    "partner.percent": N_("{value} is over 100 percent."),
    "partner.fraction": N_("{value} is no whole number; a count is one."),
    "partner.bound": N_("A hidden part must be one of {least} numbers or more; write <20."),
    "partner.span": N_("The period must lie between {earliest} and today."),
    "release.agreement": N_("The agreement with the recipient ended on {day}; nothing more goes out."),
    "release.disk": N_("The disk of {folder} has {free} MB left; this release needs about {needed} MB."),
}


@dataclass(frozen=True)
class Reason:
    """One reason why something cannot be made or handed out.

    `where` leads to it from the outside in: names of a dataset, table, field or key of a file; a whole number is a row of
    a file, counted from 1.

        Reason("policy.k_floor", {"k": 2, "least": 3}, ("visits", "model"))
    """

    code: str
    details: Mapping[str, Detail] = field(default_factory=dict)
    where: tuple[str | int, ...] = ()

    @property
    def text(self) -> str:
        """The English sentence, to translate; its details are in braces."""
        return SENTENCES[self.code]

    def inside(self, *where: str | int) -> "Reason":
        """Return this reason as one of something that lies around it."""
        return replace(self, where=(*where, *self.where))

    def __str__(self) -> str:
        return write_in_english(self.text, self.details, self.where)


class ExportProblem(Exception):
    """A release that must not be built, or a package that is not what it says.

    Carries every reason.
    """

    def __init__(self, *reasons: Reason):
        super().__init__("\n".join(str(reason) for reason in reasons))
        self.reasons = reasons


def write_in_english(text: str, details: Mapping[str, Detail], where: Sequence[str | int] = ()) -> str:
    """Return a sentence with its details: "visits: Row 3: unit is empty."."""
    places = [f"Row {place}" if isinstance(place, int) else place for place in where]
    if details:  # else a sentence of an older version may have a brace of its own
        text = text.format(**{name: _in_english(value) for name, value in details.items()})
    return ": ".join([*places, text])


def _in_english(value: Detail) -> str:
    if isinstance(value, float):
        return f"{value:.1%}"
    if isinstance(value, int):
        return f"{value:,}"
    return value


def make_yaml_reason(error: Exception) -> Reason:
    """Return where a text stops being YAML, without the library's English words."""
    mark = getattr(error, "problem_mark", None)
    # A line and column are the reader's own file; the library's sentence would be English on a
    # French page.
    if not isinstance(error, yaml.MarkedYAMLError) or mark is None:
        return Reason("file.yaml", {"line": 1, "column": 1})
    return Reason("file.yaml", {"line": mark.line + 1, "column": mark.column + 1})
