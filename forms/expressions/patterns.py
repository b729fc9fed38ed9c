"""Regular expressions that mean the same in Python and in every browser, and always end.

`common` reads a pattern once, at publish, and writes it in the part of the language that both engines share: what differs is
spelled out (`.`, `\\s`), what only one knows is refused, and so is a pattern that could take for ever on some answer.
"""

from forms.expressions.problems import ExpressionError
from forms.problems import N_

MAX_TEXT = 1000  # characters of an answer that a pattern looks at; a longer answer never matches
SPACE = r" \t\n\r\f\v"
SYNTAX = set("^$\\.*+?()[]{}|/")
ENDLESS = 64  # a repetition that may go on longer than this counts as endless


def common(pattern: str) -> str:
    """Return the pattern in the shared language; raise ExpressionError where there is no such pattern."""
    reader = _Reader(pattern)
    written, _, _ = reader.alternatives()
    if reader.at < len(pattern):
        reader.refuse(")")
    return written


class _Reader:
    def __init__(self, pattern: str):
        self.pattern, self.at, self.depth = pattern, 0, 0

    def refuse(self, sign: str) -> None:
        text = N_("The pattern of regex() has “{sign}”, which phones and the centre would read differently.")
        raise ExpressionError("expression.pattern", text, sign=sign)

    def peek(self, length: int = 1) -> str:
        return self.pattern[self.at : self.at + length]

    def take(self, length: int = 1) -> str:
        taken = self.peek(length)
        self.at += length
        return taken

    def alternatives(self) -> tuple[str, bool, list[str]]:
        """Return what was read, whether anything in it is endless, and what each alternative begins with."""
        self.depth += 1
        if self.depth > 20:
            self.refuse("((((")
        written, is_endless, starts = [], False, []
        while True:
            part, endless, start = self.sequence()
            written.append(part)
            starts.append(start)
            is_endless |= endless
            if self.peek() != "|":
                self.depth -= 1
                return "|".join(written), is_endless, starts
            self.take()

    def sequence(self) -> tuple[str, bool, str]:
        written, is_endless, start = [], False, ""
        while self.at < len(self.pattern) and self.peek() not in "|)":
            atom, endless, starts = self.atom()
            repeat, may_be_long = self.quantifier()
            if may_be_long and (endless or (len(starts) > 1 and _may_meet(starts))):
                text = N_("This pattern repeats something that itself repeats; on some answers it would never end.")
                raise ExpressionError("expression.pattern_slow", text)
            is_endless |= endless or may_be_long
            start = start or (starts[0] if len(starts) == 1 and not repeat else "?")
            written.append(atom + repeat)
        return "".join(written), is_endless, start

    def quantifier(self) -> tuple[str, bool]:
        sign = self.peek()
        if sign in ("*", "+", "?"):
            repeat, is_long = self.take(), sign != "?"
        elif sign == "{":
            end = self.pattern.find("}", self.at)
            inside = self.pattern[self.at + 1 : end] if end > 0 else ""
            low, comma, high = inside.partition(",")
            if not low.isdecimal() or not (high.isdecimal() or not high) or max(int(low), int(high or 0)) > MAX_TEXT:
                self.refuse("{")
            repeat = self.take(end - self.at + 1)
            is_long = bool(comma and (not high or int(high) > ENDLESS))
        else:
            return "", False
        if self.peek() == "?":
            repeat += self.take()
        if self.peek() and self.peek() in "*+?{":
            self.refuse(repeat + self.peek())
        return repeat, is_long

    def atom(self) -> tuple[str, bool, list[str]]:
        """Return an atom as written, whether something in it is endless, and what each of its alternatives begins with."""
        sign = self.take()
        if sign == "(":
            opening = "("
            if self.peek() == "?":
                opening = sign + self.take(2)
                if opening not in ("(?:", "(?=", "(?!"):
                    self.refuse(opening)
            inner, endless, starts = self.alternatives()
            if self.take() != ")":
                self.refuse("(")
            return f"{opening}{inner})", endless, starts
        if sign == "[":
            return self.characters(), False, ["?"]
        if sign == ".":
            return r"[^\n\r\u2028\u2029]", False, ["?"]
        if sign in "^$":
            return sign, False, [sign]
        if sign == "\\":
            written = self.escape(is_inside=False)
            return written, False, [written if written[-1] not in "dDwWsSbB]" else "?"]
        if sign in "*+?{}]":
            if sign in "}]":
                return "\\" + sign, False, [sign]
            self.refuse(sign)
        return ("\\" + sign if sign == "/" else sign), False, [sign]

    def escape(self, is_inside: bool) -> str:
        sign = self.take()
        if sign == "s":
            return SPACE if is_inside else f"[{SPACE}]"
        if sign == "S" and not is_inside:
            return f"[^{SPACE}]"
        if sign in ("d", "w", "t", "n", "r", "f", "v") or (sign in ("D", "W", "b", "B") and not is_inside):
            return "\\" + sign
        if sign in SYNTAX or (sign == "-" and is_inside):
            return "\\" + sign
        if not sign or sign.isalnum():
            self.refuse("\\" + sign)
        return sign

    def characters(self) -> str:
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
            if sign == "[" or (sign == "&" and self.peek() == "&") or (sign == "]" and is_first):
                if self.peek() == ":" or sign != "[":
                    self.refuse(sign + self.peek())
                sign = "\\["
            elif sign == "\\":
                sign = self.escape(is_inside=True)
            elif sign == "-" and (is_first or self.peek() in ("]", "\\") or written[-2:] in ("\\d", "\\w", "\\v")):
                sign = "\\-"
            elif sign in SYNTAX - {"^"} or sign == "^":
                sign = "\\" + sign
            is_first = False
            written += sign


def _may_meet(starts: list[str]) -> bool:
    """Return whether two alternatives may begin with the same sign."""
    return "?" in starts or "" in starts or len(set(starts)) < len(starts)
