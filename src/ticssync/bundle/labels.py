"""The words of the bundle for codes: states, ways, kinds.  A code that is not here is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ticssync.model.criterion import Words
from ticssync.model.state import LABEL, PILE_LABEL

STATES: Final[Mapping[str, Words]] = {state.value: words for state, words in LABEL.items()}
PILES: Final[Mapping[str, Words]] = {pile.value: words for pile, words in PILE_LABEL.items()}
TASK_STATUS: Final = {
    "todo": Words("未着手", "To do"),
    "doing": Words("作業中", "Doing"),
    "review": Words("レビュー中", "In review"),
    "done": Words("完了", "Done"),
    "wont_do": Words("実施しない", "Won't do"),
}
EVIDENCE_STATE: Final = {
    "none": Words("なし", "None"),
    "partial": Words("一部のみ", "Partial"),
    "complete": Words("そろっている", "Complete"),
    "expired": Words("期限切れ", "Expired"),
    "unreadable": Words("読み取れない", "Unreadable"),
    "unknown": Words("不明", "Unknown"),
}
KEEP_MODE: Final = {
    "copy": Words("原本の写しを収録", "Copy inside"),
    "hash_only": Words("ハッシュ値のみ", "Hash only"),
    "on_site": Words("現地提示", "Shown on site"),
    "paper": Words("紙", "Paper"),
}
KIND: Final = {
    "document": Words("文書", "document"),
    "register": Words("台帳", "register"),
    "record": Words("記録", "record"),
    "photo": Words("写真", "photo"),
    "screenshot": Words("画面の写し", "screenshot"),
    "certificate": Words("証明書", "certificate"),
    "note": Words("コメント（証跡の数には入れません）", "note (does not count as proof)"),
}
EVENT: Final = {
    "task.planned": Words("課題を予定", "Task planned"),
    "task.bound": Words("課題と結び付け", "Task linked"),
    "task.changed": Words("相手側の変更を取り込み", "Change taken in"),
    "task.state": Words("結び付きの変化", "State of the link"),
    "task.overwritten": Words("ticssync の値に戻した", "Put back to ticssync's value"),
    "task.problems": Words("読み取れない値", "Values that cannot be read"),
    "task.repaired": Words("目印などを修復", "Put right"),
    "task.role": Words("主・写しの役割の変化", "Role changed"),
    "task.restore": Words("作り直しの指示", "To be made again"),
    "task.dropped": Words("手放した", "Let go"),
    "task.frozen": Words("くり返し戻されるため凍結", "Frozen: something keeps changing it back"),
    "task.unfrozen": Words("凍結を解除", "Unfrozen"),
    "task.note_asked": Words("コメントの依頼", "Note asked for"),
    "task.noted": Words("コメントを書き込み", "Note written"),
    "task.file_asked": Words("添付の依頼", "File asked for"),
    "task.attached": Words("添付", "File attached"),
    "task.recalled": Words("依頼の取り消し", "Recalled"),
    "refusal.opened": Words("相手側が受け付けなかった", "Refused"),
    "refusal.closed": Words("受け付けられない状態の解消", "Refusal settled"),
    "conflict.opened": Words("複数の側での変更（競合）", "Conflict"),
    "conflict.resolved": Words("競合を解決", "Conflict settled"),
    "act.recorded": Words("確認・差戻しなどの記録", "Act recorded"),
    "evidence.added": Words("証跡を受付", "Evidence added"),
    "evidence.state": Words("証跡の状態の変化", "State of evidence"),
    "evidence.reviewed": Words("証跡を点検", "Evidence reviewed"),
    "evidence.passed_over": Words("証跡にしなかったもの", "Passed over"),
    "evidence.source_gone": Words("証跡の元が消えた", "Source of evidence gone"),
    "evidence.source_back": Words("証跡の元が戻った", "Source of evidence back"),
    "sheet.exported": Words("確認票を書き出し", "Sheet exported"),
}
ACT: Final = {
    "confirm": Words("確認", "Confirmed"),
    "return": Words("差戻し", "Returned"),
    "exclude": Words("対象外とする", "Excluded"),
    "withdraw": Words("取消し", "Withdrawn"),
}
CHANNEL: Final = {
    "tracker": Words("課題管理（本人）", "Tracker (own account)"),
    "sheet": Words("確認票", "Confirmation sheet"),
    "web": Words("Web画面", "Web page"),
    "cli": Words("コマンド", "Command line"),
    "mail": Words("メール", "Mail"),
    "drop": Words("証跡受付フォルダー", "Drop folder"),
    "daemon": Words("自動", "Automatic"),
}
ROLE: Final = {
    "owner": Words("担当", "Owner"),
    "manager": Words("管理責任者", "Responsible manager"),
    "executive": Words("経営者", "Executive"),
    "admin": Words("事務局", "Administrator"),
    "auditor": Words("審査員", "Auditor"),
    "consultant": Words("コンサルタント", "Consultant"),
}
BASIS: Final = {
    "named_by_meti": Words("経済産業省の資料に項目名あり", "Topic named by METI"),
    "pre_revision": Words("改正前の基準の要約による", "From a summary of the criteria before the revision"),
    "derived": Words("関連する基準からの推定", "Inferred from related schemes"),
    "guess": Words("推測", "Guess"),
    "company": Words("自社で追加", "Added by the company"),
}
CONFIDENCE: Final = {
    "high": Words("高", "high"),
    "medium": Words("中", "medium"),
    "low": Words("低", "low"),
}
CADENCE: Final = {
    "once": Words("一度", "Once"),
    "yearly": Words("年1回", "Yearly"),
    "half_yearly": Words("半年ごと", "Half-yearly"),
    "quarterly": Words("四半期ごと", "Quarterly"),
    "monthly": Words("毎月", "Monthly"),
    "on_event": Words("事象の都度", "On event"),
}
DUTY: Final = {
    "periodic_report": Words("定期報告", "Periodic report"),
    "renewal_apply": Words("更新の申請", "Application for renewal"),
    "renewal": Words("更新審査", "Renewal audit"),
    "evidence_expiry": Words("証跡の期限", "Evidence expiry"),
    "recurring": Words("繰返しの実施事項", "Recurring work"),
    "task_due": Words("タスクの期日", "Task due"),
    "finding": Words("指摘への対応", "Finding"),
}
DUTY_STATE: Final = {
    "open": Words("未提出", "Open"),
    "submitted": Words("提出済", "Submitted"),
    "accepted": Words("受理済", "Accepted"),
}
DATE_BASIS: Final = {
    "printed": Words("認証書の記載", "Printed on the certificate"),
    "confirmed": Words("認証機関に確認済", "Confirmed by the body"),
    "default": Words("本製品の既定（要確認）", "Default of this tool (to be checked)"),
}
FIELD: Final = {
    "title": Words("件名", "Title"),
    "body": Words("本文", "Description"),
    "status": Words("状態", "Status"),
    "assignee": Words("担当", "Assignee"),
    "start": Words("開始日", "Start"),
    "due": Words("期日", "Due"),
    "priority": Words("優先度", "Priority"),
    "labels": Words("ラベル", "Labels"),
    "report": Words("完了報告", "Report"),
    "number": Words("項目番号", "Item number"),
    "chapter": Words("章", "Chapter"),
    "evidence": Words("証跡", "Evidence"),
    "confirmation": Words("確認の状況", "Confirmation"),
    "from_office": Words("事務局から", "From the office"),
}
BINDING: Final = {
    "lost": Words("読めない", "Lost"),
    "tomb": Words("削除された", "Deleted"),
    "copy": Words("複製", "Copy"),
    "detached": Words("切離し", "Detached"),
}
PROFILE: Final = {
    "forms": Words("管理対象情報の形", "Forms of the managed information"),
    "areas": Words("立入制限区域がある", "Restricted areas"),
    "takeout": Words("社外への持出しがある", "Taking out of the premises"),
    "remote_work": Words("テレワークがある", "Remote work"),
    "external_systems": Words("外部の情報システムを使う", "External systems"),
    "third_parties": Words("取引先に渡す", "Third parties"),
    "classes": Words("機密区分", "Confidentiality classes"),
}
PROFILE_VALUE: Final = {
    "paper": Words("紙", "paper"),
    "object": Words("物（試作品・金型など）", "objects"),
    "electronic": Words("電子データ", "electronic data"),
    "portable_media": Words("可搬媒体", "portable media"),
    "True": Words("はい", "yes"),
    "False": Words("いいえ", "no"),
}
PURPOSE: Final = {
    "first": Words("初回の審査", "First audit"),
    "report": Words("定期報告", "Periodic report"),
    "renewal": Words("更新審査", "Renewal audit"),
}
TABLES: Final[Mapping[str, Mapping[str, Words]]] = {
    "state": STATES,
    "pile": PILES,
    "task_status": TASK_STATUS,
    "evidence_state": EVIDENCE_STATE,
    "keep_mode": KEEP_MODE,
    "kind": KIND,
    "event": EVENT,
    "act": ACT,
    "channel": CHANNEL,
    "role": ROLE,
    "basis": BASIS,
    "confidence": CONFIDENCE,
    "cadence": CADENCE,
    "duty": DUTY,
    "duty_state": DUTY_STATE,
    "date_basis": DATE_BASIS,
    "field": FIELD,
    "binding": BINDING,
    "profile": PROFILE,
    "profile_value": PROFILE_VALUE,
}


def label(table: str, code: object) -> Words:
    """The words for a code; the code itself in both languages where it is not known."""
    text = "" if code is None else str(code)
    return TABLES[table].get(text) or Words(text, text)


def purpose_label(purpose: str) -> Words:
    """`renewal-2028` as 更新審査 2028年."""
    kind, _, year = purpose.partition("-")
    words = PURPOSE.get(kind)
    if words is None:
        return Words(purpose, purpose)
    return Words(f"{words.ja} {year}年", f"{words.en} {year}") if year else words
