"""A small company for the use cases: two items, make-believe trackers, a manager at the keyboard, and a clock."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from ticssync.app import hand_in
from ticssync.app.confirm import Wanted, act
from ticssync.app.status import status, status_json
from ticssync.app.sync_once import SyncOrder, SyncResult, sync
from ticssync.app.workspace import Surroundings, Workspace, open_workspace, read_config
from ticssync.model.assessment import ActKind
from ticssync.model.binding import Binding
from ticssync.model.task import FieldValue
from ticssync.store import By, Event, Store
from ticssync.store.bindings import bindings
from ticssync.store.store import replay
from ticssync.store.working import Conflict, Refusal, conflicts, refusals
from ticssync.testing.behaviour import FIELDS, Behaviour
from ticssync.testing.clock import Clock
from ticssync.testing.fake_plugin import FakePlugin
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.wire import Issue

WORKSPACE: Final = "k7m2q9wx4d"
ITEM: Final = """\
  - id: "{id}"
    chapter: rules
    title: {{ja: 項目{id}, en: Item {id}}}
    to_do: {{ja: 決めて書きます。, en: Decide and write.}}
    evidence: {{hint: {{ja: 一覧, en: The list}}}}
    class: internal
    keep_mode: copy
    cadence: [yearly]
    basis: derived
    confidence: low
"""
PACK: Final = """\
version: 1
name: {scheme}-1
scheme: {scheme}
edition: "1"
in_force_on: "2024-08-16"
status: working
basis: {{ja: 作業用カタログ, en: Working catalogue}}
source: 資料
chapters: {{rules: {{ja: 規則, en: Rules}}}}
items:
"""
MAPPING: Final = """\
version: 1
kind: fake
language: ja
marker: 目印
due: {anchor: planned, days: 10}
fields: {title: 件名, body: 説明, status: 状態, assignee: 担当, due: 期日, number: 番号, confirmation: 確認状況, from_office: 事務局から}
statuses: {未着手: todo, 対応中: doing, 確認待ち: review, 完了: done, 対象外: wont_do}
"""
CONFIG: Final = """\
version: 1
workspace: {{id: {workspace}, name: ㈱髙﨑精機, shared: 共有, language: ja}}
catalogs: [{catalogs}]
people:
  sato: {{name: 佐藤 花子, mail: sato@example.jp, accounts: {{os: hanako}}}}
  takasaki: {{name: 髙﨑 誠}}
  tanaka: {{name: 田中 一郎}}
