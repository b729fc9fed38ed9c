"""Draw the summary with ReportLab, tagged: the same input gives the same bytes."""

from collections.abc import Sequence
from typing import Any

from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib.units import mm
from reportlab.platypus import KeepTogether, PageBreak, Spacer

from evaluator_export.datasets.recipe import Method, Recipe
from evaluator_export.labels import Labels
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedDataset, coarsen_count
from evaluator_export.summary.tagging import StructureElement, TaggedFigure
from evaluator_export.summary.words import WORDS
from evaluator_export.summary.writer import ACCENT, BOLD, HATCH, INK, PLAIN, SMALL, TITLE, WIDTH, Writer, render
from evaluator_export.tables.protected_counts import ProtectedTable

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
        self.recipe, self.labels, self.occasion, self.language = recipe, labels, occasion, language

    def story(self, parts: Sequence[ReleasedDataset], tables: Sequence[ProtectedTable]) -> list[Any]:
        words, occasion, period = self.words, self.occasion, self.occasion.period
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
        has_chart = False
        for table in tables:
            story += self.section(table, not has_chart and len(table.headings) == 1)
            has_chart = has_chart or len(table.headings) == 1
        if parts:
            story += self.report(parts)
        source = words["source"].format(
            centre=occasion.centre, first=period.first, last=period.last, cut_off=occasion.cut_off[:10]
        )
        return [*story, Spacer(1, 8), self.paragraph(source, SMALL)]

    def about(self, part: ReleasedDataset) -> list[Any]:
        words, dataset = self.words, part.view.dataset
        names = [self.labels.column(dataset, name, self.language).lower() for name in part.levels]
        columns = ", ".join(names[:-1]) + words["and"] + names[-1] if len(names) > 1 else "".join(names)
        sentence = words["what_row"] if part.rows else words["what_none"]
        title, others = dataset.title[self.language], dataset.policy.model.k - 1
        if part.too_fine:
            sentence = words["what_fine"]
        found = [self.paragraph(sentence.format(title=title, rows=part.rows, others=others, columns=columns))]
        if part.rows:
            found.append(self.paragraph(self.alone(part)))
        held, refused = _percent(part.withheld_share), _percent(part.without_consent_share)
        found.append(self.paragraph(words["left_out"].format(held=held, refused=refused), SMALL))
        if part.withdrawn:
            taken_back = coarsen_count(part.withdrawn, self.recipe.threshold)
            found.append(self.paragraph(words["withdrawn"].format(count=taken_back), SMALL))
        return found

    def alone(self, part: ReleasedDataset) -> str:
        """Return the sentence about who knows every column of a row, and not only those that were made coarser."""
        shares = {name: f"{100 * share:.1f} %" for name, share in part.singled_out.items()}
        if self.language == "fr":
            shares = {name: share.replace(".", ",") for name, share in shares.items()}
        return self.words["alone"].format(columns=len(part.measured), **shares)

    def section(self, table: ProtectedTable, has_chart: bool) -> list[Any]:
        words, spec = self.words, table.spec
        heading = self.heading(words["chart"].format(title=spec.title[self.language], period=table.period))
        if not table.cells:
            return [KeepTogether([heading, self.paragraph(f"{words['nothing']} ({words['total']}: {table.total})")])]
        dataset = spec.dataset

        def label(position: int, value: str) -> str:
            return self.labels.value(dataset, table.headings[position], value, self.language) or "–"

        first = self.labels.column(dataset, table.headings[0], self.language)
        lead = [heading]
        if table.is_revision:
            lead.append(self.paragraph(words["revision"].format(period=table.period), SMALL))
        across = sorted({cell[1] for cell, _ in table.cells}) if len(table.headings) == 2 else []
        if 0 < len(across) <= MOST_ACROSS:
            found = dict(table.cells)
            lines = [[first, *(label(1, value) for value in across)]]
            for value in sorted({cell[0] for cell, _ in table.cells}):
                lines.append([label(0, value), *(found.get((value, other), "0") for other in across)])
        else:
            titles = [self.labels.column(dataset, name, self.language) for name in table.headings]
            lines = [[*titles, words["count"]]]
            lines += [[*(label(place, value) for place, value in enumerate(cell)), count] for cell, count in table.cells]
            lines.append([words["total"], *[""] * (len(table.headings) - 1), table.total])
        if has_chart:
            lead.append(self.bars([(label(0, cell[0]), count) for cell, count in table.cells]))
        note = words["suppressed" if spec.method == Method.SUPPRESS else "protected"].format(
            threshold=spec.min_count(self.recipe.threshold)
        )
        lead.append(self.paragraph(note, SMALL))
        grid = self.grid(lines)
        return [KeepTogether([*lead, grid])] if len(lines) <= MOST_TOGETHER else [KeepTogether(lead), grid]

    def report(self, parts: Sequence[ReleasedDataset]) -> list[Any]:
        words = self.words
        story: list[Any] = [PageBreak(), self.heading(words["report"]), self.paragraph(words["report_intro"])]
        for part in parts:
            if not part.sent:
                continue
            dataset, overall = part.view.dataset, part.overall
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
        shares_of, groups = part.overall["held_back_by_group"], part.sent[-1].report.get("groups")
        if not groups or not shares_of:
            return []
        dataset, field = part.view.dataset, groups["field"]
        shares = ", ".join(
            f"{self.labels.value(dataset, field, value, self.language) or '–'} {_percent(share)}"
            for value, share in shares_of.items()
        )
        column = self.labels.column(dataset, field, self.language)
        found = [self.paragraph(self.words["groups"].format(column=column, shares=shares, limit=groups["limit"]), SMALL)]
        if groups["waived"]:
            found.append(self.paragraph(self.words["waived"].format(waived=groups["waived"]), SMALL))
        return found

    def bars(self, rows: list[tuple[str, str]]) -> TaggedFigure:
        """Return a bar a row, its number beside it; a hidden count is a short pale bar."""
        step, left = 16, 70 * mm
        drawing = Drawing(WIDTH, step * len(rows) + 6)
        numbers = [int(count) if count.isdecimal() else 0 for _, count in rows]
        scale = (WIDTH - left - 40) / max([*numbers, 1])
        for index, ((name, count), number) in enumerate(zip(rows, numbers, strict=True)):
            y = step * (len(rows) - 1 - index) + 4
            length = number * scale if number else 12
            drawing.add(String(left - 6, y + 3, name[:40], textAnchor="end", fontName=PLAIN, fontSize=7.5, fillColor=INK))
            drawing.add(Rect(left, y, length, 11, fillColor=ACCENT if number else HATCH, strokeColor=None))
            drawing.add(String(left + length + 4, y + 3, count, fontName=BOLD, fontSize=7.5, fillColor=INK))
        words = self.words["bars"].format(bars="; ".join(f"{name} {count}" for name, count in rows))
        return TaggedFigure(drawing, self.root.add("Figure", words))


def _range(least: float, most: float) -> str:
    """Return a share, or from which to which it goes in the batches of a package."""
    first, last = _percent(least), _percent(most)
    return last if first == last else f"{first.removesuffix(' %')}–{last}"


def _percent(share: float) -> str:
    return f"{round(share * 20) * 5} %"
