"""The list of tasks that a pass made, for undoing by hand: ticssync itself deletes nothing in a tracker."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from ticssync.app.files import write_file
from ticssync.app.workspace import Workspace
from ticssync.errors import say
from ticssync.sync.actions import TrackerReport
from ticssync.text import Text

FOLDER: Final = "created"
HINT: Final = "how-to-undo.txt"
COLUMNS: Final = ("key", "task", "url", "title")
MARK: Final = b"\xef\xbb\xbf"
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def undo_words(text: Text) -> str:
    """How to take back by hand what was made."""
    return text(
        "To undo by hand: for each, ticssync task drop KEY first, then delete or close the task in the tracker itself. "
        "ticssync deletes nothing there, and makes none of them again."
    )


def write_created(workspace: Workspace, reports: Mapping[str, TrackerReport]) -> None:
    """Write what each tracker was given in this pass to `created/<day>-<tracker>.csv`; further passes of the day
    are appended.  A list that cannot be written stops nothing: it is told, and stands in the answer."""
    folder = workspace.config.root / FOLDER
    for name, report in reports.items():
        if not report.created_keys:
            continue
        file = folder / f"{workspace.today.isoformat()}-{name}.csv"
        try:
            written = _append(file, report.created_keys, f"{workspace.now:%H%M%S}")
            _hint(folder, workspace)
        except OSError as error:
            said = say(
                "the list of created tasks cannot be written: {file} ({why})",
                file=str(file),
                why=error.strerror or str(error),
            )
            report.notices.append(
                {"id": "created_list", "level": "warn", "message": workspace.text.said(said), "fix": ""}
            )
        else:
            report.created_list = str(written)


def _append(file: Path, lines: Iterable[Mapping[str, str]], moment: str) -> Path:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    before = file.read_bytes() if file.exists() else b""
    if not before:
        writer.writerow(COLUMNS)
    writer.writerows([harmless(one[name]) for name in COLUMNS] for one in lines)
    added = stream.getvalue().encode("utf-8")
    try:
        write_file(file, (before or MARK) + added)
    except PermissionError:
        # On Windows a list that stands open in Excel cannot be replaced: this pass gets one of its own.
        file = file.with_name(f"{file.stem}-{moment}{file.suffix}")
        head = b"" if not before else (",".join(COLUMNS) + "\r\n").encode()
        write_file(file, MARK + head + added)
    return file


def _hint(folder: Path, workspace: Workspace) -> None:
    file = folder / HINT
    if not file.exists():
        text = Text(workspace.config.language(workspace.around.lang))
        write_file(file, MARK + (undo_words(text) + "\r\n").encode("utf-8"))


def harmless(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: anybody may have written a title."""
    words = "" if value is None else str(value)
    return f"'{words}" if words.startswith(FORMULA) else words
