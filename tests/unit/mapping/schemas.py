"""Hand-made answers of live trackers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ticssync.plugin import FieldSchema, RemoteSchema

STANDARD: Final = (
    ("subject", "題名", "text"), ("description", "説明", "text"), ("status_id", "ステータス", "list"), ("priority_id", "優先度", "list"),
    ("assigned_to_id", "担当者", "user"), ("category_id", "カテゴリ", "list"), ("fixed_version_id", "対象バージョン", "list"),
    ("parent_issue_id", "親チケット", "text"), ("start_date", "開始日", "date"), ("due_date", "期日", "date"), ("done_ratio", "進捗率", "int"),
)  # fmt: skip
STATUSES: Final = {"1": "新規", "2": "進行中", "3": "解決", "4": "フィードバック", "5": "終了", "6": "却下"}
CHAPTERS: Final = {"physical": "物理的対策", "detect": "検知"}


def numbered(*names: str) -> dict[str, str]:
    return {str(number): name for number, name in enumerate(names, 1)}


def redmine(*custom: FieldSchema, **changes: Any) -> RemoteSchema:
    """A Redmine with the default data in Japanese."""
    plain = RemoteSchema(
        fields=(*(FieldSchema(*one) for one in STANDARD), *custom),
        statuses=STATUSES,
        closed_statuses=frozenset({"5", "6"}),
        people={"5": "太郎 山田"},
        choices={
            "tracker_id": numbered("バグ", "機能", "サポート"),
            "priority_id": numbered("低め", "通常", "高め", "急いで", "今すぐ"),
            "category_id": numbered("物理的管理", "検知"),
            "fixed_version_id": numbered("2026年度"),
        },
    )
    return replace(plain, **changes)


JIRA: Final = RemoteSchema(
    fields=(
        FieldSchema("summary", "要約", required=True),
        FieldSchema("description", "説明"),
        FieldSchema("status", "ステータス", "list"),
        FieldSchema("assignee", "担当者", "user"),
        FieldSchema("duedate", "期限", "date"),
        FieldSchema("priority", "優先度", "list", options={"1": "Highest", "3": "Medium"}),
        FieldSchema("labels", "ラベル"),
        FieldSchema(
            "customfield_10010", "部門", "list", required=True, options={"10100": "本社", "10101": "工場"}
        ),
    ),
    statuses={"10000": "To Do", "3": "In Progress", "10001": "Done"},
    closed_statuses=frozenset({"10001"}),
    people={"712020:ab-cd": "Taro Yamada"},
    choices={"issuetype": {"10001": "エピック", "10002": "タスク"}},
)
