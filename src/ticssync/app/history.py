"""What happened to a task, as lines that an auditor reads.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ticssync.model.criterion import Words
from ticssync.store import Event

FIELDS: Final[Mapping[str, Words]] = {
    "status": Words("対応状況", "status"), "assignee": Words("担当", "owner"), "due": Words("期限", "due"),
    "title": Words("題名", "title"), "body": Words("やること", "what to do"), "evidence": Words("証跡", "evidence"),
    "from_office": Words("事務局から", "from the office"), "confirmation": Words("確認状況", "confirmation"),
    "priority": Words("優先度", "priority"), "start": Words("開始", "start"), "labels": Words("ラベル", "labels"),
    "number": Words("番号", "number"), "chapter": Words("区分", "chapter"),
}  # fmt: skip
STATUSES: Final[Mapping[str, Words]] = {
    "todo": Words("未着手", "to do"), "doing": Words("対応中", "doing"), "review": Words("確認依頼", "in review"),
    "done": Words("完了", "done"), "wont_do": Words("対象外の申請", "proposed to leave out"),
}  # fmt: skip
STATES: Final[Mapping[str, Words]] = {
    "live": Words("結び付き中", "linked"), "lost": Words("見えない", "not visible"), "tomb": Words("削除された", "deleted"),
    "copy": Words("複製", "copy"), "detached": Words("手放した", "let go"),
}  # fmt: skip
_BOUND: Final = Words("課題を作成", "task made")
_ADOPTED: Final = Words("課題を引き取り", "task taken over")
_OVERWRITTEN: Final = Words("（ticssync の値に戻した）", " (put back to ticssync's value)")
_EMPTY: Final = "—"

KINDS: Final = ("task.bound", "task.changed", "task.state", "task.overwritten")


def line(event: Event, people: Mapping[str, str], lang: str) -> str:
    """One event of KINDS in a short line; `people` are names by person id."""
    data = event.data
    if event.kind == "task.bound":
        return _BOUND.in_language(lang)
    if event.kind == "task.state":
        return f"{_state(data['from'], lang)} → {_state(data['to'], lang)}"
    if event.kind == "task.overwritten":
        change = _change(data["field"], data["from"], data["to"], people, lang)
        return change + _OVERWRITTEN.in_language(lang)
    fields: Mapping[str, Any] = data.get("fields", {})
    found = [_change(name, one["from"], one["to"], people, lang) for name, one in fields.items()]
    return " / ".join(found) or _ADOPTED.in_language(lang)


def _state(word: str, lang: str) -> str:
    known = STATES.get(word)
    return known.in_language(lang) if known else word


def _change(name: str, old: Any, new: Any, people: Mapping[str, str], lang: str) -> str:
    label = FIELDS[name].in_language(lang) if name in FIELDS else name
    return f"{label}: {value_words(name, old, people, lang)} → {value_words(name, new, people, lang)}"


def value_words(name: str, value: Any, people: Mapping[str, str], lang: str) -> str:
    """A field's value as people say it; `people` are names by person id."""
    if value in (None, "", []):
        return _EMPTY
    if name == "status" and value in STATUSES:
        return STATUSES[value].in_language(lang)
    if name == "assignee":
        return people.get(str(value), str(value))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
