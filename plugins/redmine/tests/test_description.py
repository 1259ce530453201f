"""What people write around our block of a description stays, also when they write while we do (a real Redmine)."""

from __future__ import annotations

from datetime import timedelta

from plugins.redmine.tests.site import RedmineSite
from tests.servers.redmine import Server

from ticssync.plugin import Change, RemoteRef
from ticssync.testing.bench import Bench

pytest_plugins = ["tests.servers.redmine_fixtures"]


def description(site: RedmineSite, ref: RemoteRef) -> str:
    return str(site.ask("GET", f"/issues/{ref.id}.json").json()["issue"]["description"]).replace("\r\n", "\n")


def test_text_below_the_block_survives_our_next_text(redmine: Server) -> None:
    site = RedmineSite(redmine)
    bench = Bench(site)
    ref = bench.made(body="はじめの本文")
    site.put(ref, {"description": description(site, ref) + "\r\n担当者のメモ 🔒\r\n\r\n- 鍵は棚の上"})
    bench.read(ref)
    bench.change(Change(ref, {"body": "直した本文"}))

    assert bench.read(ref).fields["body"] == "直した本文"
    assert description(site, ref).endswith("\n担当者のメモ 🔒\n\n- 鍵は棚の上")


def test_text_that_came_in_while_we_were_busy_elsewhere_survives_too(redmine: Server) -> None:
    """A long round of writes reads a description again before it writes into it."""
    site = RedmineSite(redmine)
    bench = Bench(site)
    ref = bench.made(body="はじめの本文")
    bench.read(ref)
    site.put(ref, {"description": description(site, ref) + "\r\nその間に書いたメモ"})
    site.shift = timedelta(seconds=31)
    bench.change(Change(ref, {"body": "直した本文"}))

    assert description(site, ref).startswith("直した本文\n")
    assert description(site, ref).endswith("\nその間に書いたメモ")


def test_a_round_of_writes_that_is_quick_reads_nothing_twice(redmine: Server) -> None:
    site = RedmineSite(redmine)
    bench = Bench(site)
    refs = bench.create(*(bench.draft(body="本文") for _ in range(3)))
    before = bench.tracker.requests
    bench.tracker.update([Change(ref, {"body": "直した本文"}) for ref in refs])

    assert bench.tracker.requests - before == 3
