"""Patterns of regex(): what passes is quick on the worst answer, what could be slow is refused, or not tried where it is old."""

import dataclasses
import datetime as dt
import hashlib
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.expressions import ExpressionError
from forms.expressions.nodes import OWN_VALUE, Call, TextLiteral
from forms.expressions.patterns import compile_written, is_quick, parse_portable_pattern
from forms.problems import FormRefused
from forms.validation import recalculate, validate
from forms.xlsform import compile_workbook
from sync.envelope import Envelope
from sync.intake import Status, decide
from tests.forms.small_forms import NOW, form_of, text_of

SLOW = [
    *(r"[a-z]*[a-z]*[a-z]*[a-z]*[0-9]", r".*.*.*.*x", r"(.*)(.*)(.*)(.*)(.*)x", r"(a?){30}a{30}", r"(a|a)*b", r"(a|ab)*c"),
    *(r"(a*)*", r"(?:a{0,50}){0,50}", r"(a+)+", r"(.*)*b", r"(\d+)*x", r"(a?b*)+", r"(a|b|ab)*c", r".+@.+\..+", r"a*a*a*b"),
    *(r"(?=.*.*.*x)a", r".*(?=.*.*x)", r"(x+x+)+y", r"(ab|a|b)+c", r"([a-z]+[0-9]*)+x", r"(a{1,30}){1,30}", r"(\w+\s?)*x"),
    *(
        r"a{0,400}a{0,400}a{0,400}b",
        r"(a?){1000}",
        r"(a*b?)*c",
        r"(a|a|b)*c",
        r"a*b*a*b*a*b*c",
        r"(\w+ ?)+",
        r"(|a)*",
        r"(?:a?)+",
    ),
]
QUICK = [
    *(r"[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]", r"^[0-9A-HJKMNP-TV-Z]{4}-?[0-9A-HJKMNP-TV-Z]{4}[0-9A-Z*~$=U]$", r"\S+@\S+"),
    *(
        r"^[a-z]+@[a-z]+\.[a-z]{2,}$",
        r"[0-9]+(\.[0-9]+)?",
        r"\d{1,3}(,\d{3})*",
        r"(\+?1[ -]?)?\(?[0-9]{3}\)?[ -]?[0-9]{3}[ -]?[0-9]{4}",
    ),
    *(
        r"\+?[0-9 ()-]{7,15}",
        r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,4}$",
        r".*foo.*",
        r".*@.*",
        r".{0,280}",
        r".{1,1000}",
    ),
    *(
        r"(yes|no|maybe)( (yes|no|maybe))*",
        r"[^@]+@[^@.]+(\.[^@.]+)+",
        r"\w+( \w+)*",
        r"a*b*c*d*",
    ),
    *(r"(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}", r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", r""),
]
PUMPED = ["a", "b", "ab", "aab", "a1", "@", "a@.", "1", ",111", " ", "a ", "foo", "é", "aaaaaaab"]


