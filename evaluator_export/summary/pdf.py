"""Draw the summary with ReportLab, tagged: the same input gives the same bytes."""

from collections.abc import Sequence
from typing import Any

from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib.units import mm
from reportlab.platypus import KeepTogether, PageBreak, Spacer

from evaluator_export.coarse_counts import coarsen_count
from evaluator_export.datasets.recipe import Method, Recipe, TableSpec
from evaluator_export.labels import Labels
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedDataset
from evaluator_export.summary.tagging import StructureElement, TaggedFigure
from evaluator_export.summary.words import WORDS
from evaluator_export.summary.writer import ACCENT, BOLD, HATCH, INK, PLAIN, SMALL, TITLE, WIDTH, Writer, render
from evaluator_export.tables.protected_counts import ProtectedTable, find_least_shown

MOST_ACROSS = 8  # columns of a table before it turns into rows
MOST_TOGETHER = 20  # rows of a table that is kept on one page with its heading


def draw(
    recipe: Recipe,
    parts: Sequence[ReleasedDataset],
    tables: Sequence[ProtectedTable],
    labels: Labels,
    occasion: ReleaseContext,
    language: str,
) -> bytes:
    """Return the PDF in one language; its numbers are those of tables.csv and report.json."""
    title = f"{recipe.title[language]}, {occasion.period.name}"

    def write(root: StructureElement) -> tuple[Writer, list[Any]]:
        page = _Page(recipe, labels, occasion, language, root)
        return page, page.story(parts, tables)

    return render(write, title, occasion.centre, language)


