"""A mapping file against what the live tracker offers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.mapping.schemas import redmine

from ticssync.mapping import load_mapping
from ticssync.mapping.compare import Compared, compare
from ticssync.plugin import FieldSchema, RemoteSchema
from ticssync.yamlfile import read_yaml

FILE = """\
version: 1
kind: redmine
marker: cf_7
fields:
  title: subject
  status: status_id
  due: due_date
  priority: priority_id
  number: cf_3
statuses:
  "1": todo
  "2": doing
  "4": doing
  "3": review
  "5": done
  "6": wont_do
values:
  priority: {"1": low, "2": normal, "3": high, "4": urgent, "5": urgent}
given: {tracker_id: "2"}
"""
CUSTOM = (FieldSchema("cf_7", "ticssync-id", ""), FieldSchema("cf_3", "基準番号", ""))


def compared(tmp_path: Path, old: str = "", new: str = "", schema: RemoteSchema | None = None) -> Compared:
    assert old in FILE
    file = tmp_path / "割り付け.yaml"
    file.write_text(FILE.replace(old, new, 1) if old else FILE, "utf-8")
    mapping, problems = load_mapping(file)

    assert problems == []
    assert mapping is not None
    return compare(read_yaml(file), mapping, schema or redmine(*CUSTOM))


def test_a_mapping_that_fits_has_nothing_to_say(tmp_path: Path):
    assert compared(tmp_path) == Compared()


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "fix"),
    [
        ("due_date", "due_dat", 7, "no field due_dat", "did you mean 期日 (due_date)?"),
        ("due: due_date", "due: 期日", 7, "no field 期日", "did you mean 期日 (due_date)?"),
        ("number: cf_3", "number: cf_99", 9, "no field cf_99", "the tracker has cf_7 (ticssync-id), cf_3 (基準番号)"),
        ("marker: cf_7", "marker: cf_8", 3, "no field cf_8", "the tracker has cf_7 (ticssync-id), cf_3 (基準番号)"),
        ('"3": review', '"33": review', 14, "no status 33", "the tracker has 1 (新規), 2 (進行中)"),
        ('"3": review', '"解決": review', 14, "no status 解決", "did you mean 解決 (3)?"),
        ('"3": high', '"高め": high', 18, "no value 高め", "did you mean 高め (3)?"),
        ('tracker_id: "2"', 'tracker_id: "機能"', 19, "no value 機能", "did you mean 機能 (2)?"),
        ('tracker_id: "2"', 'trackr_id: "2"', 19, "no field trackr_id", ""),
        ("due: due_date", "due: done_ratio", 7, "due goes to 進捗率 (done_ratio), which is of the type int", "choose another"),
        ("number: cf_3", "number: start_date", 9, "which is of the type date", "choose another"),
        ("marker: cf_7", "marker: start_date", 3, "the marker needs a field of text", "have the administrator make"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_line_and_what_to_do(
    tmp_path: Path, old: str, new: str, line: int, message: str, fix: str
):
    (problem,) = compared(tmp_path, old, new).problems

    assert (problem.file, problem.line) == (str(tmp_path / "割り付け.yaml"), line)
    assert problem.column is not None
    assert message in problem.message
    assert problem.fix.startswith(fix)


def test_a_status_without_a_line_is_a_warning_and_no_problem(tmp_path: Path):
    """Tasks in it cannot be read; everything else goes on."""
    schema = redmine(*CUSTOM, statuses={**redmine().statuses, "9": "差戻し"})
    found = compared(tmp_path, schema=schema)

    assert found.problems == ()
    assert [(str(one.message), one.line) for one in found.warnings] == [
        ("the status 差戻し (9) has no line: tasks in it cannot be read", 10)
    ]


def test_a_value_that_people_may_choose_and_no_line_reads_is_a_warning(tmp_path: Path):
    choices = {**redmine().choices, "priority_id": {**redmine().choices["priority_id"], "8": "特急"}}
    (warning,) = compared(tmp_path, schema=redmine(*CUSTOM, choices=choices)).warnings

    assert "特急 (8)" in warning.message


def test_a_custom_field_that_no_one_shows_us_is_not_called_missing(tmp_path: Path):
    """A member's account may see no custom field at all."""
    found = compared(tmp_path, schema=redmine())

    assert found.problems == ()
    assert [one.line for one in found.warnings] == [9, 3]


def test_a_marker_field_that_is_too_short_is_a_problem(tmp_path: Path):
    short = replace(CUSTOM[0], max_length=60)
    (problem,) = compared(tmp_path, schema=redmine(short, CUSTOM[1])).problems

    assert "60 characters; the marker needs 120" in problem.message


def test_a_required_field_that_nothing_fills_is_a_warning_at_the_place_to_fill_it(tmp_path: Path):
    schema = redmine(*CUSTOM, FieldSchema("cf_9", "部門", "list", required=True))
    (warning,) = compared(tmp_path, schema=schema).warnings
    given = compared(tmp_path, 'given: {tracker_id: "2"}', 'given: {tracker_id: "2", cf_9: 本社}', schema)

    assert (warning.line, "部門 (cf_9)" in warning.message) == (19, True)
    assert given == Compared()


def test_a_tracker_that_calls_everything_a_text_tells_nothing_of_types(tmp_path: Path):
    fields = [replace(one, type="text") for one in redmine(*CUSTOM).fields]

    assert compared(tmp_path, schema=redmine(fields=fields)) == Compared()
