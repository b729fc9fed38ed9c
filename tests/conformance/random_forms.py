"""Make forms, answers and what workers do, by chance: everything the form language has, wired together at random."""

import random
from typing import Any

from forms.definition import Element, FormDefinition
from forms.expressions.values import parse_date

HEADER = ["type", "name", "label", "relevant", "required", "constraint", "calculation", "default", "choice_filter"]
HEADER += ["repeat_count", "trigger", "read_only", "parameters", "privacy", "consent::keep", "app_role"]
TYPES = [
    "integer",
    "integer",
    "decimal",
    "text",
    "date",
    "time",
    "dateTime",
    "select_one",
    "select_multiple",
    "range",
    "rank",
]
CLASS = {"text": "free-text"}
CHOICES = """| choices | | | | |
| | list_name | name | label | kind |
| | place | a | A | x |
| | place | b | B | x |
| | place | c | C | y |
| | place | d | D | y |
| | kind | x | X | |
| | kind | y | Y | |
| settings | | |
| | form_id | version |
| | random | 1 |
"""
CONSENT_CHOICES = """| choices | | | | | |
| | list_name | name | label | kind | app_role |
| | who | one | One | | |
| | who | many | Many | | |
| | tier | 0 | No | | consent_tier |
| | tier | 1 | Some | | consent_tier |
| | tier | 2 | More | | consent_tier |
| | tier | 3 | All | | consent_tier |
| | yes_no | yes | Yes | | yes |
| | yes_no | no | No | | |
"""
KEEPS = ["", "", "", "1", "2", "3", "+4"]


