"""A small company with a bit of everything, as a snapshot."""

import hashlib
import io
from datetime import date, datetime, timedelta, timezone

from ticssync.bundle.snapshot import EvidenceItem, SnapshotInput
from ticssync.store.events import GENESIS, By, make_event

AS_OF = date(2026, 11, 24)
EXPORTED_AT = datetime(2026, 11, 24, 9, 30, tzinfo=timezone.utc)

TITLES = [
    ("T-01", "identify", "守るべき技術情報を決める", "Decide which technical information is to be protected"),
    ("T-04", "identify", "管理対象情報の台帳を持つ", "Keep a register of the managed information"),
    ("T-05", "governance", "管理責任者を選ぶ", "Appoint a responsible manager"),
    ("T-12", "people", "従業員に教育を行う", "Train the staff"),
    ("T-14", "people", "退職者から秘密保持の誓約を取る", "Take a pledge from leavers"),
    ("T-20", "physical", "立入りを制限する区域を決める", "Decide restricted areas"),
    ("T-31", "electronic", "ウイルス対策ソフトを入れる", "Install anti-virus software"),
    ("T-44", "incident", "漏えい等が起きたときの対応手順を持つ", "Response procedure for leaks"),
    ("T-46", "incident", "原因を調べ再発を防ぐ", "Find cause, prevent recurrence"),
]
CHAPTERS = {
    "identify": {"ja": "守る情報の特定", "en": "Identify"},
    "governance": {"ja": "体制とルール", "en": "Governance"},
    "people": {"ja": "人的対策", "en": "People"},
    "physical": {"ja": "物理的対策", "en": "Physical"},
    "electronic": {"ja": "電子情報・情報システム", "en": "Electronic"},
    "incident": {"ja": "事故対応", "en": "Incident"},
}
STATES = {
    "T-01": "confirmed",
    "T-04": "reported_without_evidence",
    "T-05": "confirmed",
    "T-12": "reported",
    "T-14": "returned",
    "T-20": "unknown",
    "T-31": "expired",
    "T-44": "in_progress",
    "T-46": "not_applicable",
}
FILES = {
    "E-00001": b"%PDF-1.7 register of the protected information\n",
    "E-00002": b"PK\x03\x04 a workbook, or something that begins like one",
    "E-00003": b"",
}


def item(name, chapter, ja, en, **changes):
    return {
        "id": name,
        "chapter": chapter,
        "title": {"ja": ja, "en": en},
        "to_do": {
            "ja": f"{ja}。文書にして承認を受けます。",
            "en": f"{en}; write it down and have it approved.",
        },
        "evidence_hint": {"ja": "承認日のある文書", "en": "a document with its approval date"},
        "evidence": {"count": 1, "kinds": ["document"], "valid_months": 12, "reviewed": True},
        "keep_mode": "copy",
        "evidence_class": "秘",
        "cadence": ["yearly"],
        "official_ref": [],
        "basis": "named_by_meti",
        "confidence": "high",
        "in_scope": STATES.get(name) != "not_applicable",
        "why": {"ja": "常に対象です", "en": "always in scope"},
        **changes,
    }


def scope(items=None):
    return {
        "scheme": "tics",
        "catalog": "tics-2024",
        "edition": "2024年8月16日改正",
        "in_force_on": "2024-08-16",
        "basis": {
            "ja": "経済産業省の公開資料をもとに本製品が作成した作業用カタログです。",
            "en": "A working catalogue made by this tool from METI's public slides.",
        },
        "source": "経済産業省 公開資料（2025年6月）",
        "digest": "a" * 64,
        "profile": {"forms": ["electronic", "paper"], "areas": True, "classes": ["極秘", "秘"]},
        "profile_digest": "b" * 64,
        "chapters": CHAPTERS,
        "items": [item(*row) for row in TITLES] if items is None else items,
    }


def entry(name, title, **changes):
    return {
        "scheme": "tics",
        "id": name,
        "cycle": "",
        "title": title,
        "chapter": "",
        "state": STATES.get(name, "unknown"),
        "late": name == "T-14",
        "task_status": "done",
        "evidence_state": "complete",
        "confirmed_by": None,
        "due_on": "2026-12-25",
        "owner": "髙﨑 健",
        "tasks": [],
        **changes,
    }


