"""Replacing the file, and the proof that goes before it."""

from __future__ import annotations

import dataclasses

import pytest
from plugins.sheets.tests.desk import SHEET, Words, change, draft, marker

from ticssync.plugin import Grid, Unsafe
from ticssync_sheets.workbook import tracker as tracker_module
from ticssync_sheets.workbook.files import BACKUPS, ChangedMeanwhile, backup_of, newest_backup, replace_file
from ticssync_sheets.workbook.package import damage, open_package
from ticssync_sheets.workbook.xml import MAIN, STRICT


def test_a_file_that_changed_while_its_successor_was_proven_is_not_replaced(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"read")

    with pytest.raises(ChangedMeanwhile):
        replace_file(path, b"read", b"new", 4, lambda _: path.write_bytes(b"a person's") and None)
    assert path.read_bytes() == b"a person's"
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["a.xlsx"]


def test_a_file_that_appeared_where_none_was_is_not_replaced(tmp_path):
    path = tmp_path / "a.xlsx"

    with pytest.raises(ChangedMeanwhile):
        replace_file(path, None, b"new", 0, lambda _: path.write_bytes(b"a person's") and None)
    assert path.read_bytes() == b"a person's"


def test_what_was_written_is_what_is_proven(tmp_path):
    seen = []
    replace_file(tmp_path / "a.xlsx", None, b"new", 0, seen.append)

    assert seen == [b"new"]


def test_the_newest_backup_is_the_one_with_the_highest_number(tmp_path):
    path = tmp_path / "a.xlsx"
    for number in (9, 10, 2):
        backup_of(path, number).parent.mkdir(exist_ok=True)
        backup_of(path, number).write_bytes(b"")

    assert newest_backup(path) == tmp_path / BACKUPS / "a.10.xlsx"


@pytest.mark.parametrize("wound", ["lost value", "other cell", "other sheet", "sheet gone"])
def test_a_write_that_does_not_read_back_leaves_the_file_as_it_was(desk, monkeypatch, wound):
    desk.start("T-1")
    before = desk.path.read_bytes()
    real = tracker_module.read_workbook

    def damaged(raw, names):
        reading = real(raw, names)
        if raw == before:
            return reading
        return dataclasses.replace(reading, grids=_wounded(dict(reading.grids), wound))

    monkeypatch.setattr(tracker_module, "read_workbook", damaged)
    with pytest.raises(Unsafe, match="read back"):
        desk.tracker().write([draft("T-2")], [change("T-1", status="done")])
    assert desk.path.read_bytes() == before
    assert marker("T-2") not in desk.listed()


def _wounded(grids, wound):
    if wound == "sheet gone":
        del grids["How to use"]
        return grids
    name = "How to use" if wound == "other sheet" else SHEET
    row, column = {"lost value": (5, 4), "other cell": (4, 7), "other sheet": (0, 1)}[wound]
    rows = [list(cells) for cells in grids[name].rows]
    rows[row][column] = "x"
    grids[name] = Grid(name, tuple(tuple(cells) for cells in rows))
    return grids


def test_a_strict_workbook_is_known_before_anything_is_written(desk):
    desk.start("T-1")
    package = open_package(desk.path.read_bytes(), Words())
    strict = package.parts["xl/workbook.xml"].replace(MAIN.encode(), STRICT.encode())
    made = open_package(package.with_parts({"xl/workbook.xml": strict}), Words())

    assert damage(package, Words()) == ()
    assert len(damage(made, Words())) == 1
