"""What a proposed mapping file says in its comments.  The words belong to the file, so they follow its language and
not the reader's: pairs, and no messages of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ticssync.model.criterion import Words

HEAD: Final = (
    Words(
        "{kind} の割り付け。{source} を読んで ticssync が提案したものです（{day}）。",
        "Mapping for {kind}, proposed by ticssync from {source} ({day}).",
    ),
    Words(
        "引用符の中は相手側の ID、右の注記がそこでの名前です。「推定」の行は見直してください。",
        "In quotes: ids over there, with their names on the right.  Please look at the lines marked “guess”.",
    ),
    Words(
        "直したら ticssync mapping check で確かめられます。",
        "When you have changed something, ticssync mapping check checks it.",
    ),
)
BODY: Final = Words(
    "{{ to_do }}\n\n【証跡になるもの】{{ evidence_hint }}\n【保管】{{ keep_mode }}　【時期】{{ cadence | join('、') }}",
    "{{ to_do }}\n\n[What counts as evidence] {{ evidence_hint }}\n[Keeping] {{ keep_mode }}   [When] {{ cadence | join(', ') }}",
)
WORDS: Final[Mapping[str, Words]] = {
    "guess": Words("推定: 確認してください", "guess: please check"),
    "spare": Words("読むだけ（書くのは上の行）", "read only (the line above is written)"),
    "due": Words(
        "はじめて載せた日から90日（休業日なら前の営業日）",
        "90 days after the task first came up (the working day before, if need be)",
    ),
    "assignee": Words(
        "章ごとの担当（ticssync.yaml の roles: owner:）",
        "the owner of the chapter (roles: owner: in ticssync.yaml)",
    ),
    "fields": Words("ticssync の項目: 相手側の項目", "field of ticssync: field over there"),
    "statuses": Words(
        "相手側の状態: ticssync の状態（同じものが複数あるときは先頭を書く）",
        "status over there: status of ticssync (the first of several is what is written)",
    ),
    "values": Words("相手側の値: ticssync の値", "value over there: value of ticssync"),
    "given": Words("課題を作るときに一度だけ入れる値", "given once, at creation"),
    "priority": Words(
        "作るときの優先度（low・normal・high・urgent）", "priority at creation (low, normal, high, urgent)"
    ),
    "on_confirm": Words("確認されても状態は変えない", "a confirmation does not change the status"),
    "on_return": Words("差戻しのときに書く状態", "what a return sets it to"),
    "confirm_when": Words(
        "確認者が自分のアカウントで状態を変えて確認するなら、その状態の ID を書きます（履歴が証拠になります）:",
        "Where the confirmer confirms with an account of their own, the id of the status they set (proven by the history):",
    ),
    "number": Words("項目の番号も載せる", "with the number of the item"),
    "moves": Words(
        "このアカウントに許された状態の移り方（分かっている範囲）:",
        "Moves that this account may make (as far as known):",
    ),
    "like": Words(
        "章と似た名前の値です。使うときは fields: に chapter: {place}、values: の chapter: に次の行を足してください:",
        "These resemble a chapter.  To use one, add chapter: {place} to fields: and the line to chapter: in values:",
    ),
    "offered": Words("バージョンも付けるなら:", "To give a version as well:"),
    "unused": Words("使っていないカスタムフィールド:", "Custom fields that are not used:"),
    "required": Words(
        "必須と見えますが、何も入れていない項目です。このままでは課題を作れないことがあります。",
        "These look required and nothing fills them: creating a task may fail.",
    ),
    "required_fix": Words(
        "given: に値を書くか、管理者に必須を外してもらってください:",
        "Give a value under given:, or have the administrator make them optional:",
    ),
    "choices": Words("選べる値", "choices"),
    "collect": Words("課題から証跡として取り込むもの", "what is taken in from a task as evidence"),
}
MARKER_FIELD: Final[Mapping[str, tuple[Words, ...]]] = {
    "redmine": (
        Words(
            "目印は説明欄の末尾に入ります。専用の欄の方が確実です（最初の sync の前に、Redmine の管理者に頼んでください）:",
            "The marker stands at the end of the description.  A field of its own is safer (ask Redmine's administrator,",
        ),
        Words(
            "  管理 → カスタムフィールド → 新しいカスタムフィールド → チケット",
            "best before the first sync): Administration → Custom fields → New custom field → Issues",
        ),
        Words(
            "  形式「テキスト」、名称 ticssync-id、最大長は空欄、「必須」は付けず「フィルタとして使用」を付ける",
            "  format “Text”, name ticssync-id, no maximum length, not “Required”, “Used as a filter” ticked",
        ),
        Words(
            "  トラッカー（下の tracker_id のもの）とプロジェクトに印を付ける",
            "  tick the tracker (the one of tracker_id below) and the project",
        ),
        Words(
            "  できたら marker: cf_番号（編集画面の URL の数字）に直し、ticssync mapping check で確かめる",
            "  then write marker: cf_NUMBER (the number in the address of its edit page) and run ticssync mapping check",
        ),
    ),
    "": (
        Words(
            "目印のための専用の欄（名前 ticssync-id、一行の文字）があれば、その ID に直してください。",
            "With a field of its own for the marker (name ticssync-id, one line of text), write its id here.",
        ),
    ),
}
"""By kind (empty: any other): how an administrator makes the field, and what to change afterwards."""
