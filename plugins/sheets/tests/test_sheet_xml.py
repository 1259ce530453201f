"""Cell-level editing of a sheet's XML and of its package."""

from __future__ import annotations

from datetime import date

import pytest

from ticssync_sheets.workbook.areas import Area, extend_list, parse_area
from ticssync_sheets.workbook.heights import HIGHEST, lines, row_height
from ticssync_sheets.workbook.sheet_xml import SheetXml
from ticssync_sheets.workbook.styles import Styles
from ticssync_sheets.workbook.xml import MAIN, parse

X14 = "http://schemas.microsoft.com/office/excel/2006/main"


def sheet(data: str, rest: str = "", before: str = "") -> SheetXml:
    return SheetXml(
        f'<worksheet xmlns="{MAIN}">{before}<sheetData>{data}</sheetData>{rest}</worksheet>'.encode()
    )


def cells(found: SheetXml) -> dict[str, str]:
    root = parse(found.to_bytes())
    return {cell.get("r"): "".join(cell.itertext()) for cell in root.iter(f"{{{MAIN}}}c")}


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("A5:K50", Area(4, 0, 49, 10)),
        ("$B$3", Area(2, 1, 2, 1)),
        ("C:D", Area(0, 2, 1_048_575, 3)),
        ("4:9", Area(3, 0, 8, 16_383)),
        ("#REF!", None),
        ("ticssync_people", None),
    ],
)
def test_references_are_read_in_every_form_that_excel_writes(text, area):
    assert parse_area(text) == area


def test_only_ranges_that_end_on_the_last_row_of_the_table_go_on():
    body = Area(5, 0, 9, 3)

    assert extend_list("A6:A10 B6:B8 Z6:Z10 D10", body, 12) == "A6:A13 B6:B8 Z6:Z10 D10:D13"


def test_cells_without_references_are_counted_from_the_one_before():
    found = sheet(
        "<row><c><v>1</v></c><c><v>2</v></c></row><row r='4'><c r='C4'><v>3</v></c><c><v>4</v></c></row>"
    )
    found.put(0, 1, "b")

    assert cells(found) == {"A1": "1", "B1": "b", "C4": "3", "D4": "4"}


def test_a_new_cell_stands_in_order_and_takes_the_style_of_its_column():
    found = sheet(
        "<row r='2' spans='1:3'><c r='A2'/><c r='C2'/></row>",
        before="<cols><col min='2' max='2' style='7'/></cols>",
    )
    found.put(1, 1, "x")
    found.put(0, 0, "first")
    found.put(4, 0, "last")
    root = parse(found.to_bytes())

    assert [row.get("r") for row in root.iter(f"{{{MAIN}}}row")] == ["1", "2", "5"]
    assert [cell.get("r") for cell in root.iter(f"{{{MAIN}}}c")] == ["A1", "A2", "B2", "C2", "A5"]
    assert found.style(1, 1) == 7


def test_a_cell_keeps_its_style_and_loses_what_made_it_another_kind():
    found = sheet('<row r="1"><c r="A1" s="3" t="s" cm="1"><v>12</v></c></row>')
    found.put(0, 0, " =1+1 _x0041_")
    cell = next(parse(found.to_bytes()).iter(f"{{{MAIN}}}c"))

    assert dict(cell.attrib) == {"r": "A1", "s": "3", "t": "inlineStr"}
    assert "".join(cell.itertext()) == " =1+1 _x005F_x0041_"


@pytest.mark.parametrize(("date1904", "number"), [(False, "46387"), (True, "44925")])
def test_a_day_is_a_number_of_the_workbooks_own_calendar(date1904, number):
    raw = f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>'.encode()
    found = SheetXml(raw, date1904=date1904)
    found.put(0, 0, date(2026, 12, 31), 2)

    assert cells(found) == {"A1": number}


def test_formulas_array_formulas_and_errors_are_known():
    found = sheet(
        '<row r="1"><c r="A1"><f>B1</f><v>1</v></c><c r="B1"><f t="array" ref="B1:B2">C1</f><v>1</v></c>'
        '<c r="C1" t="e"><v>#N/A</v></c><c r="D1"><f>A1</f></c><c r="E1"><v>1</v></c></row>'
        '<row r="2"><c r="B2"><v>1</v></c></row>'
    )

    assert found.formulas() == {(0, 0), (0, 1), (1, 1), (0, 3)}
    assert found.errors() == {(0, 2), (0, 3)}


def test_drop_downs_and_colours_go_on_also_where_excel_keeps_them_in_extensions():
    found = sheet(
        "",
        '<conditionalFormatting sqref="A6:A10"/>'
        '<dataValidations><dataValidation sqref="B6:B10"/></dataValidations>'
        f'<extLst><ext><sqref xmlns="{X14}">C6:C10</sqref></ext></extLst>',
    )
    found.extend(Area(5, 0, 9, 3), 11)
    text = found.to_bytes().decode()

    assert all(area in text for area in ("A6:A12", "B6:B12", "C6:C12"))


def test_a_row_that_a_person_drew_to_a_height_keeps_it():
    found = sheet('<row r="1" ht="90" customHeight="1"/><row r="2" ht="15"/>')

    assert found.has_own_height(0)
    assert not found.has_own_height(1)


def test_a_row_is_as_high_as_its_longest_text_and_never_higher_than_excel_allows():
    assert lines("あ" * 30, 30) == 2
    assert lines("a\nb\n", 30) == 3
    assert row_height([("a", 10), ("a\nb\nc", 10)]) > row_height([("a", 10)])
    assert row_height([("a\n" * 500, 10)]) == HIGHEST


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("yyyy/mm/dd", True),
        ('[$-411]ggge"年"m"月"d"日"', True),
        ('General"円"', False),
        ("0.00E+00", False),
        ("[Red]0", False),
        ('"day"0', False),
    ],
)
def test_a_style_that_shows_days_is_known_and_else_one_is_made_like_it(code, is_date):
    formats = f"<numFmts><numFmt numFmtId='200' formatCode='{code}'/></numFmts>"
    cells = "<cellXfs count='1'><xf numFmtId='200' fontId='4'/></cellXfs>"
    raw = f"<styleSheet xmlns='{MAIN}'>{formats}{cells}</styleSheet>"
    styles = Styles(raw.encode())

    assert styles.for_days(0) == (0 if is_date else 1)
    assert styles.changed is not is_date
    if not is_date:
        made = list(parse(styles.to_bytes()).iter(f"{{{MAIN}}}xf"))[1]
        assert (made.get("numFmtId"), made.get("fontId")) == ("14", "4")


@pytest.mark.parametrize(("number", "is_date"), [(0, False), (14, True), (22, True), (49, False), (57, True)])
def test_the_number_formats_that_are_built_in_are_known_without_a_list(number, is_date):
    raw = f"<styleSheet xmlns='{MAIN}'><cellXfs count='1'><xf numFmtId='{number}'/></cellXfs></styleSheet>"

    assert Styles(raw.encode()).for_days(0) == (0 if is_date else 1)
