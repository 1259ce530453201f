"""How trackers and their users call things: words for statuses, priorities, fields and issue types.  Pure data and
the matching of names; comparison folds width and case, what is shown and written stays as it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("subject", "summary", "title", "題名", "件名", "タイトル", "要約"),
    "body": ("description", "body", "説明", "詳細", "本文", "内容"),
    "status": ("status_id", "status", "ステータス", "状態", "対応状況"),
    "assignee": ("assigned_to_id", "assignee", "担当者", "担当"),
    "due": ("due_date", "duedate", "due", "期日", "期限", "期限日"),
    "priority": ("priority_id", "priority", "優先度"),
    "chapter": ("category_id", "category", "カテゴリ", "カテゴリー", "区分"),
    "number": ("基準番号", "番号", "項目番号", "管理番号", "TICS番号", "criterion number", "No."),
    "confirmation": ("確認状況", "confirmation"),
    "from_office": ("事務局から", "from the office"),
    "evidence": ("証跡", "evidence"),
    "labels": ("labels", "ラベル"),
}
"""Field of ours → ids and names it goes by, the likeliest first."""

NEARLY: Final[Mapping[str, tuple[str, ...]]] = {"number": ("基準番号", "criterion", "criteria")}
"""Field of ours → parts of a name that make a guess."""

STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "wont_do": (
        "却下", "対象外", "不要", "中止", "取下げ", "取り下げ", "キャンセル", "破棄", "見送り", "rejected", "won't do", "wont do",
        "cancelled", "canceled", "declined", "not applicable", "invalid",
    ),
    "review": (
        "解決", "処理済み", "確認待ち", "確認依頼", "確認中", "承認待ち", "レビュー", "レビュー待ち", "レビュー中", "resolved", "review",
        "in review", "to review", "waiting for approval", "verify",
    ),
    "todo": (
        "新規", "未着手", "未対応", "未処理", "未完了", "起票", "受付", "登録", "オープン", "バックログ", "new", "open", "to do", "todo",
        "backlog", "not started", "selected for development",
    ),
    "doing": (
        "進行中", "着手", "対応中", "作業中", "処理中", "実施中", "仕掛中", "差戻し", "差し戻し", "再開", "フィードバック", "保留",
        "in progress", "doing", "started", "feedback", "reopened", "on hold", "pending",
    ),
    "done": ("終了", "完了", "クローズ", "済", "済み", "対応済", "closed", "close", "done", "completed", "complete", "finished"),
}  # fmt: skip
"""Status of ours → its words.  The order is the order of looking for parts of a name: 未着手 before 着手, 確認待ち
before 完了, so that 完了確認待ち is no 完了."""

UNSURE: Final = frozenset(
    {
        "フィードバック",
        "feedback",
        "保留",
        "on hold",
        "pending",
        "解決",
        "resolved",
        "差戻し",
        "差し戻し",
        "invalid",
    }
)
"""Words that companies use for different things: proposed, and marked as a guess."""

SHORTEST_PART: Final = 2
"""A word of fewer characters proves nothing inside another."""

PRIORITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "low": ("低", "低め", "低い", "low", "lowest", "minor", "trivial"),
    "normal": ("通常", "中", "普通", "標準", "normal", "medium", "default"),
    "high": ("高", "高め", "高い", "high", "major"),
    "urgent": (
        "急いで",
        "今すぐ",
        "緊急",
        "至急",
        "最優先",
        "urgent",
        "immediate",
        "critical",
        "blocker",
        "highest",
    ),
}

ISSUE_TYPES: Final = (
    "タスク",
    "task",
    "作業",
    "課題",
    "issue",
    "to do",
    "機能",
    "feature",
    "サポート",
    "support",
)
"""The likeliest first."""


@dataclass(frozen=True, slots=True)
class Manner:
    """Where one kind of tracker keeps what is not in its list of fields.

    `custom`: how the id of a custom field begins; `issue_type`, `version`: the fields given at creation;
    `marker`: where the marker goes while no field is there for it.
    """

    custom: str = ""
    issue_type: str = ""
    version: str = ""
    marker: str = ""


MANNERS: Final[Mapping[str, Manner]] = {
    "redmine": Manner("cf_", "tracker_id", "fixed_version_id", "description"),
    "jira": Manner("customfield_", "issuetype", "fixVersions", "labels"),
}
"""By kind; another kind has none of these."""


def manner(kind: str) -> Manner:
    """The manner of a kind."""
    return MANNERS.get(kind, Manner())


def folded(name: str) -> str:
    """A name for comparison only: width, case and outer blanks do not count."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def meaning(name: str, table: Mapping[str, Sequence[str]]) -> tuple[str, bool] | None:
    """(what a name stands for, whether that is a guess); None where no word of the table is in it."""
    wanted = folded(name)
    for ours, words in table.items():
        if wanted in map(folded, words):
            return ours, wanted in UNSURE
    for ours, words in table.items():
        if any(len(word) >= SHORTEST_PART and folded(word) in wanted for word in words):
            return ours, True
    return None


def first_named(words: Sequence[str], names: Mapping[str, str]) -> str:
    """The id of the first word that is an id or a name (id → name); empty where none is."""
    by_id: dict[str, str] = {}
    by_name: dict[str, str] = {}
    for ident, name in names.items():
        by_id.setdefault(folded(ident), ident)
        by_name.setdefault(folded(name), ident)
    return next(
        (
            found
            for known in (by_id, by_name)
            for word in words
            if (found := known.get(folded(word))) is not None
        ),
        "",
    )


def holding(parts: Iterable[str], names: Mapping[str, str]) -> str:
    """The id of the first name that has one of the parts in it; empty where none has."""
    wanted = [folded(part) for part in parts]
    return next((ident for ident, name in names.items() if any(part in folded(name) for part in wanted)), "")
