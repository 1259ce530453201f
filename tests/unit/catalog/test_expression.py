"""The language of conditions: what it reads, what it refuses and where, and what it decides."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticssync.catalog.expression import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    WORDS,
    AllOf,
    AnyOf,
    Expression,
    Not,
    Word,
    deciding_words,
    evaluate,
    parse_expression,
)

expressions = st.recursive(
    st.sampled_from(WORDS).map(Word),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=6,
)
certain = st.fixed_dictionaries({word: st.booleans() for word in WORDS})
answered = st.fixed_dictionaries({word: st.sampled_from([True, False, None]) for word in WORDS})


def read(text: str) -> Expression:
    expression, problems = parse_expression(text)
    assert problems == []
    assert expression is not None
    return expression


def every_part(expression: Expression) -> list[Expression]:
    inner = getattr(expression, "parts", ()) or ([expression.part] if isinstance(expression, Not) else [])
    return [expression, *(found for part in inner for found in every_part(part))]


def python_value(expression: Expression, answers: dict[str, bool]) -> bool:
    """What Python itself makes of the same sentence: an oracle that shares no code with the product."""
    names = {word: word.replace(".", "_") for word in WORDS}
    text = str(expression)
    for word in sorted(names, key=len, reverse=True):
        text = text.replace(word, names[word])
    return bool(eval(text, {}, {names[word]: value for word, value in answers.items()}))


def test_not_binds_closer_than_and_and_and_closer_than_or():
    paper, areas, takeout = Word("forms.paper"), Word("areas"), Word("takeout")

    assert read("forms.paper or not areas and takeout") == AnyOf((paper, AllOf((Not(areas), takeout))))


def test_parentheses_group():
    paper, areas, takeout = Word("forms.paper"), Word("areas"), Word("takeout")

    assert read("(forms.paper or areas) and takeout") == AllOf((AnyOf((paper, areas)), takeout))


def test_blanks_and_line_ends_do_not_matter():
    assert read("  forms.paper\n or\tareas ") == read("forms.paper or areas")


@given(expressions)
def test_what_is_written_reads_back_as_the_same_expression(expression: Expression):
    again = read(str(expression))

    assert str(again) == str(expression)
    assert again == expression


def test_a_condition_decides_as_python_would_for_every_full_answer():
    reached: Counter[tuple[str, bool]] = Counter()

    @settings(max_examples=400, deadline=None)
    @given(expressions, certain)
    def agree(expression: Expression, answers: dict[str, bool]) -> None:
        for part in every_part(expression):
            value = evaluate(part, answers)
            reached[type(part).__name__, bool(value)] += 1
            assert value is python_value(part, answers)

    agree()

    kinds = {(kind, value) for kind in ("Word", "Not", "AllOf", "AnyOf") for value in (True, False)}
    assert kinds <= set(reached)


def test_an_open_answer_leaves_the_result_open_only_where_it_could_tip_it():
    reached: Counter[bool | None] = Counter()

    @given(expressions, answered, certain)
    def hold(expression: Expression, answers: dict[str, bool | None], filling: dict[str, bool]) -> None:
        value = evaluate(expression, answers)
        reached[value] += 1
        full = {word: filling[word] if given is None else given for word, given in answers.items()}
        if value is not None:
            assert evaluate(expression, full) is value

    hold()

    assert set(reached) == {True, False, None}


def test_the_deciding_words_alone_decide():
    reached: Counter[bool | None] = Counter()

    @given(expressions, answered)
    def decide(expression: Expression, answers: dict[str, bool | None]) -> None:
        words = deciding_words(expression, answers)
        value = evaluate(expression, answers)
        reached[value] += 1
        only = {word: given for word, given in answers.items() if word in words}
        assert words
        assert evaluate(expression, only) is value
        if value is None:
            assert None in [answers[word] for word in words]

    decide()

    assert set(reached) == {True, False, None}


def test_only_the_answers_that_decided_are_named():
    answers = {"forms.paper": False, "areas": True, "takeout": False}

    assert deciding_words(read("forms.paper or areas"), answers) == ("areas",)
    assert deciding_words(read("forms.paper or takeout"), answers) == ("forms.paper", "takeout")
    assert deciding_words(read("areas and not takeout"), answers) == ("areas", "takeout")
    assert deciding_words(read("areas and takeout and forms.paper"), answers) == ("takeout", "forms.paper")


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("forms.papr or areas", 1, "forms.papr"),
        ("areas or paper", 10, "paper"),
        ("areas OR takeout", 7, "OR"),
        ("areas takeout", 7, "takeout"),
        ("areas and", 10, "ends here"),
        ("and areas", 1, "and"),
        ("", 1, "ends here"),
        ("(areas or takeout", 1, "never closed"),
        ("(areas takeout", 8, "takeout"),
        ("areas)", 6, ")"),
        ("areas == true", 7, "="),
        ("areas または takeout", 7, "ま"),
        ("（areas）", 1, "（"),
        ("areas or ()", 11, ")"),
        ("not", 4, "ends here"),
        ("__import__", 1, "__import__"),
        ("areas, takeout", 6, ","),
    ],
)
def test_a_slip_is_a_problem_at_its_column(text: str, column: int, part: str):
    expression, problems = parse_expression(text)

    assert expression is None
    assert [problem.column for problem in problems] == [column]
    assert part in str(problems[0])


def test_all_unknown_words_are_named_at_once():
    _, problems = parse_expression("forms.papr or area and not takeouts")

    assert [problem.column for problem in problems] == [1, 15, 28]
    assert [problem.fix for problem in problems] == [
        "did you mean forms.paper?",
        "did you mean areas?",
        "did you mean takeout?",
    ]


def test_a_word_like_none_that_exists_gets_the_whole_list():
    _, problems = parse_expression("zzz")

    assert all(word in problems[0].fix for word in WORDS)


@pytest.mark.parametrize("opening", ["(", "not "])
def test_deep_nesting_is_refused_and_not_run_into(opening: str):
    _, problems = parse_expression(opening * (MAX_DEPTH + 2) + "areas")

    assert "nested deeper" in problems[0].message


def test_the_deepest_allowed_nesting_is_read():
    assert read("not " * MAX_DEPTH + "areas")
    assert read("(" * MAX_DEPTH + "areas" + ")" * MAX_DEPTH) == Word("areas")


def test_a_huge_text_is_refused_before_it_is_read():
    _, problems = parse_expression("(" * (MAX_CHARACTERS + 1))

    assert "longer than" in problems[0].message


@given(st.text(max_size=60) | st.text(alphabet="()notandr areas.fmp、", max_size=60))
def test_any_text_is_either_an_expression_or_problems_within_it(text: str):
    expression, problems = parse_expression(text)

    assert (expression is None) is bool(problems)
    for problem in problems:
        assert problem.column is not None
        assert 1 <= problem.column <= len(text) + 1
