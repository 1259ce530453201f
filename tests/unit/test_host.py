"""The host: what is loaded, and that one plugin's trouble is its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ticssync.errors import UsageError
from ticssync.host import load_host
from ticssync.plugin import Capabilities, TrackerKind, hookimpl
from ticssync.store import By, Store
from ticssync.testing.clock import Clock
from ticssync.testing.opening import NoSettings


class Listener:
    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    @hookimpl
    def ticssync_event(self, event: dict[str, Any]) -> None:
        self.heard.append(dict(event))


class Broken:
    @hookimpl
    def ticssync_event(self, event: dict[str, Any]) -> None:
        raise KeyError(event["kind"])


def kind(name: str) -> TrackerKind:
    return TrackerKind(name=name, settings=NoSettings, caps=Capabilities(), open="nowhere:open")


class Trackers:
    def __init__(self, *names: str) -> None:
        self.names = names

    @hookimpl
    def ticssync_trackers(self) -> list[TrackerKind]:
        return [kind(name) for name in self.names]


def test_a_listener_hears_each_committed_event_and_a_broken_one_keeps_nobody_from_it() -> None:
    listener = Listener()
    host = load_host((), extra=(Broken(), listener))
    store = Store.memory("contract00", Clock())
    store.listener = host.tell

    with store.write() as tx:
        tx.append("duty.done", "main/report/2027-04-01", By("me@here"), {"state": "submitted"})

    assert [(one["seq"], one["kind"], sorted(one)) for one in listener.heard] == [
        (1, "duty.done", ["at", "kind", "seq", "subject"])
    ]


def test_an_event_that_was_rolled_back_is_heard_by_nobody() -> None:
    listener = Listener()
    store = Store.memory("contract00", Clock())
    store.listener = load_host((), extra=(listener,)).tell

    with pytest.raises(RuntimeError), store.write() as tx:
        tx.append("duty.done", "x", By("me@here"), {"state": "submitted"})
        raise RuntimeError

    assert listener.heard == []


def test_two_plugins_that_claim_one_kind_are_an_error_that_names_it() -> None:
    with pytest.raises(UsageError, match="board"):
        load_host((), extra=(Trackers("board"), Trackers("board")))


def test_a_plugin_that_is_not_installed_is_named_with_what_to_type() -> None:
    with pytest.raises(UsageError) as caught:
        load_host(("ticssync-abacus",))

    assert (caught.value.exit_code, "pip install ticssync-abacus" in str(caught.value.fix)) == (2, True)


def test_nothing_is_loaded_but_what_the_file_allows() -> None:
    assert "workbook" not in load_host(()).trackers
    assert "workbook" in load_host(("ticssync-sheets",)).trackers


def test_a_misspelt_hook_stops_the_start() -> None:
    class Misspelt:
        @hookimpl
        def ticssync_traker(self) -> None: ...

    with pytest.raises(Exception, match="ticssync_traker"):
        load_host((), extra=(Misspelt(),))


def test_a_plugin_without_hooks_changes_nothing() -> None:
    assert load_host((), extra=(SimpleNamespace(),)).trackers == {}
