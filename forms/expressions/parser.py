"""Parse an XPath expression into an AST, by operator precedence (Pratt 1973)."""

import re
from collections.abc import Iterator

from forms.expressions.functions import SIGNATURES
from forms.problems import N_

Ast = list[object]

MAX_DEPTH = 200  # a deeper expression is a mistake or an attack, and would exhaust the stack


class ExpressionError(ValueError):
    """Say what is wrong with an expression, in words for a form author."""

    def __init__(self, code: str, text: str, **details: str):
        super().__init__(text.format(**details))
        self.code, self.text, self.details = code, text, details


TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<string>"[^"]*"|'[^']*')
    | (?P<symbol>!=|<=|>=|//|::|\.\.|[()\[\],/@|+\-*=<>.])
    | (?P<name>[^\W\d][\w.\-]*(?::[^\W\d][\w.\-]*)?)
    )""",
    re.VERBOSE,
)
BINDING = {"or": 1, "and": 2, "=": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "div": 6, "mod": 6}
NEGATION = 7


def parse(text: str) -> Ast:
    """Return the AST of an expression; raise ExpressionError with a code and plain words."""
    return _Parser(text).whole()


def references(ast: Ast) -> Iterator[Ast]:
    """Yield every path in an AST."""
    if ast[0] == "path":
        yield ast
    for part in ast[1:]:
        if isinstance(part, list):
            for child in [part] if part and isinstance(part[0], str) else part:
                if isinstance(child, list) and child and isinstance(child[0], str):
                    yield from references(child)


class _Parser:
    def __init__(self, text: str):
        self.text = text
        self.tokens = list(self._tokens())
        self.at = 0
        self.depth = 0

    def _tokens(self) -> Iterator[tuple[str, str]]:
        end = 0
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
        if self.peek() == ("end", ""):
            raise ExpressionError("expression.empty", N_("The expression is empty."))
        ast = self.expression(0)
        if self.peek()[0] != "end":
            self.unexpected()
        return ast

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at]

    def next(self) -> tuple[str, str]:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def takes(self, symbol: str) -> bool:
        if self.peek() == ("symbol", symbol):
            self.at += 1
            return True
        return False

    def expect(self, symbol: str) -> None:
        if not self.takes(symbol):
            self.unexpected()

    def unexpected(self) -> None:
        kind, value = self.peek()
        if value == "=" and self.at and self.tokens[self.at - 1] == ("symbol", "="):
            raise ExpressionError("expression.double_equals", N_("Write one “=” instead of “==”."))
        if kind == "end":
            raise ExpressionError("expression.syntax", N_("Something is missing at the end of the expression."))
        raise ExpressionError("expression.syntax", N_("Something is missing or too much before “{sign}”."), sign=value)

    def expression(self, minimum: int) -> Ast:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError("expression.too_deep", N_("The expression is nested too deeply."))
        if self.takes("-"):
            left: Ast = ["neg", self.expression(NEGATION)]
        else:
            left = self.operand()
        while True:
            kind, sign = self.peek()
            power = BINDING.get(sign, 0) if kind in ("symbol", "name") else 0
            if not power or power <= minimum:
                self.depth -= 1
                return left
            self.next()
            left = ["op", sign, left, self.expression(power)]

    def operand(self) -> Ast:
        kind, value = self.peek()
        if kind == "number":
            self.next()
            return ["n", float(value) if "." in value else int(value)]
        if kind == "string":
            self.next()
            return ["s", value[1:-1]]
        if self.takes("("):
            inner = self.expression(0)
            self.expect(")")
            return inner
        if kind == "name" and self.tokens[self.at + 1] == ("symbol", "("):
            return self.call()
        if kind == "name" or value in (".", "..", "/", "*"):
            return self.path()
        if value == "=" or kind == "end":
            self.unexpected()
        raise ExpressionError("expression.unsupported", N_("“{sign}” is not supported here."), sign=value)

    def call(self) -> Ast:
        name = self.next()[1]
        self.expect("(")
        arguments: list[Ast] = []
        if not self.takes(")"):
            arguments.append(self.expression(0))
            while self.takes(","):
                arguments.append(self.expression(0))
            self.expect(")")
        if name == "current" and not arguments:
            self.expect("/")
            return ["path", "current", self.steps()]
        self.check_signature(name, len(arguments))
        return ["call", name, arguments]

    @staticmethod
    def check_signature(name: str, count: int) -> None:
        if name not in SIGNATURES:
            raise ExpressionError("expression.function", N_("There is no function “{name}()” here."), name=name)
        least, most = SIGNATURES[name]
        if count < least or (most is not None and count > most):
            wanted = str(least) if least == most else f"{least}+" if most is None else f"{least}–{most}"
            raise ExpressionError(
                "expression.arguments",
                N_("“{name}()” takes this many values: {wanted}, not {count}."),
                name=name,
                wanted=wanted,
                count=str(count),
            )

    def path(self) -> Ast:
        if self.takes("/"):
            return ["path", "/", self.steps()]
        return ["path", ".", self.steps()]

    def steps(self) -> list[Ast]:
        steps = [self.step()]
        while self.takes("/"):
            steps.append(self.step())
        if self.peek() == ("symbol", "["):
            raise ExpressionError("expression.predicate", N_("Conditions in [brackets] are not supported yet."))
        return steps

    def step(self) -> Ast:
        if self.takes(".."):
            return ["parent"]
        if self.takes("."):
            return ["self"]
        kind, value = self.next()
        if kind != "name":
            self.at -= 1
            if value in ("//", "@", "::", "*"):
                raise ExpressionError("expression.axis", N_("“{sign}” is not supported in a path."), sign=value)
            self.unexpected()
        return ["child", value]
