"""Small builders: a good value of each kind, of which a test names only what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from ticssync.model.certificate import Basis, Certificate, Duty
from ticssync.model.criterion import Cadence, Catalog, Criterion, EvidenceRule, KeepMode, Words
from ticssync.model.person import Person
from ticssync.model.profile import Profile
from ticssync.plugin import FieldValue, Marker, RemoteRef, RemoteTask, TaskKey
from ticssync.testing.clock import START
from ticssync.testing.opening import TABLE, WORKSPACE

ValueT = TypeVar("ValueT")


def key(text: str = "tics/T-14") -> TaskKey:
    """`tics/T-14`, or `T-14` in the scheme tics."""
    return TaskKey.parse(text, scheme="tics")


def marker(text: str = "tics/T-14", *, workspace: str = WORKSPACE, generation: int = 1) -> str:
    """The marker of that key."""
    return str(Marker(workspace, key(text), generation))


def criterion(id: str = "T-14", **changes: object) -> Criterion:  # noqa: A002 - the field's own name
    """One item of the make-believe scheme; `changes` by the fields of `Criterion`."""
    values: dict[str, object] = {
        "scheme": "tics",
        "id": id,
        "chapter": "3",
        "title": Words(f"{id} 施錠できる保管庫", f"{id} A cabinet with a lock"),
        "to_do": Words(
            "鍵の管理者を決め、貸出しを記録する。", "Name who keeps the keys and record who has them."
        ),
        "evidence_hint": Words("鍵管理台帳、写真", "Key register, photo"),
        "applies_when": "",
        "evidence": EvidenceRule(),
        "keep_mode": KeepMode.COPY,
        "evidence_class": "internal",
        "cadence": (Cadence.ONCE,),
        "checklist_fields": (),
        "official_ref": (),
        "basis": "public",
        "confidence": "high",
    }
    return _made(Criterion, values, changes)


def catalog(*items: Criterion, **changes: object) -> Catalog:
    """A scheme pack of these items (one, where none is named)."""
    held = items or (criterion(),)
    values: dict[str, object] = {
        "name": "tics-test",
        "scheme": "tics",
        "edition": "2024",
        "in_force_on": "2024-04-01",
        "status": "in_force",
        "basis": Words("試験用", "For tests"),
        "source": "",
        "chapters": {"3": Words("物理的管理", "Physical controls")},
        "checklist_fields": {},
        "items": held,
        "digest": "0" * 64,
        "by_id": {item.id: item for item in held},
    }
    return _made(Catalog, values, changes)


def profile(**changes: object) -> Profile:
    """A small factory: paper and electronic documents, one class of information."""
    values: dict[str, object] = {
        "forms": frozenset({"paper", "electronic"}),
        "areas": True,
        "classes": ("社外秘",),
    }
    return _made(Profile, values, changes)


def scope_payload(held: Catalog | None = None, company: Profile | None = None) -> dict[str, Any]:
    """The payload of a `scope.taken` event over a catalogue and a profile."""
    from ticssync.catalog.describe import scope_payload as made

    return made(held or catalog(), company or profile())


def certificate(**changes: object) -> Certificate:
    """A certificate of three years."""
    values: dict[str, object] = {
        "id": "tics-main",
        "scheme": "tics",
        "body": "認証機関㈱",
        "number": "T-0001",
        "scope": "本社工場",
        "issued_on": date(2025, 5, 1),
        "expires_on": date(2028, 4, 30),
    }
    return _made(Certificate, values, changes)


def duty(**changes: object) -> Duty:
    """A periodic report that is due in a month."""
    values: dict[str, object] = {
        "id": "tics-main/periodic/2026",
        "kind": "periodic",
        "title": "定期報告",
        "due_on": date(2026, 5, 1),
        "basis": Basis.PRINTED,
        "certificate": "tics-main",
    }
    return _made(Duty, values, changes)


def person(id: str = "takasaki", **changes: object) -> Person:  # noqa: A002 - the field's own name
    """A person with an address and an account in the tracker `fake`."""
    values: dict[str, object] = {
        "id": id,
        "name": TABLE.names.get(id, id),
        "mail": f"{id}@example.co.jp",
        "accounts": {"fake": TABLE.people[id]} if id in TABLE.people else {},
    }
    return _made(Person, values, changes)


def remote_task(
    id: str = "10001",  # noqa: A002 - the tracker's word
    *,
    tracker: str = "fake",
    fields: Mapping[str, FieldValue] | None = None,
    marker: str | None = None,
    updated_at: datetime = START,
    **changes: object,
) -> RemoteTask:
    """A task as a tracker shows it: a title and the status todo, besides what is named."""
    shown: dict[str, FieldValue] = {"title": "施錠できる保管庫", "status": "todo", **(fields or {})}
    raw = TABLE.remote_status(str(shown["status"])) or ""
    values: dict[str, object] = {
        "key": f"FAKE-{id}",
        "version": "1",
        "raw_status": raw,
        "marker": marker,
        "updated_at": updated_at,
    }
    return _made(RemoteTask, {"ref": RemoteRef(tracker, id), "fields": shown, **values}, changes)


def _made(kind: Callable[..., ValueT], values: Mapping[str, object], changes: Mapping[str, object]) -> ValueT:
    return kind(**{**values, **changes})