class Maker:
    """Write one random form as a Markdown workbook."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.rows: list[dict[str, str]] = []
        self.known: list[tuple[str, str, str]] = []  # name, type, the repeat it stands in
        self.repeats: list[str] = []
        self.number = 0

    def form(self) -> str:
        self.group("", self.chance.randrange(4, 14), 0)
        lines = ["| survey | " + " | " * len(HEADER), "| | " + " | ".join(HEADER) + " |"]
        lines += ["| | " + " | ".join(row.get(column, "") for column in HEADER) + " |" for row in self.rows]
        return "\n".join(lines) + "\n" + CHOICES

    def form_with_consent(self, has_logic: bool = True) -> str:
        """Return a form that asks a person for consent, with answers that need more or less of it.

        Without logic of its own, what is asked depends on nothing but consent.
        """
        who = {"type": "select_one who", "name": "who", "label": "who", "required": "yes", "privacy": "operational"}
        about = self.maybe(0.7, "${who} = 'one'")
        if about:  # it decides if anybody is asked; otherwise it has to come after consent
            self.rows.append(who)
        self.rows += [
            {"type": "text", "name": "code", "label": "code", "privacy": "identifier", "app_role": "person"},
            {"type": "begin_group", "name": "block", "label": "b", "relevant": about},
            {"type": "select_one tier", "name": "said", "label": "said", "required": "yes", "privacy": "sensitive",
             "app_role": "tier"},
            {"type": "select_one yes_no", "name": "contact", "label": "contact", "privacy": "sensitive",
             "app_role": "consent_contact", "relevant": "${said} > 0"},
            {"type": "end_group"},
        ]  # fmt: skip
        if not about:
            self.rows.append(who)
        first = len(self.rows)
        self.group("", self.chance.randrange(4, 14), 0)
        for row in self.rows[first:]:
            if not row["type"].startswith("end"):
                row["consent::keep"] = self.chance.choice(KEEPS)
            if not has_logic:
                for column in ("relevant", "repeat_count", "choice_filter", "trigger"):
                    row.pop(column, None)
        lines = ["| survey | " + " | " * len(HEADER), "| | " + " | ".join(HEADER) + " |"]
        lines += ["| | " + " | ".join(row.get(column, "") for column in HEADER) + " |" for row in self.rows]
        return "\n".join(lines) + "\n" + CONSENT_CHOICES + CHOICES.split("\n", 2)[2].replace(" |\n", " | |\n", 6)

    def name(self) -> str:
        self.number += 1
        return f"q{self.number}"

    def group(self, repeat: str, size: int, depth: int) -> None:
        for _ in range(size):
            roll = self.chance.random()
            if roll < 0.1 and depth < 2:
                self.nest(repeat, depth)
            elif roll < 0.3:
                self.calculate(repeat)
            else:
                self.question(repeat)

    def nest(self, repeat: str, depth: int) -> None:
        name, is_repeat = self.name(), self.chance.random() < 0.6
        kind = "repeat" if is_repeat else "group"
        row = {"type": f"begin_{kind}", "name": name, "label": name, "relevant": self.maybe(0.3, self.condition(repeat))}
        if is_repeat and self.chance.random() < 0.3:
            row["repeat_count"] = self.count(repeat)
        self.rows.append(row)
        inner = f"{repeat}/{name}" if is_repeat else repeat
        if is_repeat:
            self.repeats.append(inner)
        self.group(inner, self.chance.randrange(1, 5), depth + 1)
        self.rows.append({"type": f"end_{kind}"})

    def count(self, repeat: str) -> str:
        numbers = [name for name, type_ in self.seen(repeat) if type_ == "integer"]
        return f"${{{self.chance.choice(numbers)}}}" if numbers else str(self.chance.randrange(4))

    def question(self, repeat: str) -> None:
        type_ = self.chance.choice(TYPES)
        row = {
            "name": self.name(),
            "privacy": CLASS.get(type_, "operational"),
            "relevant": self.maybe(0.4, self.condition(repeat)),
        }
        row |= {
            "label": row["name"],
            "required": self.maybe(0.4, "yes" if self.chance.random() < 0.7 else self.condition(repeat)),
        }
        row["type"] = {
            "select_one": "select_one place",
            "select_multiple": "select_multiple place",
            "rank": "rank place",
        }.get(type_, type_)
        if type_ == "range":
            row["parameters"] = self.chance.choice(
                ["start=1 end=5 step=1", "start=0 end=1 step=0.25", "start=10 end=0 step=2"]
            )
        if type_ == "select_one" and self.chance.random() < 0.3:
            row["type"] = "select_one kind"
        elif type_.startswith("select") and self.chance.random() < 0.5:
            row["choice_filter"] = self.filter(repeat)
        if type_ in ("integer", "decimal", "range"):
            row["constraint"] = self.maybe(0.4, f". >= {self.chance.randrange(-3, 3)} and . < {self.value(repeat)}")
        if type_ == "integer":
            row["default"] = self.maybe(0.3, self.chance.choice(["1", "2", "position(..)" if repeat else "3"]))
        if type_ == "date":
            row["default"] = self.maybe(0.3, "today()")
            row["constraint"] = self.maybe(0.3, ". <= today()")
        if type_ == "text":
            row["constraint"] = self.maybe(0.3, "regex(., '[a-z ]+')")
        self.rows.append(row)
        self.known.append((row["name"], type_, repeat))

    def calculate(self, repeat: str) -> None:
        row = {
            "type": "calculate",
            "name": self.name(),
            "privacy": "free-text",
            "relevant": self.maybe(0.2, self.condition(repeat)),
        }
        trigger = [one for one in self.seen(repeat) if one[1] != "calculate"]
        if trigger and self.chance.random() < 0.15:
            row["trigger"] = f"${{{self.chance.choice(trigger)[0]}}}"
        row["calculation"] = self.value(repeat)
        self.rows.append(row)
        self.known.append((row["name"], "calculate", repeat))

    def seen(self, repeat: str) -> list[tuple[str, str]]:
        """Return what may be referred to from here: questions that stand in this repeat or around it."""
        return [(name, type_) for name, type_, place in self.known if f"{repeat}/".startswith(f"{place}/") or not place]

    def maybe(self, probability: float, text: str) -> str:
        return text if self.chance.random() < probability else ""

    def reference(self, repeat: str) -> str:
        seen = self.seen(repeat)
        return f"${{{self.chance.choice(seen)[0]}}}" if seen else "1"

    def value(self, repeat: str, depth: int = 0) -> str:
        one = self.reference
        inner = [name for name, _, place in self.known if place and not f"{repeat}/".startswith(f"{place}/")]
        sums = [f"{f}(${{{self.chance.choice(inner)}}})" for f in ("sum", "count-non-empty", "max", "min") if inner]
        forms = [
            f"{one(repeat)} + {one(repeat)}",
            f"coalesce({one(repeat)}, {self.chance.randrange(9)}) * 2",
            f"concat({one(repeat)}, '-', {one(repeat)})",
            f"if({self.condition(repeat, depth + 1)}, {one(repeat)}, {self.chance.randrange(5)})"
            if depth < 2
            else one(repeat),
            f"string-length({one(repeat)})",
            f"round({one(repeat)} div 3, 2)",
            f"once({one(repeat)})",
            f"format-date({one(repeat)}, '%e %b')",
            f"int({one(repeat)}) mod 3",
            f"count-selected({one(repeat)})",
            f"pow({one(repeat)}, 2)",
            "position(..)" if repeat else "7",
            f"join(',', {one(repeat)}, 'x')",
            *sums,
            *sums,
        ]
        if repeat and self.chance.random() < 0.2:
            name = repeat.rsplit("/", 1)[-1]
            here = [q for q, _, place in self.known if place == repeat]
            if here:
                return f"indexed-repeat(${{{self.chance.choice(here)}}}, ${{{name}}}, position(..) - 1)"
        return self.chance.choice(forms)

    def condition(self, repeat: str, depth: int = 0) -> str:
        one = self.reference
        simple = [
            f"{one(repeat)} != ''",
            f"{one(repeat)} > {self.chance.randrange(4)}",
            f"selected({one(repeat)}, '{self.chance.choice('abcd')}')",
            f"{one(repeat)} = {one(repeat)}",
            f"not({one(repeat)} = 'b')",
            f"{one(repeat)} <= today()",
            f"{one(repeat)} < '12:00'",
        ]
        if depth < 2 and self.chance.random() < 0.3:
            sign = self.chance.choice(["and", "or"])
            return f"({self.condition(repeat, depth + 1)}) {sign} {self.chance.choice(simple)}"
        if self.chance.random() < 0.15 and depth < 2:
            return f"{self.value(repeat, depth + 1)} > 1"
        return self.chance.choice(simple)

    def filter(self, repeat: str) -> str:
        return self.chance.choice(
            [
                f"kind = {self.reference(repeat)}",
                f"kind != {self.reference(repeat)}",
                "kind = 'x'",
                f"name != {self.reference(repeat)}",
            ]
        )


def answer(form: FormDefinition, element: Element, chance: random.Random) -> str:
    """Return an answer to a question, often good, sometimes bad."""
    if chance.random() < 0.05:
        return chance.choice(["x y", "-1", "2026-02-30", "é😀", " ", "1e3", "99999999999", "NaN", "a a", "25:00", "0.1"])
    names = [choice.name for choice in form.choices.get(element.choices, ())]
    parameters = element.parameters
    low, high = sorted((float(parameters.get("start", 1)), float(parameters.get("end", 10))))
    return {
        "select_one": lambda: chance.choice(names),
        "select_multiple": lambda: " ".join(chance.sample(names, min(len(names), chance.randrange(1, 3)))),
        "rank": lambda: " ".join(chance.sample(names, len(names))),
        "integer": lambda: str(chance.randrange(-2, 6) if chance.random() < 0.8 else chance.randrange(260)),
        "decimal": lambda: f"{chance.uniform(-5, 60000):.2f}",
        "range": lambda: f"{chance.choice([low, high, low + 1, (low + high) / 2]):g}",
        "date": lambda: f"2026-03-{chance.randrange(1, 12):02}" if chance.random() < 0.8 else "2026-01-05",
        "dateTime": lambda: f"2026-03-0{chance.randrange(1, 9)}T{chance.randrange(24):02}:15",
        "time": lambda: f"{chance.randrange(24):02}:{chance.choice(['00', '30:15', '59:59.5'])}",
        "text": lambda: chance.choice(["K7QM-3RXDQ", "K7QM3RXDQ", "K7QM-3RXD5", "quiet night", "x" * 300, "a"]),
    }.get(element.type, lambda: "x")()


def answers(form: FormDefinition, chance: random.Random, parent: str = "/data") -> dict[str, Any]:
    """Return answers to a form at random, groups and repeats included."""
    result: dict[str, Any] = {}
    for element in form.children.get(parent, []):
        if element.kind == "repeat":
            result[element.name] = [answers(form, chance, element.path) for _ in range(chance.randrange(3))]
        elif element.kind == "group":
            result[element.name] = answers(form, chance, element.path)
        elif element.is_answered and chance.random() < 0.85:
            result[element.name] = _cut_to_part(element, answer(form, element, chance))
    return result


def _cut_to_part(element: Element, text: str) -> str:
    """Return a day as a screen gives it that asks for a month or year: the first of it. No other reaches the rules."""
    if not element.date_part or not parse_date(text):
        return text
    return f"{text[:7]}-01" if element.date_part == "month" else f"{text[:4]}-01-01"


def steps(form: FormDefinition, chance: random.Random, count: int) -> list[list[str]]:
    """Return what a worker might do: set answers, add and remove instances, some of it where there is nothing."""
    made: list[list[str]] = []
    repeats = {element.path for element in form.elements if element.kind == "repeat"}
    for _ in range(count):
        element = chance.choice(form.elements)
        place = ""
        for part in element.parent.split("/")[1:]:
            place += f"/{part}"
            if place.split(":")[0] in repeats or _template(place) in repeats:
                place += f":{chance.randrange(3)}"
        if element.kind == "repeat":
            if chance.random() < 0.7:
                made.append(["add", place, element.name])
            else:
                made.append(["remove", f"{place}/{element.name}:{chance.randrange(3)}"])
        elif element.is_answered:
            made.append(["set", f"{place}/{element.name}", answer(form, element, chance)])
    return made


def _template(place: str) -> str:
    return "/".join(part.split(":")[0] for part in place.split("/"))
