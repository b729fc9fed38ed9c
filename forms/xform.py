"""Read the XForm that pyxform makes of a workbook into a definition.

Structure and expressions come from the XForm (public and stable; references are resolved there); question types, privacy
classes and rows come from the workbook itself, joined by path.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from forms import dependencies, support
from forms.definition import Choice, CsvTable, Element, FormDefinition, Words
from forms.expressions import Ast, ExpressionError, parse, walk
from forms.expressions.nodes import (
    OWN_VALUE,
    Call,
    ChildStep,
    InList,
    NumberLiteral,
    Operation,
    Path,
    Step,
    TextLiteral,
    Union,
    is_node_set,
    list_parts,
)
from forms.expressions.shorthand import make_absolute_path, write_out
from forms.headings import language_of
from forms.keep import AFTER_NO, read_keep
from forms.privacy import privacy_class
from forms.privacy_classes import PrivacyClass
from forms.problems import N_, FormProblem
from forms.retention import MONTHS_COLUMN, MONTHS_SETTING, read_months
from forms.role_reader import read_roles
from forms.types import TYPES
from forms.workbook import Row, Workbook, language_code

MAX_ELEMENTS = 10_000

X = "{http://www.w3.org/2002/xforms}"
H = "{http://www.w3.org/1999/xhtml}"
JR = "{http://openrosa.org/javarosa}"
ODK = "{http://www.opendatakit.org/xforms}"
BIND_COLUMNS = {
    "relevant": "relevant",
    "required": "required",
    "constraint": "constraint",
    "calculate": "calculation",
    "readonly": "read_only",
}
COLUMN_OF = BIND_COLUMNS | {
    "count": "repeat_count",
    "first_value": "default",
    "items": "choice_filter",
}
PRELOADS = {
    ("timestamp", "start"): "start",
    ("timestamp", "end"): "end",
    ("date", "today"): "today",
    ("property", "username"): "username",
    ("property", "deviceid"): "deviceid",
}
MAX_FREE_TEXT = 280  # characters (the program's list of what not to collect)
KEEP_SHORT = {"en": f"Write at most {MAX_FREE_TEXT} characters.", "fr": f"Au plus {MAX_FREE_TEXT} caractères."}
KEPT_SHORT = Operation("<=", Call("string-length", (OWN_VALUE,)), NumberLiteral(MAX_FREE_TEXT))
SAY_WHICH = {"en": "Say which", "fr": "Précisez"}
# Functions that look at many nodes at once; elsewhere only the first node of a repeat would count.
OF_SETS = {
    "sum",
    "count",
    "min",
    "max",
    "join",
    "concat",
    "count-non-empty",
    "position",
    "area",
    "distance",
    "indexed-repeat",
}


def read_xform(workbook: Workbook, xform: str, tables: dict[str, CsvTable]) -> tuple[FormDefinition, list[FormProblem]]:
    """Return the definition in an XForm, and what is wrong in its expressions and references."""
    return _XFormReader(workbook, ElementTree.fromstring(xform), tables).read()


class _XFormReader:
    def __init__(self, workbook: Workbook, root: ElementTree.Element, tables: dict[str, CsvTable]):
        model = root.find(f"{H}head/{X}model")
        body = root.find(f"{H}body")
        assert model is not None and body is not None
        self.workbook = workbook
        self.model = model
        self.body = body
        self.tables = tables
        self.lists = {instance.get("id") for instance in model.iter(f"{X}instance")}
        self.title = root.findtext(f"{H}head/{H}title") or ""
        self.binds = {bind.get("nodeset", ""): bind for bind in model.iter(f"{X}bind")}
        self.problems: list[FormProblem] = []
        self.texts: dict[str, Words] = {}
        self.guidance: dict[str, Words] = {}
        # By code, not by name: "English (en)" and "en" are one language to the reader.
        self.languages = tuple(dict.fromkeys(language_code(name) for name in workbook.languages))
        for translation in model.iter(f"{X}translation"):
            name = translation.get("lang", "default")
            language = self.languages[0]
            if name != "default":
                language = language_code(name)
            for text in translation.iter(f"{X}text"):
                for value in text.iter(f"{X}value"):
                    target = {None: self.texts, "guidance": self.guidance}.get(value.get("form"))
                    words = self.words(value)
                    # A dash stands for no words in the XForm that pyxform writes.
                    if target is not None and words not in ("-", ""):
                        target.setdefault(text.get("id", ""), {})[language] = words

    def words(self, element: ElementTree.Element) -> Any:
        """Return the text of a label; a list of texts and ASTs when it shows answers."""
        parts: list[Any] = [element.text or ""]
        for output in element:
            parts += [self.ast(output.get("value", ""), None, "label"), output.tail or ""]
        if len(parts) == 1:
            return (element.text or "").strip()
        return [part for part in parts if part]

    def report(self, code: str, text: str, details: dict[str, str], path: str | None, column: str) -> None:
        """Add a problem, with the row and column of the workbook where they are known."""
        row = self.workbook.by_path.get(path or "")
        number = None
        if row:
            column = row.column(column)
            number = row.number
        self.problems.append(FormProblem(code, text, details, row=number, column=column or None))

    def ast(self, text: str | None, path: str | None, column: str) -> Ast | None:
        """Return the AST of an expression; None if it is blank, or wrong and thus reported."""
        if not text:
            return None
        try:
            return write_out(parse(text), path or "/data")
        except ExpressionError as error:
            self.report(error.code, error.text, error.details, path, column)
            return None

    def label(self, element: ElementTree.Element | None, tag: str) -> Words:
        """Return the words of a label or hint by language; none where there is no such element."""
        node = None
        if element is not None:
            node = element.find(f"{X}{tag}")
        if node is None:
            return {}
        return self.referenced(node.get("ref"), self.words(node))

    def referenced(self, reference: str | None, otherwise: Any) -> Words:
        """Return the words that jr:itext('…') names, else other words in the first language."""
        match = re.fullmatch(r"jr:itext\('(.*)'\)", reference or "")
        if match:
            return self.texts.get(match[1], {})
        if otherwise:
            return {self.languages[0]: otherwise}
        return {}

    def read(self) -> tuple[FormDefinition, list[FormProblem]]:
        """Return the definition, and every problem met on the way."""
        controls: dict[str, ElementTree.Element] = {}
        self.triggers: dict[str, dict[str, Ast]] = {}
        for control in self.body.iter():
            reference = control.get("ref") or control.get("nodeset")
            if not reference or control.tag in (f"{X}label", f"{X}hint", f"{X}value", f"{X}itemset"):
                continue
            # Not a control of its own: pyxform puts it inside the question that triggers it.
            if control.tag == f"{X}setvalue":
                continue
            # A repeat stands inside a group of the same path; the repeat itself is the one that
            # counts.
            if control.tag != f"{X}group" or reference not in controls:
                controls[reference] = control
            for setvalue in control.findall(f"{X}setvalue"):
                if setvalue.get("event") != "xforms-value-changed":
                    continue
                # pyxform writes the value as seen from the question that triggers
                ast = self.ast(setvalue.get("value") or "''", reference, "calculation")
                if ast:
                    self.triggers.setdefault(setvalue.get("ref", ""), {})[reference] = ast
        self.controls = controls
        self.first = {value.get("ref", ""): value.get("value") for value in self.model.findall(f"{X}setvalue")}
        instance = next(iter(self.model.iter(f"{X}instance")))
        elements: list[Element] = []
        self.collect(instance[0], "/data", elements)
        if len(elements) > MAX_ELEMENTS:
            self.problems.append(FormProblem("form.too_many", N_("The form has more than 10,000 questions.")))
        children: dict[str, list[Element]] = {}
        for element in elements:
            children.setdefault(element.parent, []).append(element)
        self.check_references(elements, children)
        settings = self.workbook.settings
        style = ""
        if "pages" in settings.get("style", ""):
            style = "pages"
        roles = read_roles(self.workbook, elements)
        self.problems += roles.problems
        definition = FormDefinition(
            id=settings.get("form_id", ""),
            version=settings.get("version", ""),
            title=self.titles(),
            languages=self.languages,
            style=style,
            elements=tuple(elements),
            choices=self.choices(),
            order=self.order(tuple(elements), children),
            summary=roles.questions,
            role=roles.form,
            tables=self.tables,
            retain_months=read_months(settings.get(MONTHS_SETTING, "")),
        )
        return definition, self.problems

    def order(self, elements: tuple[Element, ...], children: dict[str, list[Element]]) -> tuple[str, ...]:
        """Return the order to compute in; a circle is reported, and nothing is computed then."""
        try:
            return dependencies.order_calculations(elements, children)
        except dependencies.CircularReference as circle:
            names = " → ".join(self.name_with_row(path) for path in circle.paths)
            text = N_("These questions wait for each other, in a circle (row in brackets): {names}.")
            self.report("form.circle", text, {"names": names}, circle.paths[0], "")
            return ()

    def name_with_row(self, path: str) -> str:
        """Return the name of a question with the number of its row: `age (7)`."""
        name = path.rsplit("/", 1)[1]
        row = self.workbook.by_path.get(path)
        if row:
            return f"{name} ({row.number})"
        return name

    def titles(self) -> Words:
        """Return the title of the form by language."""
        titles = {self.languages[0]: self.title}
        for column, value in self.workbook.settings.items():
            if column.startswith("form_title_"):  # pyxform knows no translated title
                titles[column.removeprefix("form_title_")] = value
            elif column.startswith("form_title::"):
                titles[language_code(language_of(column))] = value
        return titles

    def collect(self, node: ElementTree.Element, parent: str, elements: list[Element]) -> None:
        """Add the elements inside a node of the main instance, depth first."""
        seen: set[str] = set()
        for child in node:
            name = child.tag.rsplit("}", 1)[-1]
            path = f"{parent}/{name}"
            if name in seen or path == "/data/meta":
                continue  # the second copy of a repeat's template; metadata is the envelope's
            seen.add(name)
            elements.append(self.element(path, parent, child))
            self.collect(child, path, elements)

    def element(self, path: str, parent: str, node: ElementTree.Element) -> Element:
        """Return one question, group or repeat.

        Its structure comes from the XForm, its type and privacy class from the workbook's row.
        """
        row = self.workbook.by_path.get(path) or Row(0, {}, path, {})
        bind = self.binds.get(path, ElementTree.Element("bind"))
        control = self.controls.get(path)
        is_other = row.path != path and row.number > 0  # the text question that or_other brings
        kind = "question"
        if not is_other:
            kind = row.begins or "question"
        expressions: dict[str, Any] = {key: self.ast(bind.get(key), path, column) for key, column in BIND_COLUMNS.items()}
        holder = self._find_label_holder(kind, path, control)
        if kind == "repeat":
            expressions["count"] = self.ast(_get_attribute(control, f"{JR}count"), path, "repeat_count")
        type_ = "text"
        label = dict(SAY_WHICH)
        if not is_other:
            type_ = self.type_of(row, kind, bind, control)
            label = self.label(holder, "label")
        export = row.cells.get("privacy::export", "").lower()
        privacy = ""
        parameters = {}
        keep = read_keep(row.cells)
        if is_other:
            keep = keep.replace(AFTER_NO, "")  # what people write into it never stays after a no
            # Nobody classed this question, and people write names into such fields.
            privacy = PrivacyClass.FREE_TEXT
            export = "drop"
        elif kind == "question":
            privacy = privacy_class(row, type_)
            parameters = read_parameters(row)
        default = ""
        if kind == "question":
            default = (node.text or "").strip()
        required = bind.get(f"{JR}requiredMsg")
        constraint = self.referenced(bind.get(f"{JR}constraintMsg"), bind.get(f"{JR}constraintMsg"))
        # People write down more than they are asked for, so free text is kept short unless somebody approved it.
        if type_ == "text" and privacy == PrivacyClass.FREE_TEXT and not row.cells.get("privacy::approval"):
            expressions["constraint"], constraint = self.short(expressions["constraint"], constraint, path)
        return Element(
            path=path,
            name=path.rsplit("/", 1)[1],
            kind=kind,
            type=type_,
            parent=parent,
            label=label,
            hint=self.label(holder, "hint"),
            guidance=self.guidance.get(f"{path}:hint", {}),
            appearance=_get_attribute(control, "appearance"),
            parameters=parameters,
            privacy=privacy,
            hierarchy=row.cells.get("privacy::hierarchy", ""),
            export=export,
            keep=keep,
            retain_months=read_months(row.cells.get(MONTHS_COLUMN, "")),
            default=default,
            first_value=self.ast(self.first.get(path), path, "default"),
            triggers=self.triggers.get(path, {}),
            preload=PRELOADS.get((bind.get(f"{JR}preload", ""), bind.get(f"{JR}preloadParams", "")), ""),
            required_message=self.referenced(required, required),
            constraint_message=constraint,
            **self.itemset(row, type_, path, control),
            **expressions,
        )

    def _find_label_holder(self, kind: str, path: str, control: ElementTree.Element | None) -> ElementTree.Element | None:
        """Return the element that has the label and the hint of a question, group or repeat."""
        if kind == "repeat":  # pyxform: the label stands on the group around the repeat
            for group in self.body.iter(f"{X}group"):
                if group.get("ref") == path:
                    return group
        return control

    def short(self, constraint: Ast | None, message: Words, path: str) -> tuple[Ast | None, Words]:
        """Return a constraint that keeps free text short.

        The author's own limit, or the program's.
        """
        limit = _find_length_limit(constraint)
        if limit is None and constraint is not None:
            # Beside the author's rule, not instead of it; the author's message stays, as it names
            # that rule.
            return Operation("and", constraint, KEPT_SHORT), message
        if limit is None:
            words = {language: KEEP_SHORT[language] for language in self.languages if language in KEEP_SHORT}
            return KEPT_SHORT, message or words or dict(KEEP_SHORT)
        # A longer limit is an author's wish for a story: somebody has to have agreed to it, by
        # name.
        if limit > MAX_FREE_TEXT:
            text = N_(
                "Free text of more than {most} characters says more than this program collects. Shorten it, "
                "or write in privacy::approval who agreed."
            )
            self.report("form.long_text", text, {"most": str(MAX_FREE_TEXT)}, path, "constraint")
        return constraint, message

    def type_of(self, row: Row, kind: str, bind: ElementTree.Element, control: ElementTree.Element | None) -> str:
        """Return the type of a question; what people do not see is hidden or a calculation."""
        if kind != "question":
            return ""
        if row.kind not in ("metadata", "note") and control is None:
            if bind.get("calculate") is None and row.kind == "hidden":
                return "hidden"
            return "calculate"
        return row.kind or "calculate"

    def itemset(self, row: Row, type_: str, path: str, control: ElementTree.Element | None) -> dict[str, Any]:
        """Return where the choices of a select come from; nothing for other types.

        They come from a list, a file, or the answers of a repeat.
        """
        if not type_ or not TYPES[type_].is_select:
            return {}
        itemset = None
        if control is not None:
            itemset = control.find(f"{X}itemset")
        if itemset is None:
            return {"choices": support.list_of(row.type)}
        items = self.ast(itemset.get("nodeset"), path, "choice_filter")
        columns = {
            "item_value": _get_attribute(itemset.find(f"{X}value"), "ref", "name"),
            "item_label": _get_attribute(itemset.find(f"{X}label"), "ref", "label"),
        }
        inner = items
        # The order is random, but the list is the same one.
        if isinstance(items, Call) and items.name == "randomize":
            inner = items.arguments[0]
        name = ""
        if isinstance(inner, Path) and isinstance(inner.origin, InList):
            name = inner.origin.name
        if name in self.tables:
            return {"choices": name, "items": items, **columns}
        if not name:
            return {"items": items, **columns}
        # A list without a condition needs no expression: it is read straight from the definition,
        # which is far quicker on a phone.
        is_plain = isinstance(items, Path) and all(_is_plain_child(step) for step in items.steps)
        if is_plain:
            return {"choices": name}
        return {"choices": name, "items": items}

    def check_references(self, elements: list[Element], children: dict[str, list[Element]]) -> None:
        """Report references to a question or list that is not there, or to several answers."""
        paths = {element.path for element in elements} | {"/data"}
        repeats = {element.path for element in elements if element.kind == "repeat"}
        for element in elements:
            expressions = [(field, element.path, ast) for field, ast in element.expressions.items()]
            expressions += [("calculate", source, ast) for source, ast in element.triggers.items()]
            for field, seen_from, ast in expressions:
                column = COLUMN_OF[field]
                for target, _ in dependencies.find_references(ast, seen_from, children):
                    if target not in paths and not target.startswith("/data/meta"):
                        text = N_("There is no question “{name}” to refer to.")
                        self.report("form.reference", text, {"name": target.rsplit("/", 1)[-1]}, element.path, column)
                # Once its answer hides it, nobody could change that answer any more.
                if field in ("relevant", "count") and any(_is_own_value(part) for part in walk(ast)):
                    text = N_("Whether a question is asked cannot depend on its own answer (“.” or once()).")
                    self.report("form.own_answer", text, {}, element.path, column)
                for part in walk(ast):
                    name = _find_list_name(part)
                    if name is not None and not self.has_list(name):
                        text = N_("There is no list “{list}”: neither on the choices sheet nor among the files.")
                        self.report("form.list", text, {"list": name}, element.path, column)
                if field == "items":
                    continue  # the choices of a select may come from every instance of a repeat
                for target in _find_ambiguous_paths(ast, seen_from, repeats, children):
                    text = N_(
                        "“{name}” is in a repeat, and from here only its first answer would count. Use "
                        "sum(), join(), count() or indexed-repeat()."
                    )
                    details = {"name": target.rsplit("/", 1)[-1]}
                    self.report("form.repeat_reference", text, details, element.path, column)

    def has_list(self, name: str) -> bool:
        """Say whether there is a list of this name, on the choices sheet or as a file."""
        return name in self.tables or name in self.lists

    def choices(self) -> dict[str, tuple[Choice, ...]]:
        """Return the lists of the choices sheet by name; files are in `tables`."""
        lists: dict[str, tuple[Choice, ...]] = {}
        for instance in self.model.iter(f"{X}instance"):
            name = instance.get("id")
            # The main instance has no name; a table comes from its own file.
            if name is None or name in self.tables or instance.get("src"):
                continue
            lists[name] = tuple(
                Choice(item.findtext(f"{X}name") or "", self.item_label(item), _read_extra_columns(item))
                for item in instance.iter(f"{X}item")
            )
        return lists

    def item_label(self, item: ElementTree.Element) -> Words:
        """Return the words of a choice by language."""
        reference = item.findtext(f"{X}itextId")
        if reference:
            return self.texts.get(reference, {})
        return {self.languages[0]: item.findtext(f"{X}label") or ""}


def _get_attribute(element: ElementTree.Element | None, name: str, default: str = "") -> str:
    """Return an attribute of an element that need not be there."""
    if element is None:
        return default
    return element.get(name, default)


def _find_length_limit(constraint: Ast | None) -> float | None:
    """Return the longest text a constraint lets pass: 280 for `string-length(.) <= 280`.

    None where it says nothing of the length, or says it in another way.
    """
    if constraint is None:
        return None
    for part in walk(constraint):
        match part:
            case Operation("<=", Call("string-length"), NumberLiteral(limit)):
                return float(limit)
            case Operation("<", Call("string-length"), NumberLiteral(limit)):
                return float(limit) - 1
    return None


def _find_list_name(part: Ast) -> str | None:
    """Return the list that a path or pulldata() looks into; None for anything else."""
    match part:
        case Path(InList(name), _):
            return name
        case Call("pulldata", (TextLiteral(name), *_)):
            return name
    return None


def _is_plain_child(step: Step) -> bool:
    """Return whether a step leads to children with a name, without a condition."""
    return isinstance(step, ChildStep) and not step.conditions


def _read_extra_columns(item: ElementTree.Element) -> dict[str, str]:
    cells = {cell.tag.rsplit("}", 1)[-1]: cell.text or "" for cell in item}
    return {name: text for name, text in cells.items() if name not in ("name", "label", "itextId")}


def read_parameters(row: Row) -> dict[str, str]:
    """Return the parameters of a row: start=1 end=5 as {"start": "1", "end": "5"}."""
    pairs = re.split(r"[\s,;]+", re.sub(r"\s*=\s*", "=", row.cells.get("parameters", "").strip()))
    parameters = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        parameters[key.lower()] = value
    parameters.pop("", None)
    return parameters


def _is_own_value(ast: Ast) -> bool:
    return ast == OWN_VALUE or (isinstance(ast, Call) and ast.name == "once")


def _find_ambiguous_paths(ast: Ast, path: str, repeats: set[str], children: dict[str, list[Element]]) -> Iterator[str]:
    """Yield the paths into a repeat from outside it that stand for one value."""
    if isinstance(ast, Path):
        target = _find_first_only(ast, path, repeats, children)
        if target:
            yield target
        return
    if isinstance(ast, Union):
        return
    takes_sets = isinstance(ast, Call) and ast.name in OF_SETS
    for part in list_parts(ast):
        if not (takes_sets and is_node_set(part)):
            yield from _find_ambiguous_paths(part, path, repeats, children)


def _find_first_only(ast: Path, path: str, repeats: set[str], children: dict[str, list[Element]]) -> str:
    """Return the element of which only the first instance would count; "" for none.

    `path` is the element whose expression it is.
    """
    # With a condition the author has said which instances are meant.
    if isinstance(ast.origin, InList) or any(step.conditions for step in ast.steps):
        return ""
    target = make_absolute_path(ast, path)
    parts = target.split("/")[1:]
    for _, scope in dependencies.find_references(ast, path, children):
        outside = ["/" + "/".join(parts[:depth]) for depth in range(scope + 1, len(parts))]
        if not repeats.isdisjoint(outside):
            return target
    return ""