def evidence(name_="E-00001", **changes):
    content = FILES.get(name_, b"")
    values = {
        "id": name_,
        "criterion": "tics/T-01",
        "cycle": "",
        "name": "管理対象情報一覧㊙.pdf",
        "kind": "document",
        "keep_mode": "copy",
        "evidence_class": "秘",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "dated_on": date(2026, 4, 1),
        "valid_until": date(2027, 3, 31),
        "handed_in_by": "髙﨑 健",
        "channel": "drop",
        "note": "",
    }
    return EvidenceItem(**{**values, **changes})


def act(seq=1, **changes):
    return {
        "seq": seq,
        "kind": "confirm",
        "criterion": "tics/T-01",
        "cycle": "",
        "person": "sato",
        "person_name": "佐藤 花子",
        "role": "manager",
        "actor": "sato@pc-07",
        "channel": "sheet",
        "on": "2026-10-01",
        "at": "2026-10-01T01:30:00.000000Z",
        "until": None,
        "reason": "",
        "proof": "c" * 64,
        "self_confirmed": False,
        "on_behalf": False,
        **changes,
    }


def events(count=3, evidence_id=""):
    made, previous = [], (0, GENESIS)
    for number in range(count):
        secret = evidence_id and number == 0
        made.append(
            make_event(
                previous,
                at=EXPORTED_AT - timedelta(days=count - number),
                kind="evidence.added" if secret else "act.recorded",
                subject=evidence_id if secret else "tics/T-01",
                by=By("sato@pc-07", "cli", "sato"),
                payload={"name": "給与一覧.xlsx"} if secret else {"cycle": "", "reason": f"確認 {number}"},
                salt=f"{number:032x}",
            )
        )
        previous = (made[-1].seq, made[-1].hash)
    return tuple(made)


def ticket(key="12", **changes):
    return {
        "tracker": "factory",
        "key": key,
        "url": "https://redmine.example.co.jp/issues/12",
        "task": "tics/T-01",
        "criterion": "tics/T-01",
        "fields": {
            "title": "T-01 守るべき技術情報を決める",
            "status": "done",
            "assignee": "髙﨑 健",
            "labels": ["tics"],
        },
        "raw_status": "終了",
        "history": [{"at": "2026-09-30T02:00:00.000000Z", "actor": "髙﨑 健", "what": "状態: 進行中 → 終了"}],
        **changes,
    }


def snapshot(**changes):
    values = {
        "company": "株式会社小出精密",
        "workspace": "k7m2q9wx4d",
        "purpose": "renewal-2028",
        "as_of": AS_OF,
        "lang": "ja",
        "status": {
            "catalogs": [],
            "as_of": AS_OF.isoformat(),
            "criteria": [entry(name, ja) for name, _, ja, _ in TITLES],
        },
        "scopes": {"tics": scope()},
        "profile_acts": (
            {
                "scheme": "tics",
                "profile_digest": "b" * 64,
                "person": "sato",
                "person_name": "佐藤 花子",
                "on": "2026-04-01",
                "reason": "全社",
            },
        ),
        "acts": (act(),),
        "evidence": (
            evidence(),
            evidence("E-00002", criterion="tics/T-12", name="教育記録.xlsx"),
            evidence("E-00003", criterion="tics/T-12", name="空.txt"),
        ),
        "tickets": (ticket(),),
        "certificates": (
            {
                "scheme": "tics",
                "body": "JQA",
                "number": "TICS-0001",
                "scope": "本社工場",
                "issued_on": "2025-04-01",
                "expires_on": "2028-03-31",
            },
        ),
        "duties": (
            {
                "kind": "periodic_report",
                "title": "定期報告",
                "state": "open",
                "due_on": "2027-03-31",
                "basis": "printed",
            },
        ),
        "events": events(),
        "handling_class": "取扱注意",
        "tool_version": "0.1.0",
    }
    return SnapshotInput(**{**values, **changes})


def openers(contents=None):
    return {
        ref: (lambda content=content: io.BytesIO(content))
        for ref, content in (FILES if contents is None else contents).items()
    }
