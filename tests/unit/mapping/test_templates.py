"""Templates of a mapping: what is wrong is told when the file is read, and what fails later is no traceback."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticssync.errors import Said
from ticssync.mapping import Facts, load_mapping, render_task
from ticssync.mapping.render import template_problems
from ticssync.mapping.schema import DueRule, Mapping

FACTS = Facts("㈱髙﨑精機", date(2026, 4, 1))
ITEM: dict[str, Any] = {
    "id": "T-14", "title": {"ja": "教育する", "en": "Train"}, "to_do": {"ja": "行う", "en": "Do"},
    "evidence_hint": {"ja": "記録", "en": "Record"}, "evidence": {"count": 2, "kinds": ["record"]},
    "chapter_title": {"ja": "人", "en": "People"}, "cadence": ["yearly"], "keep_mode": "copy", "basis": "derived",
    "confidence": "low", "why": {"ja": "対象", "en": "in scope"},
}  # fmt: skip


def mapping(title: str) -> Mapping:
    fields = {"title": {"to": "件名"}, "status": {"to": "状態"}}
    return Mapping.model_validate(
        {"version": 1, "kind": "fake", "title": title, "fields": fields, "statuses": {"完了": "done"}}
    )


def told(template: str) -> list[tuple[int, str, str]]:
    return [(line, str(message), str(fix)) for line, message, fix in template_problems(template)]


@pytest.mark.parametrize(
    "good",
    [
        "{{ title | upper }}",
        "{% if number is defined %}{{ number }}{% endif %}",
        "㊙ {{ cadence | join('・') }}",
    ],
)
def test_the_filters_and_tests_of_jinja_may_be_used(good: str):
    assert told(good) == []


@pytest.mark.parametrize(
    ("template", "line", "message", "fix"),
    [
        ("{{ title | upcase }}", 1, "the template uses upcase, which does not exist", "there are: upper, lower"),
        ("a\n{{ title | uper }}", 2, "the template uses uper, which does not exist", "did you mean upper?"),
        ("\n\n{% if why %}{{ title | uper }}{% endif %}", 3, "the template uses uper", "did you mean upper?"),
        ("{% filter uper %}x{% endfilter %}", 1, "the template uses uper", "did you mean upper?"),
        ("{{ 1 if title is definde }}", 1, "the template uses definde", "did you mean defined?"),
        ("{% block a %}{% endblock %}\n{% block a %}{% endblock %}", 2, "block 'a' defined twice", ""),
        ("{% include 'other' %}", 1, "a template may not take in other files", ""),
        ("{% extends 'other' %}", 1, "a template may not take in other files", ""),
        ("{{ titel }}", 1, "the template uses titel, which does not exist", "there are: id, number"),
    ],
)  # fmt: skip
def test_what_can_never_work_is_a_problem_with_its_line(template: str, line: int, message: str, fix: str):
    """Also inside an `if`, where Jinja itself looks only while it renders."""
    ((found_line, found, found_fix),) = told(template)

    assert found_line == line
    assert message in found
    assert found_fix.startswith(fix)


def test_the_file_is_refused_with_the_line_in_it(tmp_path: Path):
    """Line of the file, not of the template."""
    file = tmp_path / "mapping.yaml"
    file.write_text(
        "version: 1\nkind: fake\nbody: |\n  one\n  {{ to_do | upcase }}\n"
        "fields: {title: 件名, status: 状態}\nstatuses: {未着手: todo, 対応中: doing, 完了: done}\n",
        "utf-8",
    )

    loaded, problems = load_mapping(file)

    assert loaded is None
    assert [(one.file, one.line) for one in problems] == [(str(file), 5)]


@pytest.mark.parametrize(
    "template",
    [
        "{{ title + 1 }}",
        "{{ 1 // 0 }}",
        "{{ title | int + title }}",
        "{{ title | round }}",
        "{{ cadence | map('upcase') | list }}",
        "{{ title | upcase }}",
        "{{ titel }}",
        "{{ title",
    ],
)
def test_a_template_that_fails_is_told_for_its_item(template: str):
    """Whatever Python raises in it, and also where nobody asked for its problems before."""
    with pytest.raises(ValueError, match=r"the template fails for T-14: \S") as caught:
        render_task(mapping(template), ITEM, FACTS)

    assert isinstance(caught.value.args[0], Said)


@pytest.mark.parametrize("days", [10**9, -(10**6), 10**12])
def test_a_due_date_beyond_any_calendar_is_told(days: int):
    """A number with a few zeros too many."""
    late = mapping("{{ title }}").model_copy(update={"due": DueRule(days=days)})

    with pytest.raises(ValueError, match=f"due date of T-14 is beyond any calendar: {days} days"):
        render_task(late, ITEM, FACTS)


VALUES = st.sampled_from(["title", "evidence_count", "cadence", "'x'", "1", "titel"])
CHANGES = st.sampled_from(
    [
        " | upper",
        " | int",
        " | join",
        " | round",
        " | uper",
        " + 1",
        " - title",
        " // 0",
        " is defined",
        " is odd",
        "",
    ]
)
PIECES = st.one_of(
    st.tuples(VALUES, CHANGES, CHANGES).map(lambda parts: f"{{{{ {''.join(parts)} }}}}"),
    st.sampled_from(["{% if title %}", "{% endif %}", "{% for x in cadence %}", "{% endfor %}", "{{", "}}", "㊙", "\n"]),
)  # fmt: skip


def outcome(template: str) -> str:
    if told(template):
        return "problem"
    try:
        rendered = render_task(mapping(template), ITEM, FACTS)
    except ValueError as error:
        assert isinstance(error.args[0], Said)  # noqa: PT017 - raised for some templates only
        return "refused"
    assert isinstance(rendered.owned["title"], str)
    return "text"


def test_whatever_is_typed_ends_in_a_problem_or_a_text():
    """Problems when it is read, a rendered text, or the one error that its callers know: nothing else."""
    reached: Counter[str] = Counter()

    @settings(max_examples=300, derandomize=True)
    @given(st.lists(PIECES, min_size=1, max_size=4).map("".join))
    def typed(template: str) -> None:
        reached[outcome(template)] += 1

    typed()

    assert min(reached[name] for name in ("problem", "refused", "text")) >= 10
