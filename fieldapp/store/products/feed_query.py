"""From OData's $filter to SQL, over the columns of an entity set and no others.

Source: OData 4.01, part 2: URL conventions, section 5.1.1.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fieldapp.store.products.entity_sets import TRUTH, EntitySet, QueryRefused

if TYPE_CHECKING:
    from odata_query import ast

TESTS = ("contains", "startswith", "endswith")
MOST_NODES = 200
MOST_TEXT = 2000  # characters
LARGEST = 2**62
# Nodes are told apart by the names of their classes: every process imports this module with the tables, and the parser of
# filters, which brings the classes, is a tenth of what a server would load.
COMPARISONS = {
    "Eq": "__eq__",
    "NotEq": "__ne__",
    "Lt": "__lt__",
    "LtE": "__le__",
    "Gt": "__gt__",
    "GtE": "__ge__",
}
TEXT_FUNCTIONS = {"tolower": "lower", "toupper": "upper", "trim": "trim", "length": "length"}
DATE_PARTS = {"year": (1, 4), "month": (6, 2), "day": (9, 2)}  # first character and length in 2026-10-15

Expression = sa.ColumnElement[Any]


def build_filter_condition(text: str, entity: EntitySet, table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition that a $filter says.

    Raises QueryRefused for what is malformed, too long, unknown, or no condition.
    """
    from odata_query.exceptions import ODataException  # noqa: PLC0415  heavy, see above
    from odata_query.grammar import ODataLexer, ODataParser  # noqa: PLC0415

    if len(text) > MOST_TEXT:
        raise QueryRefused(f"$filter is longer than {MOST_TEXT} characters.")
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(text))
    # The class alone: the parser's message may repeat what was typed, and answers must not stand in
    # logs.
    except (ODataException, RecursionError, ValueError) as error:
        raise QueryRefused(f"$filter cannot be read: {type(error).__name__}.") from None
    if tree is None:
        raise QueryRefused("$filter cannot be read.")
    condition: sa.ColumnElement[bool] = _Translator(entity, table).visit(tree)
    # A number as a condition would be true or false by SQLite's own rules.
    if not _is_boolean(tree, entity):
        raise QueryRefused("$filter must say yes or no for each row.")
    return condition


def _kind(node: Any) -> str:
    return type(node).__name__


def _is_boolean(tree: Any, entity: EntitySet) -> bool:
    kind = _kind(tree)
    if kind == "Identifier":
        return entity.types.get(tree.name) == TRUTH
    if kind == "Call":
        return tree.func.name in TESTS
    if kind == "UnaryOp":
        return _kind(tree.op) == "Not"
    return kind in ("Compare", "BoolOp")


class _Translator:
    """Turns a parsed filter into SQL, node by node; a node that is not listed here is refused."""

    def __init__(self, entity: EntitySet, table: sa.Table):
        self.entity = entity
        self.table = table
        self.nodes = 0
        self.methods: dict[str, Callable[[Any], Any]] = {
            "Identifier": self._translate_identifier,
            "String": self._translate_string,
            "Integer": self._translate_integer,
            "Float": self._translate_float,
            "Boolean": self._translate_boolean,
            "Date": self._translate_date,
            "Null": self._translate_null,
            "List": self._translate_list,
            "Compare": self._translate_comparison,
            "BoolOp": self._translate_boolean_operator,
            "UnaryOp": self._translate_unary_operator,
            "Call": self._translate_call,
        }

    def visit(self, node: Any) -> Any:
        """Return the SQL of a node: an expression, or a list of them for a list."""
        self.nodes += 1
        # Deep or long filters cost the server more than the recipient.
        if self.nodes > MOST_NODES:
            raise QueryRefused("$filter is too long.")
        method = self.methods.get(_kind(node))
        if method is None:
            raise QueryRefused(f"$filter: {_kind(node)} is not understood here.")
        return method(node)

    def _translate_identifier(self, node: "ast.Identifier") -> Expression:
        if node.namespace or node.name not in self.entity.types:
            raise QueryRefused(f"$filter: {self.entity.name} has no column “{node.name}”.")
        column: Expression = self.table.c[node.name]
        return column

    def _translate_string(self, node: "ast.String") -> Expression:
        return sa.literal(node.py_val, sa.Text)

    def _translate_integer(self, node: "ast.Integer") -> Expression:
        # Beyond 64 bits SQLite would compare as floating-point numbers.
        if abs(node.py_val) > LARGEST:
            raise QueryRefused("$filter: this number is too large.")
        return sa.literal(node.py_val)

    def _translate_float(self, node: "ast.Float") -> Expression:
        return sa.literal(node.py_val)

    def _translate_boolean(self, node: "ast.Boolean") -> Expression:
        return sa.literal(node.py_val, sa.Boolean)

    def _translate_date(self, node: "ast.Date") -> Expression:
        return sa.literal(str(node.py_val), sa.Text)  # days are stored as text, 2026-10-15

    def _translate_null(self, node: "ast.Null") -> Expression:
        return sa.null()

    def _translate_list(self, node: "ast.List") -> list[Expression]:
        return [self.visit(item) for item in node.val]

    def _translate_comparison(self, node: "ast.Compare") -> Expression:
        left = self.visit(node.left)
        right = self.visit(node.right)
        if _kind(node.comparator) == "In":
            return left.in_(right)  # type: ignore[no-any-return]
        name = COMPARISONS[_kind(node.comparator)]
        # OData lets null stand on either side.
        if _kind(node.left) == "Null":
            left, right = right, left
        if _kind(node.left) == "Null" or _kind(node.right) == "Null":
            return self._compare_with_null(left, name)
        return getattr(left, name)(right)  # type: ignore[no-any-return]

    def _compare_with_null(self, side: Expression, name: str) -> Expression:
        if name == "__eq__":
            return side.is_(None)
        if name == "__ne__":
            return side.is_not(None)
        raise QueryRefused("$filter: null is compared with eq and ne only.")

    def _translate_boolean_operator(self, node: "ast.BoolOp") -> Expression:
        left = self.visit(node.left)
        right = self.visit(node.right)
        if _kind(node.op) == "And":
            return sa.and_(left, right)
        return sa.or_(left, right)

    def _translate_unary_operator(self, node: "ast.UnaryOp") -> Expression:
        operand: Expression = self.visit(node.operand)
        if _kind(node.op) == "Not":
            return sa.not_(operand)
        negative: Expression = -operand
        return negative

    def _translate_call(self, node: "ast.Call") -> Expression:
        name = node.func.name
        arguments = [self.visit(argument) for argument in node.args]
        if name in TESTS and len(arguments) == 2:
            return _build_text_test(name, *arguments)
        if name in TEXT_FUNCTIONS and len(arguments) == 1:
            function = getattr(sa.func, TEXT_FUNCTIONS[name])
            return function(arguments[0])  # type: ignore[no-any-return]
        if name in DATE_PARTS and len(arguments) == 1:
            start, size = DATE_PARTS[name]
            return sa.cast(sa.func.substr(arguments[0], start, size), sa.Integer)
        raise QueryRefused(f"$filter: the function {name} is not understood here.")


def _build_text_test(name: str, whole: Expression, part: Expression) -> Expression:
    """Return whether a text contains, begins or ends with another.

    Not with LIKE: % and _ in the text would mean something.
    """
    if name == "contains":
        return sa.func.instr(whole, part) > 0
    if name == "startswith":
        return sa.func.substr(whole, 1, sa.func.length(part)) == part
    return sa.func.substr(whole, -sa.func.length(part)) == part
