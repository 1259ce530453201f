"""A small company: people, roles, what stands on a few criteria, and the confirmation sheet of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

from ticssync.app.standing import Ledger, StatusChange, standings
from ticssync.assess.sheet import sheet_rows, write_sheet
from ticssync.config.people import Organisation
from ticssync.model.assessment import Act, ActKind
from ticssync.model.binding import Binding, BindingState
from ticssync.model.evidence import Evidence
from ticssync.model.key import TaskKey
from ticssync.model.person import Person, Role, RoleHolder
from ticssync.model.task import RemoteRef
from ticssync.text import Text

TODAY = date(2026, 11, 24)
EXPORTED_AT = datetime(2026, 11, 24, 0, 30, tzinfo=timezone.utc)
TOKYO = ZoneInfo("Asia/Tokyo")
COMPANY = "株式会社髙﨑精工"

PEOPLE = {
    one.id: one
    for one in (
        Person("takasaki", "髙﨑 健一", "takasaki@example.jp", {"book": "髙﨑"}),
        Person("sato", "佐藤 花子", "sato@example.jp", {"book": "hanako"}),
        Person("tanaka", "田中 一郎"),
        Person("yoshida", "吉田 𠮷男"),
        Person("mori", "森 コンサルタント"),
        Person("ono", "小野 監査"),
    )
}


def organisation(**roles):
    """manager=["sato"] and so on; a holder may be (person, since, until)."""
    known = {
        "manager": ["sato"],
        "executive": ["takasaki"],
        "owner": ["tanaka"],
        "consultant": ["mori"],
        "auditor": ["ono"],
    } | roles
    return Organisation(
        PEOPLE, {Role(name): (("*", tuple(map(_holder, holders))),) for name, holders in known.items()}
    )


def _holder(one):
    return RoleHolder(one) if isinstance(one, str) else RoleHolder(*one)


TITLES = {
    "T-05": (
        "管理責任者を選び、役割と権限を文書で定める",
        "Appoint a responsible manager and write down the role",
    ),
    "T-12": (
        "従業員に、技術情報の管理についての教育を年１回以上行う",
        "Train the staff at least once a year",
    ),
    "T-14": ("退職者から秘密保持の誓約を取る", "Take a pledge from leavers"),
    "T-20": (
        "立入りを制限する区域を決め、施錠と入退室の記録を行う",
        "Decide restricted areas, lock them, record entries",
    ),
    "T-31": (
        "ウイルス対策ソフトを入れ、定義ファイルを最新に保つ",
        "Install anti-virus software and keep it up to date",
    ),
    "T-46": ("漏えいが起きた原因を調べ、再発を防ぐ", "Find the cause of a leak and prevent another"),
}


def item(name, **changes):
    ja, en = TITLES.get(name, (f"{name} の項目", f"Item {name}"))
    return {
        "id": name,
        "title": {"ja": ja, "en": en},
        "evidence": {"count": 1, "kinds": [], "valid_months": None, "reviewed": False},
        "in_scope": True,
        "owner": "tanaka",
        **changes,
    }


def task(name, status="done", assignee="tanaka", **changes):
    key = TaskKey.parse(changes.pop("key", f"tics/{name}"))
    remote = changes.pop("id", name)
    return Binding(
        RemoteRef("book", remote),
        key,
        changes.pop("state", BindingState.LIVE),
        status=status,
        assignee=assignee,
        **changes,
    )


def evidence(name, file, seq=1, **changes):
    values = {
        "id": f"E-{name}-{seq}", "criterion": f"tics/{name}", "cycle": "", "name": file,
        "kind": "document", "keep_mode": "copy", "evidence_class": "internal", "sha256": "a" * 64, "size": 10,
        "dated_on": date(2026, 9, 10), "valid_until": None, "handed_in_by": "tanaka", "channel": "drop",
    }  # fmt: skip
    return Evidence(**(values | changes))


def act(name="T-14", kind=ActKind.CONFIRM, seq=1, **changes):
    made = Act(
        seq, kind, f"tics/{name}", "", "sato", "佐藤 花子", "manager", "sato@pc", "cli", date(2026, 10, 1),
        datetime(2026, 10, 1, tzinfo=timezone.utc),
    )  # fmt: skip
    return replace(made, **changes)


ITEMS = [item(name) for name in TITLES]
TASKS = [
    task("T-05", assignee="sato"),
    task("T-12"),
    task("T-12", assignee="yoshida", key="tics/T-12.second", id="T-12b"),
    task("T-14", due="2026-11-20"),
    task("T-20"),
    task("T-31"),
    task("T-46", "wont_do"),
]
EVIDENCE = [
    evidence("T-05", "管理責任者任命書_㈱髙﨑精工.pdf"),
    evidence("T-12", "教育実施記録_2026年度.xlsx", valid_until=date(2027, 9, 9)),
    evidence(
        "T-12",
        "受講者の署名（原本）",
        2,
        keep_mode="paper",
        sha256="",
        note="総務課 キャビネット３／立会い 吉田 2026-09-12",
    ),
    evidence("T-14", "誓約書_様式.docx"),
    evidence("T-20", "入退室記録簿", keep_mode="on_site", sha256="", dated_on=date(2026, 11, 2)),
    evidence("T-20", "区域図_1F.pdf", 2),
    evidence(
        "T-31", "ウイルス対策_管理画面_全端末の定義ファイル更新状況_20261101.png", dated_on=date(2026, 11, 1)
    ),
]
ACTS = (
    act("T-14", ActKind.RETURN, 3, reason="退職者２名分の誓約書がありません。"),
    act("T-31", ActKind.CONFIRM, 4, on=date(2025, 11, 10)),
)


def ledger(**changes):
    values = {
        "as_of": TODAY,
        "scopes": {"tics": {"items": ITEMS}},
        "profile_confirmed": {"tics": True},
        "bindings": tuple(TASKS),
        "acts": ACTS,
        "evidence": tuple(EVIDENCE),
        "evidence_seq": {"tics/T-31": 9},
        "read_on": {"book": TODAY.isoformat()},
        "changes": (StatusChange(8, TaskKey.parse("tics/T-14"), "doing", "done", RemoteRef("book", "T-14")),),
    }
    return Ledger(**(values | changes))


def waiting(**changes):
    return [one for one in standings(ledger(**changes)) if one.waits]


def rows(standing=None, held=None):
    return sheet_rows(waiting() if standing is None else standing, EVIDENCE if held is None else held, PEOPLE)


def sheet(shown=None, lang="ja", confirmer="sato", **changes):
    values = {
        "company": COMPANY, "confirmer": PEOPLE[confirmer], "workspace": "ws-test",
        "sheet_id": "a1b2c3d4e5f6", "exported_at": EXPORTED_AT, "zone": TOKYO, "text": Text(lang),
    }  # fmt: skip
    return write_sheet(rows() if shown is None else shown, **(values | changes))
