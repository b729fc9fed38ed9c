"""Regular expressions that mean the same in Python and in every browser, and always end.

`parse_portable_pattern` reads a pattern once, at publish, and writes it in the part of the language that all engines share:
what differs is spelled out (`.`, `\\s`), what only one knows is refused, and so is a pattern that could take long on some
answer (ambiguity.py), since browsers try one way after another. The centre runs RE2, which takes time in proportion to the
answer whatever the pattern; looking ahead is beyond it, so that is refused too.
"""

import functools
import re
from typing import Any

import re2

from forms.expressions import ambiguity
from forms.expressions.problems import ExpressionError
from forms.problems import N_

MAX_TEXT = 1000  # characters of an answer that a pattern looks at; a longer answer never matches
SLOW = "expression.pattern_slow"
SPACE = r" \t\n\r\f\v"
SYNTAX = set("^$\\.*+?()[]{}|/")
NOTHING: ambiguity.Node = ("seq", ())
LOOKS = ("(?=", "(?!")
CODE_POINT = re.compile(r"\\u([0-9A-Fa-f]{4})")


def parse_portable_pattern(pattern: str) -> str:
    """Return the pattern in the language that Python and browsers share.

    Raises ExpressionError "expression.pattern" for what they would read differently, and
    "expression.pattern_slow" for what could take long on some answer.

    >>> parse_portable_pattern("A.+")
    'A[^\\\\n\\\\r\\\\u2028\\\\u2029]+'
    """
    reader = _PatternReader(pattern)
    written = _read_bounded(reader)
    if reader.is_looking_ahead:
        # Nothing is lost by this: XPath joins conditions, and each is linear by itself.
        text = N_(
            "The pattern of regex() looks ahead with (?= or (?!, which cannot be checked quickly. Write a regex() for each "
            "condition: regex(., '.*[A-Z].*') and regex(., '.*[0-9].*'), or not(regex(., '.*x.*'))."
        )
        raise ExpressionError("expression.pattern", text)
    return written


def _read_bounded(reader: "_PatternReader") -> str:
    """Return a pattern as written for all engines.

    Raises ExpressionError for what they would read differently, and for what could take long.
    """
    written, tree = reader.alternatives()
    if reader.at < len(reader.pattern):
        reader.refuse(")")
    # Read again by Python itself: this reader knows the syntax, not whether a range in brackets
    # goes forwards.
    try:
        re.compile(written, re.ASCII)
    except re.error:
        text = N_(
            "The pattern of regex() cannot be read. In brackets, the first of two characters with - between comes first."
        )
        raise ExpressionError("expression.pattern", text) from None
    try:
        ambiguity.check(tree)
    except ambiguity.TooAmbiguous:
        text = N_(
            "This pattern could take very long on some answers, since parts that repeat can read the same characters. "
            "Say which characters each part may have, such as [^@]+@[^@]+ in place of .+@.+"
        )
        raise ExpressionError(SLOW, text) from None
    return written


@functools.lru_cache(maxsize=500)
def is_quick(written: str) -> bool:
    """Return whether a pattern, as a compiled form holds it, may be run.

    Forms were published before all was checked.
    """
    try:
        _read_bounded(_PatternReader(written))
    except ExpressionError as error:
        return error.code != SLOW
    return True


@functools.lru_cache(maxsize=1024)
def compile_written(written: str) -> Any:
    """Return a pattern, as parse_portable_pattern wrote it, ready for `fullmatch`.

    What RE2 does not take is left to Python's engine: forms from before looking ahead was refused, and
    counts within counts, which ambiguity.py bounds.
    """
    options = re2.Options()
    options.log_errors = False  # its log would hold the author's words
    try:
        return re2.compile(CODE_POINT.sub(r"\\x{\1}", written), options)
    except re2.error:
        return re.compile(written, re.ASCII)


