"""Find required questions that nobody could answer at a lower level of consent.

What a level does not reach is not asked, so it is empty. A rule that needs it then refuses every answer, and the
interview cannot be finished. Only what can be proved from the rule itself is named.
"""

from collections.abc import Collection, Iterator

from forms import dependencies
from forms.definition import Element, FormDefinition
from forms.expressions.nodes import Ast, Call, NumberLiteral, Operation, Path, TextLiteral

# What is not asked, by what a person may have said: tier 1, tier 2, and no to a question of its own.
LEVELS = (frozenset({"2", "3"}), frozenset({"3"}), frozenset({"+4"}), frozenset({"+5"}))
ORDERS = ("<", "<=", ">", ">=")


def find_deadlocks(definition: FormDefinition) -> Iterator[tuple[Element, str]]:
    """Yield each required question that a level makes impossible, and what it reads."""
    for level in LEVELS:
        unasked = {element.path for element in definition.elements if _list_keeps(definition, element) & level}
        for element in definition.elements:
            is_asked = element.path not in unasked and element.is_on_screen and element.required is not None
            if not unasked or not is_asked or element.constraint is None:
                continue
            prover = _Prover(definition, element.path, unasked)
            if prover.is_required(element) and prover.may_be_shown(element) and prover.prove(element.constraint) is False:
                yield element, prover.list_read(element.constraint)[0]


def _list_keeps(definition: FormDefinition, element: Element) -> set[str]:
    """Return how far consent must reach for an element, by its row and its groups."""
    keeps = {element.keep}
    parent = definition.by_path.get(element.parent)
    while parent is not None:
        keeps.add(parent.keep)
        parent = definition.by_path.get(parent.parent)
    return keeps


class _Prover:
    """Says whether conditions are true or false while some questions are not asked.

    None where it depends on something else.
    """

    def __init__(self, definition: FormDefinition, reader: str, unasked: Collection[str]):
        self.definition = definition
        self.reader = reader
        self.unasked = unasked

    def is_required(self, element: Element) -> bool:
        is_always = isinstance(element.required, Call) and element.required.name == "true"
        return is_always or (element.required is not None and self.prove(element.required) is True)

    def may_be_shown(self, element: Element) -> bool:
        """Say whether nothing hides a question for sure, nor a group that it is in."""
        part: Element | None = element
        while part is not None:
            if part.relevant is not None and self.prove(part.relevant) is False:
                return False
            part = self.definition.by_path.get(part.parent)
        return True

    def prove(self, ast: Ast) -> bool | None:
        if isinstance(ast, Operation):
            return self._prove_operation(ast)
        if isinstance(ast, Call) and ast.name == "not":
            inner = self.prove(ast.arguments[0])
            return None if inner is None else not inner
        if isinstance(ast, Call) and ast.name == "selected":
            is_choice = isinstance(ast.arguments[1], TextLiteral) and ast.arguments[1].value != ""
            return False if is_choice and self._is_empty(ast.arguments[0]) else None
        return None

    def _prove_operation(self, ast: Operation) -> bool | None:
        if ast.operator in ("and", "or"):
            decides = ast.operator == "or"  # one side alone
            sides = [self.prove(ast.left), self.prove(ast.right)]
            if decides in sides:
                return decides
            return None if None in sides else not decides
        pairs = ((ast.left, ast.right), (ast.right, ast.left))
        for empty, other in pairs:
            if self._is_empty(empty) and isinstance(other, NumberLiteral | TextLiteral):
                return self._compare(ast.operator, other)
        return None

    def _compare(self, operator: str, other: NumberLiteral | TextLiteral) -> bool | None:
        """Say how an empty answer compares with a number or a text."""
        is_equal = isinstance(other, TextLiteral) and other.value == ""
        if operator == "=":
            return is_equal
        if operator == "!=":
            return not is_equal
        return False if operator in ORDERS and isinstance(other, NumberLiteral) else None

    def _is_empty(self, ast: Ast) -> bool:
        read = self.list_read(ast)
        return isinstance(ast, Path) and bool(read) and all(path in self.unasked for path in read)

    def list_read(self, ast: Ast) -> list[str]:
        """Return the paths that an expression reads, those that are not asked first."""
        read = [path for path, _ in dependencies.find_references(ast, self.reader, self.definition.children)]
        return sorted(read, key=lambda path: (path not in self.unasked, path))
