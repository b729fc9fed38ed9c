"""Compile an XLSForm: workbook → pyxform → XForm → FormDefinition, collecting every problem with its sheet and row.

Structure and expressions come from pyxform's XForm (public and stable; references are resolved there); question types,
privacy classes and rows come from the workbook itself, joined by path.
"""

import io
import re
from typing import Any
from xml.etree import ElementTree

from pyxform.xls2json_backends import get_xlsform
from pyxform.xls2xform import convert

from forms import dependencies, linter
from forms.definition import Choice, Compiled, Element, FormDefinition, Words
from forms.expressions.parser import Ast, ExpressionError, parse, references
from forms.problems import N_, FormProblem, FormRefused
from forms.workbook import BEGIN, Row, Workbook, language_code, refuse_at_the_door

MAX_ELEMENTS = 2_000

X = "{http://www.w3.org/2002/xforms}"
H = "{http://www.w3.org/1999/xhtml}"
JR = "{http://openrosa.org/javarosa}"
BIND_COLUMNS = {"relevant": "relevant", "required": "required", "constraint": "constraint", "calculate": "calculation"}


def compile_workbook(data: bytes, file_type: str = ".xlsx") -> Compiled:
    """Return the compiled form of an XLSForm (.xlsx, .xls or .md); raise FormRefused with every problem found."""
    refuse_at_the_door(data, file_type)
    content: Any = data.decode() if file_type == ".md" else io.BytesIO(data)
    try:
        workbook = Workbook(get_xlsform(content, file_type=file_type))
    except Exception as error:  # pyxform and openpyxl raise what they like on a broken file
        raise FormRefused([_unreadable(error)]) from error
    problems = linter.lint(workbook)
    xform = ""
    try:
        result = convert(content if file_type == ".md" else io.BytesIO(data), file_type=file_type, form_name="data")
        xform = result.xform
    except Exception as error:
        problems.append(_from_pyxform(error))
    if xform:
        definition, found = _Reader(workbook, ElementTree.fromstring(xform)).read()
        problems += found
    problems = sorted(_distinct(problems), key=lambda problem: (problem.sheet, problem.row or 0))
    if not xform or any(problem.severity == "error" for problem in problems):
        raise FormRefused(problems)
    return Compiled(definition, xform, problems)


def _distinct(problems: list[FormProblem]) -> list[FormProblem]:
    seen = {(problem.code, problem.sheet, problem.row, problem.column): problem for problem in reversed(problems)}
    reported = {(problem.sheet, problem.row) for problem in problems if problem.code != "form.pyxform" and problem.row}
    return [
        problem
        for problem in seen.values()
        if not (problem.code == "form.pyxform" and (problem.sheet, problem.row) in reported)
    ]


def _unreadable(error: Exception) -> FormProblem:
    return FormProblem(
        "form.unreadable", N_("The workbook cannot be read: {reason}"), {"reason": str(error)[:200]}, sheet=""
    )


def _from_pyxform(error: Exception) -> FormProblem:
    """Return pyxform's own complaint with the place that it names (it stops at its first)."""
    context = getattr(error, "context", None) or {}
    row = context.get("row")
    message = str(error) or type(error).__name__
    if row is None and (match := re.search(r"\[?row\s*:?\s*(\d+)", message)):
        row = int(match[1])
    sheet = str(context.get("sheet") or ("choices" if "choices" in message else "survey"))
    return FormProblem(
        "form.pyxform", "{reason}", {"reason": message[:400]}, sheet=sheet, row=row, column=context.get("column")
    )