@pytest.mark.parametrize("pattern", SLOW)
def test_a_pattern_that_could_take_long_is_refused(pattern: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_portable_pattern(pattern)
    assert caught.value.code == "expression.pattern_slow"


@pytest.mark.parametrize("pattern", [r"\b?", r"a\B{2}", "^*a", "a$+", "(?=a)?", "(?!a){2,3}", "[b-a]", "[z-a0-9]"])
def test_what_no_phone_can_run_is_refused_at_publish(pattern: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_portable_pattern(pattern)
    assert caught.value.code == "expression.pattern"


@pytest.mark.parametrize("pattern", QUICK)
def test_an_ordinary_pattern_passes_and_its_compiled_form_may_be_run(pattern: str) -> None:
    assert is_quick(parse_portable_pattern(pattern))


def test_the_author_is_told_the_row_and_what_to_do() -> None:
    row = {"type": "text", "name": "mail", "constraint": r"regex(., '.*.*.*.*x')", "privacy": "free-text"}
    with pytest.raises(FormRefused) as caught:
        compile_workbook(text_of(row).encode(), ".md")
    found = [one for one in caught.value.problems if one.code == "expression.pattern_slow"]
    assert [(one.sheet, one.row, one.column) for one in found] == [("survey", 2, "constraint")]
    assert "Say which characters" in found[0].text


atoms = st.sampled_from(
    ["a", "b", "[ab]", ".", "[a-z]", r"\w", r"\d", "@", " ", "1", "[^b]", r"\s", "(?=a*b)", "^", "$", "é"]
)
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,3}", "{1,20}", "{2,}", "*?"])).map(
            lambda p: f"({p[0]}){p[1]}"
        ),
        st.lists(inner, min_size=1, max_size=5).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
    ),
    max_leaves=12,
)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(patterns, st.lists(st.sampled_from(PUMPED), min_size=1, max_size=3), st.sampled_from(["", "\n", "!", "b"]))
def test_every_pattern_that_passes_is_quick_on_a_thousand_characters(pattern: str, parts: list[str], end: str) -> None:
    try:
        written = parse_portable_pattern(pattern)
    except ExpressionError:
        return
    assert is_quick(written)
    compiled = re.compile(written, re.ASCII)  # tries one way after another, as phones do
    texts = [(part * 1000)[: 1000 - len(end)] + end for part in parts]
    texts.append("".join((part * 1000)[: 1000 // len(parts)] for part in parts)[: 1000 - len(end)] + end)
    start = time.process_time()
    for text in texts:
        compiled.fullmatch(text)
    assert time.process_time() - start < 0.5 * len(texts)


@pytest.mark.parametrize("pattern", [r"^(?=.*[A-Z])(?=.*[0-9]).{8,}$", r"(?!x)[a-z]+"])
def test_a_pattern_that_looks_ahead_is_refused_with_another_way_to_say_it(pattern: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_portable_pattern(pattern)
    assert caught.value.code == "expression.pattern"
    assert "Write a regex() for each condition" in str(caught.value)


def test_a_form_from_before_looking_ahead_was_refused_goes_on_as_it_was() -> None:
    form = form_of({"type": "text", "name": "t", "constraint": "regex(., 'x+')", "privacy": "free-text"})
    for pattern, fits in ((r"(?=[^0-9]*[0-9])[a-z0-9]{4}", True), (r"(?=.*.*.*x)a", False)):
        old = Call("regex", (OWN_VALUE, TextLiteral(pattern)))
        before = dataclasses.replace(form, elements=(dataclasses.replace(form.elements[0], constraint=old),))
        codes = [one.code for one in validate(before, {"t": "abc1"}, NOW).problems]
        assert codes == ([] if fits else ["answers.pattern"])


@settings(max_examples=200, deadline=None)
@given(
    patterns,
    st.text(alphabet="ab1@ é\n\r\u2028x-", max_size=12) | st.lists(st.sampled_from(PUMPED), max_size=4).map("".join),
)
def test_the_centres_engine_says_what_those_of_phones_say(pattern: str, text: str) -> None:
    try:
        written = parse_portable_pattern(pattern)
    except ExpressionError:
        return
    assert bool(compile_written(written).fullmatch(text)) == bool(re.compile(written, re.ASCII).fullmatch(text))


@pytest.mark.parametrize("pattern", QUICK)
def test_ordinary_patterns_take_time_in_proportion_to_the_answer(pattern: str) -> None:
    compiled = compile_written(parse_portable_pattern(pattern))
    assert not isinstance(compiled, re.Pattern)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(patterns)
def test_the_check_itself_is_quick(pattern: str) -> None:
    start = time.process_time()
    for one in (pattern, f"({pattern}){{0,400}}", f"({pattern}){{60}}({pattern})*"):
        try:
            parse_portable_pattern(one)
        except ExpressionError as error:
            assert error.code.startswith("expression.pattern")
    assert time.process_time() - start < 6


def test_a_pattern_that_was_published_before_the_check_is_not_tried_and_nothing_is_lost() -> None:
    form = form_of({"type": "text", "name": "t", "constraint": "regex(., 'x+')", "privacy": "free-text"})
    old = Call("regex", (OWN_VALUE, TextLiteral("[a-z]*[a-z]*[a-z]*[a-z]*[0-9]")))
    element = dataclasses.replace(form.elements[0], constraint=old)
    form = dataclasses.replace(form, elements=(element,))
    given_answers = {"t": "a" * 900}
    start = time.process_time()
    for found in (validate(form, given_answers, NOW), recalculate(form, given_answers, NOW)):
        assert [one.code for one in found.problems] == ["answers.pattern"]
        assert found.answers == given_answers
    assert time.process_time() - start < 2
    assert validate(form, {}, NOW).problems == []


def test_a_record_with_an_answer_to_such_a_pattern_is_kept_aside_with_the_reason() -> None:
    form = form_of({"type": "text", "name": "t", "relevant": "regex('a', 'x+')", "privacy": "free-text"})
    old = Call("regex", (OWN_VALUE, TextLiteral("(a?){30}a{30}")))
    form = dataclasses.replace(form, elements=(dataclasses.replace(form.elements[0], relevant=None, constraint=old),))
    body = '{"t": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}'
    finished = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
    envelope = Envelope("i", form.id, form.version, finished, body, hashlib.sha256(body.encode()).hexdigest())
    decision = decide(envelope, form, {})
    assert decision.status is Status.REJECTED
    assert [one.code for one in decision.problems] == ["answers.pattern"]