class _Page(Writer):
    """Writes the story in one language; each paragraph into the structure tree as it is made."""

    def __init__(self, recipe: Recipe, labels: Labels, occasion: ReleaseContext, language: str, root: StructureElement):
        self.words = WORDS[language]
        super().__init__(root, self.words["page"])
        self.recipe = recipe
        self.labels = labels
        self.occasion = occasion
        self.language = language

    def story(self, parts: Sequence[ReleasedDataset], tables: Sequence[ProtectedTable]) -> list[Any]:
        """Return the whole document in its order."""
        words = self.words
        occasion = self.occasion
        period = occasion.period
        story: list[Any] = [
            self.heading(self.recipe.title[self.language], TITLE),
            self.paragraph(words["subtitle"].format(centre=occasion.centre, period=period.name)),
            self.heading(words["purpose"]),
            self.paragraph(self.recipe.purpose[self.language]),
            self.heading(words["what"]),
        ]
        for part in parts:
            story += self.about(part)
        if not parts:
            story.append(self.paragraph(words["tables_only"]))
        story.append(self.paragraph(words["never"]))
        if occasion.withdrawals.rows:
            story.append(self.paragraph(words["to_delete"].format(count=occasion.withdrawals.rows)))
        has_chart = False
        for table in tables:
            # One chart a document: several would have scales that look alike and are not.
            story += self.section(table, not has_chart and len(table.headings) == 1)
            has_chart = has_chart or len(table.headings) == 1
        if parts:
            story += self.report(parts)
        source = words["source"].format(
            centre=occasion.centre, first=period.first, last=period.last, cut_off=occasion.cut_off[:10]
        )
        return [*story, Spacer(1, 8), self.paragraph(source, SMALL)]

    def about(self, part: ReleasedDataset) -> list[Any]:
        """Return what a dataset has, which rows were left out, and what was withdrawn since."""
        words = self.words
        dataset = part.view.dataset
        # The reason comes first where there are no rows: too fine is not the same as too few.
        sentence = words["what_none"]
        if part.too_fine:
            sentence = words["what_fine"]
        elif part.rows:
            sentence = words["what_row"]
        about_rows = sentence.format(
            title=dataset.title[self.language],
            rows=part.rows,
            others=dataset.policy.model.k - 1,
            columns=self.list_columns(part),
        )
        story = [self.paragraph(about_rows)]
        if part.rows:
            story.append(self.paragraph(self.alone(part)))
        left_out = words["left_out"].format(held=_percent(part.withheld_share), refused=_percent(part.without_consent_share))
        story.append(self.paragraph(left_out, SMALL))
        if part.withdrawn:
            count = coarsen_count(part.withdrawn, self.recipe.threshold)
            story.append(self.paragraph(words["withdrawn"].format(count=count), SMALL))
        return story

    def list_columns(self, part: ReleasedDataset) -> str:
        """Return the columns that are made less detailed as words: `age, place and date`."""
        dataset = part.view.dataset
        names = [self.labels.column(dataset, name, self.language).lower() for name in part.levels]
        if len(names) < 2:
            return "".join(names)
        return ", ".join(names[:-1]) + self.words["and"] + names[-1]

    def alone(self, part: ReleasedDataset) -> str:
        """Return the sentence about someone who knows every column of a row.

        A policy assumes that only the columns it made less detailed are known.
        """
        # In French a decimal comma; the percent sign with a space before it is right in both of our
        # documents.
        shares = {name: f"{100 * share:.1f} %" for name, share in part.singled_out.items()}
        if self.language == "fr":
            shares = {name: share.replace(".", ",") for name, share in shares.items()}
        return self.words["alone"].format(columns=len(part.measured), **shares)

    def section(self, table: ProtectedTable, has_chart: bool) -> list[Any]:
        """Return a table under its heading, with bars where it is the first of one column."""
        words = self.words
        spec = table.spec
        heading = self.heading(words["chart"].format(title=spec.title[self.language], period=table.period))
        # Shown even so: a table that is missing without a word looks like a mistake.
        if not table.cells:
            return [KeepTogether([heading, self.paragraph(f"{words['nothing']} ({words['total']}: {table.total})")])]
        dataset = spec.dataset

        def label(position: int, value: str) -> str:
            return self.labels.value(dataset, table.headings[position], value, self.language) or "–"

        first = self.labels.column(dataset, table.headings[0], self.language)
        lead = [heading]
        if table.is_revision:
            lead.append(self.paragraph(words["revision"].format(period=table.period), SMALL))
        across = []
        if len(table.headings) == 2:
            across = sorted({cell[1] for cell, _ in table.cells})
        if 0 < len(across) <= MOST_ACROSS:
            counts = dict(table.cells)
            lines = [[first, *(label(1, value) for value in across)]]
            for value in sorted({cell[0] for cell, _ in table.cells}):
                # An empty cell was not published because nothing was counted; here, a gap would
                # look like something hidden.
                lines.append([label(0, value), *(counts.get((value, other), "0") for other in across)])
        else:
            titles = [self.labels.column(dataset, name, self.language) for name in table.headings]
            lines = [[*titles, words["count"]]]
            for cell, count in table.cells:
                lines.append([*map(label, range(len(cell)), cell), count])
            # Only long tables have a line for the total; in a cross table it would have to be one
            # row and one column.
            lines.append([words["total"], *[""] * (len(table.headings) - 1), table.total])
        if has_chart:
            lead.append(self.bars([(label(0, cell[0]), count) for cell, count in table.cells]))
        lead.append(self.paragraph(self.describe_protection(spec), SMALL))
        grid = self.grid(lines)
        if len(lines) <= MOST_TOGETHER:
            # A heading at the foot of a page, its table on the next, is hard to follow for
            # everybody, and worst when read aloud.
            return [KeepTogether([*lead, grid])]
        return [KeepTogether(lead), grid]

    def describe_protection(self, spec: TableSpec) -> str:
        """Return what was done to the counts of a table, in a sentence or two."""
        floor = spec.min_count(self.recipe.threshold)
        if spec.method == Method.EXACT:
            return self.words["exact"]
        if spec.method == Method.SUPPRESS:
            return self.words["suppressed"].format(least=floor)
        return self.words["protected"].format(least=find_least_shown(floor))

    def report(self, parts: Sequence[ReleasedDataset]) -> list[Any]:
        """Return the page on what was done to the data and what it cost."""
        words = self.words
        story: list[Any] = [PageBreak(), self.heading(words["report"]), self.paragraph(words["report_intro"])]
        for part in parts:
            if not part.sent:
                continue
            dataset = part.view.dataset
            overall = part.overall
            sizes = {name: overall[name] for name in ("classes", "smallest", "largest")}
            sentence = words["class_sizes"].format(title=dataset.title[self.language], batches=len(part.sent), **sizes)
            story += [self.paragraph(sentence), self.paragraph(self.alone(part))]
            lines = [[words["column"], words["level"], words["lost"]]]
            for name in part.levels:
                words_of_level = self.labels.level(part.level_name(name), self.language)
                lost = _range(*overall["losses"][name])
                lines.append([self.labels.column(dataset, name, self.language), words_of_level, lost])
            story += [self.grid(lines), Spacer(1, 6)]
            for name, share in overall["max_confidence"].items():
                if name in part.columns:
                    column = self.labels.column(dataset, name, self.language)
                    story.append(self.paragraph(words["spread"].format(column=column, confidence=_percent(share)), SMALL))
            story += self.groups(part)
        return [*story, self.paragraph(words["once"]), self.paragraph(words["limits"])]

    def groups(self, part: ReleasedDataset) -> list[Any]:
        """Return from which groups more rows were withheld, if the policy watches groups."""
        shares_of = part.overall["held_back_by_group"]
        # The newest batch, since a limit can be waived later on.
        groups = part.sent[-1].report.get("groups")
        if not groups or not shares_of:
            return []
        dataset = part.view.dataset
        field = groups["field"]
        shares = ", ".join(
            f"{self.labels.value(dataset, field, value, self.language) or '–'} {_percent(share)}"
            for value, share in shares_of.items()
        )
        column = self.labels.column(dataset, field, self.language)
        sentence = self.words["groups"].format(column=column, shares=shares, limit=groups["limit"])
        story = [self.paragraph(sentence, SMALL)]
        if groups["waived"]:
            waived = self.words["waived"].format(waived=groups["waived"])
            story.append(self.paragraph(waived, SMALL))
        return story

    def bars(self, rows: list[tuple[str, str]]) -> TaggedFigure:
        """Return a bar a row, its number beside it; a hidden count is a short pale bar."""
        step = 16
        left = 70 * mm
        drawing = Drawing(WIDTH, step * len(rows) + 6)
        numbers = [_read_count(count) for _, count in rows]
        scale = (WIDTH - left - 40) / max([*numbers, 1])
        for index, ((name, count), number) in enumerate(zip(rows, numbers, strict=True)):
            y = step * (len(rows) - 1 - index) + 4
            length = 12.0  # a hidden count: long enough to be seen, too short to be read as a number
            colour = HATCH
            if number:
                length = number * scale
                colour = ACCENT
            drawing.add(String(left - 6, y + 3, name[:40], textAnchor="end", fontName=PLAIN, fontSize=7.5, fillColor=INK))
            drawing.add(Rect(left, y, length, 11, fillColor=colour, strokeColor=None))
            drawing.add(String(left + length + 4, y + 3, count, fontName=BOLD, fontSize=7.5, fillColor=INK))
        # Read aloud instead of the drawing, with the same numbers that stand beside the bars.
        words = self.words["bars"].format(bars="; ".join(f"{name} {count}" for name, count in rows))
        return TaggedFigure(drawing, self.root.add("Figure", words))


def _range(least: float, most: float) -> str:
    """Return a share, or from which to which it goes in the batches of a package."""
    first = _percent(least)
    last = _percent(most)
    if first == last:
        return last
    return f"{first.removesuffix(' %')}–{last}"


def _read_count(text: str) -> int:
    """Return the number in a cell; 0 for a hidden one, such as "<20"."""
    if text.isdecimal():
        return int(text)
    return 0


def _percent(share: float) -> str:
    return f"{round(share * 20) * 5} %"