roles: {{manager: [sato], executive: [takasaki], owner: [tanaka]}}
trackers: {{{trackers}}}
routes: [{routes}]
notify: {{folder: {{path: outbox}}}}
"""
PLACES: Final = (*FIELDS, "確認状況", "事務局から")


def pack(scheme: str, *items: str) -> str:
    """A catalogue of these items."""
    return PACK.format(scheme=scheme) + "".join(ITEM.format(id=one) for one in items)


@dataclass
class Office:
    """`root` holds everything.  Trackers are made by `configure`, and live as long as the office."""

    root: Path
    clock: Clock = field(default_factory=Clock)
    plugins: dict[str, FakePlugin] = field(default_factory=dict)
    catalogs: tuple[str, ...] = ("tics",)
    trackers: tuple[str, ...] = ("a",)
    route: tuple[str, ...] = ("a",)
    copies: list[Office] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kept = ExitStack()
        self._opened: Workspace | None = None
        self._key: tuple[bytes, bool] = (b"", False)

    # -- the workspace as files

    def found(self) -> Office:
        """Everything is written down, and the store is made."""
        self.root.mkdir(parents=True)
        self._write("mapping.yaml", MAPPING)
        self._write("tics.yaml", pack("tics", "T-01", "T-02"))
        self.configure()
        config = read_config(self.around)
        store = Store.create(config.store_url, config.workspace, self.clock)
        with store.write() as tx:
            tx.append("workspace.made", config.workspace, By("hanako@pc"), {"company": config.company})
        store.close()
        return self

    def configure(self, **changes: tuple[str, ...]) -> None:
        """Write ticssync.yaml anew: `catalogs`, `trackers`, `route` (main first, then mirrors)."""
        for name, value in changes.items():
            setattr(self, name, value)
        for name in self.trackers:
            self.plugins.setdefault(name, FakePlugin(FakeServer(self.clock, Behaviour(fields=PLACES))))
        settings = {
            name: f"{{kind: fake, server: {self.plugins[name].name}, mapping: ./mapping.yaml}}"
            for name in self.trackers
        }
        main, *mirrors = self.route or ("",)
        route = f'{{criteria: "*", tracker: {main}, mirrors: [{", ".join(mirrors)}]}}'
        text = CONFIG.format(
            workspace=WORKSPACE,
            catalogs=", ".join(f"./{name}.yaml" for name in self.catalogs),
            trackers=", ".join(f"{name}: {value}" for name, value in settings.items()),
            routes=route if self.route else "",
        )
        self._write("ticssync.yaml", text)

    def copied_to(self, root: Path) -> Office:
        """The folder is copied; the trackers are the same."""
        self.close()
        shutil.copytree(self.root, root)
        copy = Office(root, self.clock, self.plugins, self.catalogs, self.trackers, self.route)
        self.copies.append(copy)
        return copy

    def _write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, "utf-8")

    # -- the product, called

    @property
    def around(self) -> Surroundings:
        return Surroundings(self.root, {}, self.clock, "ja", "hanako", "pc", 4711, "machine-1")

    @contextmanager
    def open(self, *, trackers_may_differ: bool = False) -> Iterator[Workspace]:
        """The workspace, as the file stands now.  It stays open for the next call: opening is most of the time."""
        key = ((self.root / "ticssync.yaml").read_bytes(), trackers_may_differ)
        if self._opened is None or key not in (self._key, (self._key[0], True)):
            self.close()
            # One plugin object knows the kind; which server a tracker talks to stands in its settings.
            opening = open_workspace(
                self.around,
                extra=tuple(self.plugins.values())[:1],
                trackers_may_differ=trackers_may_differ,
            )
            self._opened, self._key = self._kept.enter_context(opening), key
        yield self._opened

    def close(self) -> None:
        """Nothing of this folder, or of a copy, is open any more."""
        self._opened = None
        self._kept.close()
        for copy in self.copies:
            copy.close()

    def sync(self, **order: Any) -> SyncResult:
        with self.open() as workspace:
            return sync(workspace, SyncOrder(**order))

    def settle(self) -> SyncResult:
        """Passes until nothing is written any more."""
        for _ in range(5):
            self.clock.advance(60)
            result = self.sync()
            if not outgoing(result):
                return result
        raise AssertionError(f"still writing: {outgoing(result)}")

    def act(self, kind: str, item: str, by: str = "sato", **more: Any) -> dict[str, Any]:
        with self.open() as workspace:
            return act(workspace, Wanted(ActKind(kind), item, by, **more))

    def status(self, as_of: date | None = None) -> dict[str, Any]:
        with self.open() as workspace:
            return status(workspace, as_of)

    def state(self, item: str) -> str:
        return str(self.criterion(item)["state"])

    def criterion(self, item: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.status()["criteria"] if one["id"] == item)
        return found

    def proof(self, item: str, **more: Any) -> None:
        """Evidence on paper is handed in."""
        given: dict[str, Any] = {"on": None, "until": None, "note": "金庫 1-A"} | more
        with self.open() as workspace:
            hand_in.add(
                workspace, None, [item], kind="document", keep_mode="paper", evidence_class=None,
                handed_in_by="tanaka", **given,
            )  # fmt: skip

    def reported(self, item: str, tracker: str = "a") -> None:
        """The member closes the task and hands in the proof; both are taken in."""
        self.person(item, tracker, 状態="完了")
        self.proof(item)
        self.settle()

    # -- the trackers, and the people in them

    def server(self, tracker: str = "a") -> FakeServer:
        return self.plugins[tracker].server

    def issues(self, tracker: str = "a") -> dict[str, Issue]:
        """Item → issue."""
        return {str(one.fields["番号"]): one for one in self.server(tracker).issues()}

    def person(self, item: str, tracker: str = "a", **fields: FieldValue) -> None:
        """Somebody edits the issue, a second later than whatever was before."""
        self.clock.advance(1)
        self.server(tracker).person_sets(self.issues(tracker)[item].id, fields)

    # -- what is there

    def bound(self, item: str) -> dict[str, Binding]:
        """Tracker → what is bound there (one per tracker in these tests)."""
        with self.open(trackers_may_differ=True) as workspace, workspace.store.read() as tx:
            return {one.ref.tracker: one for one in bindings(tx) if one.key.item == item}

    def events(self, kind: str | None = None) -> list[Event]:
        with self.open(trackers_may_differ=True) as workspace, workspace.store.read() as tx:
            return tx.events(kind=kind)

    def conflicts(self) -> tuple[Conflict, ...]:
        with self.open() as workspace, workspace.store.read() as tx:
            return conflicts(tx)

    def refusals(self) -> tuple[Refusal, ...]:
        with self.open() as workspace, workspace.store.read() as tx:
            return refusals(tx)

    def keeps_the_law_of_replay(self) -> bool:
        """Whether a store made from the log alone answers `status --json` with the same bytes."""
        with self.open() as workspace:
            again = Store.memory(workspace.config.workspace, self.clock)
            with workspace.store.read() as tx:
                log, here = tx.events(), json.dumps(status_json(tx, workspace.text))
            replay(log, again)
            with again.read() as tx:
                there = json.dumps(status_json(tx, workspace.text))
            again.close()
        return here == there


def outgoing(result: SyncResult) -> list[str]:
    """What was written to trackers, as short lines."""
    return [
        f"{name}:{one.action}:{one.task.item}"
        for name, report in result.reports.items()
        for one in report.actions
        if one.direction == "out"
    ]


def notices(result: SyncResult) -> Mapping[str, list[str]]:
    """Tracker → ids of its notices."""
    return {name: [one["id"] for one in report.notices] for name, report in result.reports.items()}
