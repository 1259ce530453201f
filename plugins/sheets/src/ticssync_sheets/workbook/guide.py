"""The sheet 使い方: what each column is, what one may change, and what happens on sort, copy and delete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from ticssync.plugin import Book, Translate
from ticssync_sheets.workbook.heights import row_height
from ticssync_sheets.workbook.names import PEOPLE_WRITE, Names, word

Sheet: TypeAlias = Any
"""A worksheet of XlsxWriter, which ships no types."""

_NAVY: Final = "#1F3A5F"
_INK: Final = "#22303C"
_LINE: Final = "#C9D2DB"
_PAPER: Final = "#F4F7FA"
_A4: Final = 9
_WIDTHS: Final = (26, 18, 78)
_LAST: Final = 3


def write_guide(book: Book, names: Names) -> None:
    """Add the sheet to a new workbook."""
    sheet = book.sheet(names.label("guide"))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 2)
    for column, width in enumerate(_WIDTHS, start=1):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 36)
    for column in range(_LAST + 1):
        book.put(sheet, 0, column, None, book.style(bg_color=_NAVY))
    title = book.style(bold=True, font_size=18, font_color="#FFFFFF", bg_color=_NAVY)
    book.put(sheet, 0, 1, names.label("guide"), title)
    row = _paragraph(book, sheet, 2, _about(names.text))
    row = _section(book, sheet, row, word(names.text, "列の説明", "The columns"), _columns(names))
    row = _section(book, sheet, row, word(names.text, "色の意味", "The colours"), _colours(names))
    row = _section(
        book,
        sheet,
        row,
        word(names.text, "してよいこと・そのあとどうなるか", "What you may do, and what happens then"),
        _acts(names),
    )
    _section(
        book, sheet, row, word(names.text, "困ったとき", "When something went wrong"), _trouble(names.text)
    )
    sheet.set_portrait()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.5)
    sheet.set_footer("&C&9&P / &N")


def _about(text: Translate) -> str:
    return text(
        "This workbook lists the tasks for TICS (the certification of technical information management)."
        " Everyone in charge writes the state of the work here; ticssync takes it over, and puts"
        " in new tasks,"
        " due dates and messages from the office. The workbook is updated only while nobody has it"
        " open for editing:"
        " please close it when you are done."
    )


def _columns(names: Names) -> Iterator[Sequence[str]]:
    text = names.text
    known = _meanings(text)
    yield word(text, "列", "Column"), word(text, "書く人", "Who writes"), word(text, "意味", "Meaning")
    for name, head in names.heads.items():
        who = word(text, "担当者", "you") if name in PEOPLE_WRITE else "ticssync"
        meaning = known.get(name, text("Comes from the office. A change here is written over."))
        yield head, who, meaning


def _meanings(text: Translate) -> dict[str, str]:
    return {
        "number": text("The number of the task. It belongs to the row: please do not change it."),
        "title": text("What the task is about."),
        "body": text("What is to be done, and what counts as evidence."),
        "chapter": text("The chapter of the criteria that the task belongs to."),
        "status": text(
            "How far the work is. Choose from the list in the cell; a change reaches the office by itself."
        ),
        "assignee": text("Who does it. Choose from the list; the office adds names."),
        "due": text("The day by which it is to be done. To move it, ask the office."),
        "evidence": text("Where the proof is: file name, folder, place on the shelf, or a short note."),
        "from_office": text("A message for you, such as why something came back."),
        "confirmation": text("Whether the person responsible has confirmed it. Filled in by itself."),
    }


def _colours(names: Names) -> Iterator[Sequence[str]]:
    text, heads = names.text, names.heads
    yield word(text, "場所", "Place"), word(text, "色", "Colour"), word(text, "意味", "Meaning")
    yield (
        word(text, "列の見出し", "Head of a column"),
        word(text, "オレンジ", "orange"),
        text("You write here."),
    )
    yield (
        word(text, "列の見出し", "Head of a column"),
        word(text, "紺", "dark blue"),
        text("ticssync writes here."),
    )
    yield (
        heads.get("due", word(text, "期限", "Due date")),
        word(text, "赤・黄", "red · yellow"),
        text("Red: the day is past and the work is not done. Yellow: within 14 days."),
    )
    yield heads.get("status", word(text, "対応状況", "Status")), word(text, "緑", "green"), text("Done.")
    yield (
        heads.get("confirmation", word(text, "確認状況", "Confirmation")),
        word(text, "青・緑", "blue · green"),
        text("Blue: waiting for confirmation. Green: confirmed."),
    )


def _acts(names: Names) -> Iterator[Sequence[str]]:
    text = names.text
    yield word(text, "操作", "Act"), word(text, "可否", "Allowed?"), word(text, "どうなるか", "What happens")
    yield (
        word(text, "並べ替え・絞り込み", "Sort, filter"),
        word(text, "○ できます", "yes"),
        text(
            "With the arrows in the header row, so that whole rows move. If only some columns are"
            " sorted, numbers and"
            " contents no longer fit: ticssync then stops and writes nothing until it is undone."
        ),
    )
    yield (
        text("Add columns, colours, comments, pictures, other sheets"),
        word(text, "○ できます", "yes"),
        text("They stay as you made them. A column of your own may stand anywhere."),
    )
    yield (
        word(text, "列の移動・幅の変更", "Move or widen columns"),
        word(text, "○ できます", "yes"),
        text("Columns are found by their heads; please leave the heads as they are."),
    )
    yield (
        word(text, "行のコピー", "Copy a row"),
        word(text, "○ できます", "yes"),
        text(
            "The copy becomes a row of your own, which ticssync leaves alone. The row that was there"
            " first stays the task."
        ),
    )
    yield (
        word(text, "自分用の行の追加", "Write rows of your own"),
        word(text, "○ できます", "yes"),
        text("They are left alone and appear only in this workbook."),
    )
    yield (
        word(text, "行の削除", "Delete a row"),
        word(text, "× 控えてください", "please don't"),
        text(
            "The task counts as deleted here, and the office is told. To leave a task out, choose a"
            " status for it or ask the office."
        ),
    )
    yield (
        word(text, "古いコピーの上書き保存", "Save an old copy over it"),
        word(text, "× 控えてください", "please don't"),
        text(
            "What is newer is written again, and what you changed in the copy is taken over. The"
            " office is told."
        ),
    )
    yield (
        text("Protect the sheet, merge cells, formulas in the table's own columns"),
        word(text, "× 控えてください", "please don't"),
        text("ticssync does not write over formulas and merged cells; it reports the cell instead."),
    )


def _trouble(text: Translate) -> Iterator[Sequence[str]]:
    yield word(text, "症状", "What you see"), "", word(text, "対処", "What to do")
    yield (
        text("Numbers and contents do not fit"),
        "",
        text(
            "Undo with Ctrl+Z. If the workbook is already closed, tell the office: the last ten states"
            " are in the folder .ticssync-backup."
        ),
    )
    yield (
        word(text, "ブックが見つからない", "The workbook is gone"),
        "",
        text("Move it back to its place under its old name. ticssync waits until then."),
    )
    yield (
        text("A cell is reported as not readable"),
        "",
        text("Choose from the list, or write a date with its year, such as 2026/12/31."),
    )


def _paragraph(book: Book, sheet: Sheet, row: int, words: str) -> int:
    style = book.style(text_wrap=True, valign="top", font_color=_INK)
    sheet.merge_range(row, 1, row, _LAST, "", style)
    book.put(sheet, row, 1, words, style)
    sheet.set_row(row, row_height([(words, sum(_WIDTHS))]))
    return row + 2


def _section(book: Book, sheet: Sheet, row: int, title: str, rows: Iterator[Sequence[str]]) -> int:
    book.put(sheet, row, 1, title, book.style(bold=True, font_size=13, font_color=_NAVY))
    sheet.set_row(row, 24)
    for index, cells in enumerate(rows):
        row += 1
        look = _cell_look(head=index == 0)
        for column, words in enumerate(cells, start=1):
            if column > 1 and not cells[1]:
                continue
            extra = {"bold": True} if column == 1 else {}
            book.put(sheet, row, column, words, book.style(**{**look, **extra}))
        widths = [_WIDTHS[0], 0, _WIDTHS[1] + _WIDTHS[2]] if not cells[1] else _WIDTHS
        sheet.set_row(row, row_height(zip(cells, widths, strict=True)) + 2)
        if not cells[1]:
            sheet.merge_range(row, 2, row, _LAST, cells[2], book.style(**look))
    return row + 2


def _cell_look(*, head: bool) -> dict[str, Any]:
    look: dict[str, Any] = {
        "border": 1,
        "border_color": _LINE,
        "text_wrap": True,
        "valign": "vcenter",
        "font_color": _INK,
    }
    if head:
        look |= {"bold": True, "bg_color": _PAPER}
    return look
