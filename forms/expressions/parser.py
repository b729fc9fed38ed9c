"""Parse an XPath expression into an AST, by operator precedence (Pratt 1973)."""

import re
from collections.abc import Iterator

from forms.expressions import patterns
from forms.expressions.functions import SIGNATURES, UNSUPPORTED
from forms.expressions.nodes import (
    AnyChildStep,
    Ast,
    Call,
    ChildStep,
    InList,
    Negation,
    NumberLiteral,
    Operation,
    Origin,
    ParentStep,
    Path,
    SelfStep,
    Step,
    TextLiteral,
    Union,
    is_node_set,
)
from forms.expressions.problems import ExpressionError
from forms.problems import N_

MAX_DEPTH = 100  # a deeper expression is a mistake or an attack, and would exhaust the stack
MAX_LENGTH = 20_000  # characters of one expression

TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<string>"[^"]*"|'[^']*')
    | (?P<symbol>!=|<=|>=|//|::|\.\.|[()\[\],/@|+\-*=<>.])
    | (?P<name>[^\W\d][\w.\-]*(?::(?!:)[^\W\d][\w.\-]*)?)
    )""",
    re.VERBOSE,
)
BINDING = {"or": 1, "and": 2, "=": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "div": 6, "mod": 6}
NEGATION = 7
NODE_SETS = {"count", "position", "randomize"}  # functions whose first argument must lead to nodes


def parse(text: str) -> Ast:
    """Return the AST of an expression; raise ExpressionError with a code and plain words."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError("expression.too_deep", N_("The expression is nested too deeply."))
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str):
        self.text = text
        self.tokens = list(self._tokens())
        self.at = 0
        self.depth = 0

    def _tokens(self) -> Iterator[tuple[str, str]]:
        end = 0
        # Blanks at the end match no token, and would look like a character without meaning.
        text = self.text.rstrip()
        while end < len(text):
            match = TOKEN.match(text, end)
            if not match or match.end() == end:
                self._refuse_character(text[end:].lstrip()[0])
            assert match is not None and match.lastgroup is not None
            yield match.lastgroup, match[match.lastgroup]
            end = match.end()
        yield "end", ""

    def _refuse_character(self, character: str) -> None:
        if character in "“”‘’«»":
            raise ExpressionError(
                "expression.smart_quote", N_("Use straight quotes (' or \") instead of {sign}."), sign=character
            )
        if character in "'\"":
            raise ExpressionError("expression.open_quote", N_("A quote is opened and never closed."))
        if character == "$":
            raise ExpressionError(
                "expression.reference", N_("Write a reference with a dollar sign and braces around the name of a question.")
            )
        raise ExpressionError("expression.character", N_("“{sign}” has no meaning here."), sign=character)

    def whole(self) -> Ast:
        """Return the AST of the whole text; raise ExpressionError where something is left over."""
        if self.peek() == ("end", ""):
            raise ExpressionError("expression.empty", N_("The expression is empty."))
        ast = self.expression(0)
        if self.peek()[0] != "end":
            self.unexpected()
        return ast

    def peek(self) -> tuple[str, str]:
        """Return the kind and text of the next token without taking it."""
        return self.tokens[self.at]

    def next(self) -> tuple[str, str]:
        """Take the next token."""
        token = self.tokens[self.at]
        self.at += 1
        return token

    def takes(self, symbol: str) -> bool:
        """Take a symbol if it is next; say whether it was."""
        if self.peek() == ("symbol", symbol):
            self.at += 1
            return True
        return False

    def expect(self, symbol: str) -> None:
        """Take a symbol; raise ExpressionError if another token is next."""
        if not self.takes(symbol):
            self.unexpected()

    def unexpected(self) -> None:
        """Raise ExpressionError in words that fit the token in hand."""
        kind, value = self.peek()
        if value == "=" and self.at and self.tokens[self.at - 1] == ("symbol", "="):
            raise ExpressionError("expression.double_equals", N_("Write one “=” instead of “==”."))
        if kind == "end":
            raise ExpressionError("expression.syntax", N_("Something is missing at the end of the expression."))
        raise ExpressionError("expression.syntax", N_("Something is missing or too much before “{sign}”."), sign=value)

    def expression(self, minimum: int) -> Ast:
        """Return an expression whose operators bind tighter than `minimum`."""
        # Counted on the way down and taken back on the way up: what is limited is depth, not
        # length.
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError("expression.too_deep", N_("The expression is nested too deeply."))
        if self.takes("-"):
            # Unary minus binds tighter than any operator but |: -a + b is (-a) + b.
            left: Ast = Negation(self.expression(NEGATION))
        else:
            left = self.union()
        while True:
            kind, sign = self.peek()
            power = 0
            if kind in ("symbol", "name"):
                power = BINDING.get(sign, 0)
            # Equal binding ends the operand: a - b - c is (a - b) - c.
            if not power or power <= minimum:
                self.depth -= 1
                return left
            self.next()
            left = Operation(sign, left, self.expression(power))

    def union(self) -> Ast:
        """Return an operand, or several paths with | between them."""
        first = self.operand()
        if self.peek() != ("symbol", "|"):
            return first
        paths = [first]
        while self.takes("|"):
            paths.append(self.operand())
        if not all(isinstance(path, Path) for path in paths):
            raise ExpressionError("expression.union", N_("“|” is between paths only; write “or” between conditions."))
        return Union(tuple(paths))

    def operand(self) -> Ast:
        """Return a number, a text, a call, a path or an expression in brackets."""
        kind, value = self.peek()
        if kind == "number":
            self.next()
            if "." in value:
                return NumberLiteral(float(value))
            # Whole numbers are kept as such: 7 and 7.0 are written differently in the JSON that is
            # hashed.
            return NumberLiteral(int(value))
        if kind == "string":
            self.next()
            return TextLiteral(value[1:-1])
        if self.takes("("):
            inner = self.expression(0)
            self.expect(")")
            return inner
        # A name with a bracket behind it is a function, so a question may be called "count".
        following = self.tokens[self.at + 1] if kind != "end" else ("end", "")
        if kind == "name" and following == ("symbol", "("):
            return self.call()
        if kind == "name" or value in (".", "..", "/", "*"):
            return self.path()
        if value in ("//", "@"):
            raise ExpressionError("expression.axis", N_("“{sign}” is not supported in a path."), sign=value)
        if value == "=" or kind == "end":
            self.unexpected()
        raise ExpressionError("expression.unsupported", N_("“{sign}” is not supported here."), sign=value)

    def call(self) -> Ast:
        """Return a function call; current() and instance() are read as the start of a path."""
        name = self.next()[1]
        self.expect("(")
        arguments: list[Ast] = []
        if not self.takes(")"):
            arguments.append(self.expression(0))
            while self.takes(","):
                arguments.append(self.expression(0))
            self.expect(")")
        self.check_signature(name, len(arguments))
        if name == "current":
            if self.takes("/"):
                return Path(Origin.QUESTION, self.steps())
            return Path(Origin.QUESTION, ())
        if name == "instance":
            list_name = arguments[0]
            # A list whose name is computed could not be checked at publish, nor sent along to
            # phones.
            if not isinstance(list_name, TextLiteral):
                raise ExpressionError("expression.instance", N_("Write the name of the list out: instance('name')."))
            self.expect("/")
            return Path(InList(list_name.value), self.steps())
        # Said at publish; at run time a value in place of nodes would give 0 without a word.
        if name in NODE_SETS and arguments and not is_node_set(arguments[0]):
            text = N_("“{name}()” needs a question, group or repeat, not a value.")
            raise ExpressionError("expression.node_set", text, name=name)
        if name == "regex":
            pattern = arguments[1]
            if not isinstance(pattern, TextLiteral):
                raise ExpressionError("expression.pattern", N_("Write the pattern of regex() out, in quotes."))
            # Written out in the language that both engines share, once, so that neither has to
            # translate at run time.
            arguments[1] = TextLiteral(patterns.parse_portable_pattern(pattern.value))
        return Call(name, tuple(arguments))

    @staticmethod
    def check_signature(name: str, count: int) -> None:
        """Raise ExpressionError unless there is such a function and it takes so many values."""
        if name in UNSUPPORTED:
            raise ExpressionError("expression.refused_function", UNSUPPORTED[name], name=name)
        if name not in SIGNATURES:
            raise ExpressionError("expression.function", N_("There is no function “{name}()” here."), name=name)
        least, most = SIGNATURES[name]
        if count < least or (most is not None and count > most):
            allowed = f"{least}–{most}"
            if most is None:
                allowed = f"{least}+"
            elif least == most:
                allowed = str(least)
            raise ExpressionError(
                "expression.arguments",
                N_("“{name}()” takes this many values: {wanted}, not {count}."),
                name=name,
                wanted=allowed,
                count=str(count),
            )

    def path(self) -> Ast:
        """Return a path from the root or from the node in hand."""
        if self.takes("/"):
            return Path(Origin.ROOT, self.steps())
        return Path(Origin.NODE, self.steps())

    def steps(self) -> tuple[Step, ...]:
        """Return the steps of a path, which are separated by slashes."""
        steps = [self.step()]
        while self.takes("/"):
            steps.append(self.step())
        if self.peek() == ("symbol", "//"):
            raise ExpressionError("expression.axis", N_("“{sign}” is not supported in a path."), sign="//")
        return tuple(steps)

    def step(self) -> Step:
        """Return one step: .., ., *, a name or axis::name, each with its conditions."""
        if self.takes(".."):
            return ParentStep(self.conditions())
        if self.takes("."):
            return SelfStep(self.conditions())
        kind, value = self.next()
        if kind == "name" and self.peek() == ("symbol", "::"):
            if value not in ("child", "parent", "self"):
                raise ExpressionError("expression.axis", N_("“{sign}” is not supported in a path."), sign=f"{value}::")
            self.next()
            return self.axis(value)
        if value == "*":
            return AnyChildStep(self.conditions())
        if kind != "name":
            self.at -= 1
            if value in ("//", "@", "::"):
                raise ExpressionError("expression.axis", N_("“{sign}” is not supported in a path."), sign=value)
            self.unexpected()
        return ChildStep(value, self.conditions())

    def axis(self, axis: str) -> Step:
        """Return a step that is written with its axis: child::name, parent::node(), self::*."""
        kind, value = self.next()
        if value == "node":
            self.expect("(")
            self.expect(")")
        if axis == "child":
            if kind != "name" or value == "node":
                return AnyChildStep(self.conditions())
            return ChildStep(value, self.conditions())
        if value not in ("*", "node"):
            raise ExpressionError("expression.axis", N_("“{sign}” is not supported in a path."), sign=f"{axis}::{value}")
        if axis == "parent":
            return ParentStep(self.conditions())
        return SelfStep(self.conditions())

    def conditions(self) -> tuple[Ast, ...]:
        """Return the conditions in brackets that follow."""
        conditions: list[Ast] = []
        while self.takes("["):
            conditions.append(self.expression(0))
            self.expect("]")
        return tuple(conditions)