class _Reader:
    """Read pyxform's XForm into a definition."""

    def __init__(self, workbook: Workbook, root: ElementTree.Element):
        model = root.find(f"{H}head/{X}model")
        body = root.find(f"{H}body")
        assert model is not None and body is not None
        self.workbook, self.model, self.body = workbook, model, body
        self.title = root.findtext(f"{H}head/{H}title") or ""
        self.binds = {bind.get("nodeset", ""): bind for bind in model.iter(f"{X}bind")}
        self.problems: list[FormProblem] = []
        self.texts: dict[str, Words] = {}
        for translation in model.iter(f"{X}translation"):
            language = language_code(translation.get("lang", "default"))
            for text in translation.iter(f"{X}text"):
                for value in text.iter(f"{X}value"):
                    if value.get("form") is None:
                        self.texts.setdefault(text.get("id", ""), {})[language] = self.words(value)

    def words(self, element: ElementTree.Element) -> Any:
        """Return the text of a label; a list of texts and ASTs when it shows answers."""
        parts: list[Any] = [element.text or ""]
        for output in element:
            parts += [self.ast(output.get("value", ""), None, "label"), output.tail or ""]
        return (element.text or "").strip() if len(parts) == 1 else [part for part in parts if part]

    def ast(self, text: str | None, path: str | None, column: str) -> Ast | None:
        if not text:
            return None
        try:
            return parse(text)
        except ExpressionError as error:
            row = self.workbook.by_path.get(path or "")
            number = row.number if row else None
            self.problems.append(FormProblem(error.code, error.text, error.details, row=number, column=column))
            return None

    def label(self, element: ElementTree.Element | None, tag: str) -> Words:
        found = element.find(f"{X}{tag}") if element is not None else None
        return {} if found is None else self.referenced(found.get("ref"), self.words(found))

    def referenced(self, reference: str | None, otherwise: Any) -> Words:
        match = re.fullmatch(r"jr:itext\('(.*)'\)", reference or "")
        if match:
            return self.texts.get(match[1], {})
        return {language_code(self.workbook.languages[0]): otherwise} if otherwise else {}

    def read(self) -> tuple[FormDefinition, list[FormProblem]]:
        controls = {
            reference: control
            for control in self.body.iter()
            if (reference := control.get("ref") or control.get("nodeset")) and control.tag != f"{X}label"
        }
        first = {value.get("ref", ""): value.get("value") for value in self.model.iter(f"{X}setvalue")}
        instance = next(iter(self.model.iter(f"{X}instance")))
        elements: list[Element] = []
        self.collect(instance[0], "/data", controls, first, elements)
        if len(elements) > MAX_ELEMENTS:
            self.problems.append(FormProblem("form.too_many", N_("The form has more than 2,000 questions.")))
        known = [element.path for element in elements]
        self.check_references(elements)
        reads = {element.path: dependencies.reads_of(element, known) for element in elements}
        order: tuple[str, ...] = ()
        try:
            order = dependencies.order(reads)
        except dependencies.CircularReference as circle:
            names = " → ".join(path.rsplit("/", 1)[1] for path in circle.paths)
            row = self.workbook.by_path.get(circle.paths[0])
            text = N_("These questions wait for each other, in a circle: {names}.")
            self.problems.append(FormProblem("form.circle", text, {"names": names}, row=row.number if row else None))
        settings = self.workbook.settings
        languages = tuple(language_code(name) for name in self.workbook.languages)
        return (
            FormDefinition(
                id=settings.get("form_id", ""),
                version=settings.get("version", ""),
                title=self.titles(languages),
                languages=languages,
                style=settings.get("style", ""),
                elements=tuple(elements),
                choices=self.choices(),
                order=order,
                reads=reads,
                summary=self.summary(elements),
            ),
            self.problems,
        )

    def summary(self, elements: list[Element]) -> dict[str, str]:
        """Return the questions named in the settings (summary_day, summary_area, summary_kind) that lists show."""
        summary = {}
        paths = {element.name: element.path for element in elements if element.is_answered}
        for key in ("day", "area", "kind"):
            name = self.workbook.settings.get(f"summary_{key}", "")
            if name in paths:
                summary[key] = paths[name]
            elif name:
                text = N_("There is no question “{name}” to refer to.")
                column = f"summary_{key}"
                self.problems.append(
                    FormProblem("form.reference", text, {"name": name}, sheet="settings", row=2, column=column)
                )
        return summary

    def titles(self, languages: tuple[str, ...]) -> Words:
        titles = {languages[0]: self.title}
        for column, value in self.workbook.settings.items():
            if column.startswith("form_title_"):  # pyxform knows no translated title
                titles[column.removeprefix("form_title_")] = value
        return titles

    def collect(
        self,
        node: ElementTree.Element,
        parent: str,
        controls: dict[str, ElementTree.Element],
        first: dict[str, str | None],
        elements: list[Element],
    ) -> None:
        seen: set[str] = set()
        for child in node:
            name = child.tag.rsplit("}", 1)[-1]
            path = f"{parent}/{name}"
            if name in seen or path == "/data/meta":
                continue  # the second copy of a repeat's template; metadata is the envelope's
            seen.add(name)
            elements.append(self.element(path, parent, child, controls.get(path), first.get(path)))
            self.collect(child, path, controls, first, elements)

    def element(
        self, path: str, parent: str, node: ElementTree.Element, control: ElementTree.Element | None, first: str | None
    ) -> Element:
        row = self.workbook.by_path.get(path) or Row(0, {}, path)
        bind = self.binds.get(path, ElementTree.Element("bind"))
        kind = BEGIN.get(row.type.lower(), "question")
        attributes = {key: self.ast(bind.get(key), path, column) for key, column in BIND_COLUMNS.items()}
        select = row.type.split(" ")
        holder = control
        if kind == "repeat":  # the label stands on the group around the repeat
            holder = next((group for group in self.body.iter(f"{X}group") if group.get("ref") == path), control)
        return Element(
            path=path,
            name=path.rsplit("/", 1)[1],
            kind=kind,
            type=linter.question_type(row) if kind == "question" else "",
            parent=parent,
            label=self.label(holder, "label"),
            hint=self.label(holder, "hint"),
            appearance=(control.get("appearance", "") if control is not None else ""),
            choices=select[1] if len(select) > 1 and select[0].startswith("select") else "",
            privacy=row.cells.get("privacy::class", ""),
            default=(node.text or "").strip() if kind == "question" else "",
            first_value=self.ast(first, path, "default"),
            readonly=bind.get("readonly") == "true()",
            required_message=self.referenced(bind.get(f"{JR}requiredMsg"), bind.get(f"{JR}requiredMsg")),
            constraint_message=self.referenced(bind.get(f"{JR}constraintMsg"), bind.get(f"{JR}constraintMsg")),
            **attributes,
        )

    def check_references(self, elements: list[Element]) -> None:
        known = {element.path for element in elements}
        for element in elements:
            for key, column in BIND_COLUMNS.items():
                ast = getattr(element, key)
                for reference in references(ast) if ast else ():
                    target = dependencies.absolute(reference, element.path)
                    if target not in known:
                        row = self.workbook.by_path.get(element.path)
                        text = N_("There is no question “{name}” to refer to.")
                        details = {"name": target.rsplit("/", 1)[-1]}
                        number = row.number if row else None
                        self.problems.append(FormProblem("form.reference", text, details, row=number, column=column))

    def choices(self) -> dict[str, tuple[Choice, ...]]:
        lists: dict[str, tuple[Choice, ...]] = {}
        for instance in self.model.iter(f"{X}instance"):
            if instance.get("id") is None:
                continue
            lists[instance.get("id", "")] = tuple(
                Choice(item.findtext(f"{X}name") or "", self.item_label(item)) for item in instance.iter(f"{X}item")
            )
        return lists

    def item_label(self, item: ElementTree.Element) -> Words:
        if reference := item.findtext(f"{X}itextId"):
            return self.texts.get(reference, {})
        return {language_code(self.workbook.languages[0]): item.findtext(f"{X}label") or ""}
