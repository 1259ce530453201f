"""Spreadsheets as trackers for ticssync: the kind `workbook`, a company's .xlsx on a shared folder."""

from __future__ import annotations

from collections.abc import Sequence

from ticssync.plugin import Capabilities, Question, TrackerKind, Words, hookimpl
from ticssync_sheets.workbook.settings import WorkbookSettings

WORKBOOK = TrackerKind(
    name="workbook",
    settings=WorkbookSettings,
    caps=Capabilities(create_max=0, update_max=0, fetch_max=0, listing=True, file_batch=True),
    open="ticssync_sheets.workbook.tracker:open_workbook",
    title=Words("Excel ブック（共有フォルダ）", "Excel workbook (shared folder)"),
    questions=(
        Question(
            "path",
            Words(
                "ブックの場所（担当者が開ける共有フォルダの中）",
                "Where the workbook is (in a folder that colleagues can open)",
            ),
            default="TICS課題一覧.xlsx",
        ),
    ),
    starter_mappings=("workbook",),
)
"""The tracker kind `workbook`."""


@hookimpl
def ticssync_trackers() -> Sequence[TrackerKind]:
    """The kinds of this package."""
    return [WORKBOOK]