class _PatternReader:
    def __init__(self, pattern: str):
        self.pattern = pattern
        self.at = 0
        self.depth = 0
        self.is_looking_ahead = False

    def refuse(self, sign: str) -> None:
        """Raise ExpressionError for a part of the pattern that engines read differently."""
        text = N_("The pattern of regex() has “{sign}”, which phones and the centre would read differently.")
        raise ExpressionError("expression.pattern", text, sign=sign)

    def peek(self, length: int = 1) -> str:
        """Return the next characters without taking them; fewer at the end."""
        return self.pattern[self.at : self.at + length]

    def take(self, length: int = 1) -> str:
        """Take the next characters."""
        taken = self.peek(length)
        self.at += length
        return taken

    def alternatives(self) -> tuple[str, ambiguity.Node]:
        """Return what was read, as written and as a tree."""
        self.depth += 1
        # Deep brackets mean nothing to an author, and would exhaust the stack.
        if self.depth > 20:
            self.refuse("((((")
        written = []
        nodes = []
        while True:
            part, node = self.sequence()
            written.append(part)
            nodes.append(node)
            if self.peek() != "|":
                self.depth -= 1
                return "|".join(written), ("alt", tuple(nodes))
            self.take()

    def sequence(self) -> tuple[str, ambiguity.Node]:
        """Return atoms that follow each other, up to | or the end of the brackets."""
        written = []
        nodes = []
        while self.at < len(self.pattern) and self.peek() not in "|)":
            atom, node = self.atom()
            repeat, bounds = self.quantifier()
            if bounds and (node == NOTHING or node[0] == "look"):
                self.refuse(atom + repeat)  # it reads no character that could be repeated
            if bounds:
                node = ("repeat", node, *bounds)
            nodes.append(node)
            written.append(atom + repeat)
        return "".join(written), ("seq", tuple(nodes))

    def quantifier(self) -> tuple[str, tuple[int, int | None] | None]:
        """Return a quantifier as written, with the least and the most repetitions.

        `most` is None where there is no end.
        """
        sign = self.peek()
        bounds: tuple[int, int | None]
        if sign in ("*", "+", "?"):
            repeat = self.take()
            bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif sign == "{":
            end = self.pattern.find("}", self.at)
            inside = ""
            if end > 0:
                inside = self.pattern[self.at + 1 : end]
            low, comma, high = inside.partition(",")
            # int() is safe here: the pattern before it lets digits through only.
            is_good = re.fullmatch("[0-9]{1,4},?[0-9]{0,4}", inside) and max(int(low), int(high or 0)) <= MAX_TEXT
            if not is_good or (high and int(high) < int(low)):
                self.refuse("{")
            repeat = self.take(end - self.at + 1)
            most = None  # {3,} has no upper limit
            if high:
                most = int(high)
            elif not comma:
                most = int(low)
            bounds = (int(low), most)
        else:
            return "", None
        # A lazy repetition reads the same texts; only in which order, which nobody sees in a whole
        # match.
        if self.peek() == "?":
            repeat += self.take()
        # Possessive and doubled quantifiers mean different things to different engines.
        if self.peek() and self.peek() in "*+?{":
            self.refuse(repeat + self.peek())
        return repeat, bounds

    def atom(self) -> tuple[str, ambiguity.Node]:
        """Return an atom as written and as a tree."""
        sign = self.take()
        if sign == "(":
            opening = "("
            if self.peek() == "?":
                opening = sign + self.take(2)
                # Named groups, flags and looking back are spelled or limited differently.
                if opening not in ("(?:", *LOOKS):
                    self.refuse(opening)
            inner, node = self.alternatives()
            if self.take() != ")":
                self.refuse("(")
            if opening in LOOKS:
                self.is_looking_ahead = True
                node = ("look", node)
            return f"{opening}{inner})", node
        if sign in "^$":
            return sign, NOTHING
        written = self.one_character(sign)
        if written in (r"\b", r"\B"):
            return written, NOTHING
        return written, ("set", written)

    def one_character(self, sign: str) -> str:
        """Return an atom that reads one character, as written."""
        if sign == "[":
            return self.characters()
        if sign == ".":
            # What "." leaves out differs: browsers stop at U+2028 and U+2029, Python does not.
            return r"[^\n\r\u2028\u2029]"
        if sign == "\\":
            return self.escape(is_inside=False)
        if sign in "*+?{}]":
            if sign in "}]":
                return "\\" + sign
            self.refuse(sign)
        if sign == "/":
            return "\\" + sign
        return sign

    def escape(self, is_inside: bool) -> str:
        """Return what a backslash and what follows it mean, inside or outside of [brackets]."""
        sign = self.take()
        if sign == "s":
            if is_inside:
                return SPACE
            return f"[{SPACE}]"
        if sign == "S" and not is_inside:
            return f"[^{SPACE}]"
        if sign in ("d", "w", "t", "n", "r", "f", "v") or (sign in ("D", "W", "b", "B") and not is_inside):
            return "\\" + sign
        # Half a surrogate pair is a character to a browser and none to Python.
        if sign == "u" and re.fullmatch("[0-9A-Fa-f]{4}", self.peek(4)) and self.peek().lower() != "d":
            return "\\u" + self.take(4)
        if sign in SYNTAX or (sign == "-" and is_inside):
            return "\\" + sign
        # A letter after a backslash may mean something to one engine now or later; other characters
        # just stand for themselves.
        if not sign or sign.isalnum():
            self.refuse("\\" + sign)
        return sign

    def characters(self) -> str:
        """Return a set of characters in [brackets], with all that engines disagree about escaped."""
        written = "["
        if self.peek() == "^":
            written += self.take()
        is_first = True
        while True:
            if self.at >= len(self.pattern):
                self.refuse("[")
            sign = self.take()
            if sign == "]" and not is_first:
                return written + "]"
            # "[[:alpha:]]", "&&" and an empty class are read differently, or not at all.
            if sign == "[" or (sign == "&" and self.peek() == "&") or (sign == "]" and is_first):
                if self.peek() == ":" or sign != "[":
                    self.refuse(sign + self.peek())
                sign = "\\["
            elif sign == "\\":
                sign = self.escape(is_inside=True)
            # A dash at an edge or beside a class is itself; written out so that nobody has to know.
            elif sign == "-" and (is_first or self.peek() in ("]", "\\") or written[-2:] in ("\\d", "\\w", "\\v")):
                sign = "\\-"
            elif sign in SYNTAX - {"^"} or sign == "^":
                sign = "\\" + sign
            is_first = False
            written += sign
