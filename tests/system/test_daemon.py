"""The daemon as a process of its own, beside people and other commands."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.system.company import ITEMS, Company
from ticssync.store.lease import read_lease

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals to another process are POSIX here")


@contextmanager
def daemon(company: Company, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A running daemon that syncs every second; its log is read line by line."""
    line = company.process_line("daemon", "--every", "1", "-v", *more)
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    # A daemon that says nothing any more must not hold the tests up: its pipe ends with it.
    watchdog = threading.Timer(90, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def wait_for(process: subprocess.Popen[str], wanted: Callable[[str], bool]) -> str:
    """Read the daemon's log until a line says it; the pipe ends where the daemon does."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if wanted(line):
            return line
    raise AssertionError("".join(seen))


def synced(line: str) -> bool:
    return '"event": "synced"' in line


def lease_of(company: Company) -> object:
    with company.open() as workspace, workspace.store.read() as tx:
        return read_lease(tx)


def test_once_does_everything_that_is_due_one_time(company: Company) -> None:
    first, second = company.cli("daemon", "--once", "--json"), company.cli("daemon", "--once", "--json")

    assert (first.code, second.code) == (0, 0)
    assert first.json["sync"]["trackers"]["ledger"]["created"] == ITEMS
    assert second.json["sync"]["trackers"]["ledger"]["actions"] == []
    assert lease_of(company) is None


def test_a_daemon_takes_in_a_persons_edit_and_stops_cleanly_when_told(company: Company) -> None:
    with daemon(company) as process:
        wait_for(process, lambda line: synced(line) and f'"created": {ITEMS}' in line)
        company.person({"T-14": {"status": "完了"}})
        wait_for(process, lambda line: synced(line) and '"pulled": 1' in line)
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)

    assert code == 0
    assert company.bound("T-14")[0].status == "done"
    assert lease_of(company) is None


def test_a_sync_beside_a_daemon_ends_with_3_and_names_host_and_process(company: Company) -> None:
    with daemon(company) as process:
        wait_for(process, synced)
        ran = company.process("sync", "--json")
        plan = company.process("plan", "--json")
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    message = ran.stdout

    assert ran.returncode == 3
    assert socket.gethostname() in message
    assert str(process.pid) in message
    assert plan.returncode == 0


def test_the_lease_of_a_daemon_that_was_killed_is_taken_over_at_once(company: Company) -> None:
    with daemon(company) as process:
        wait_for(process, synced)
        process.kill()
        process.wait(10)
        held = lease_of(company)
        ran = company.process("sync", "--json")

    assert held is not None
    assert ran.returncode == 0
    assert lease_of(company) is None


def test_a_second_daemon_ends_with_3(company: Company) -> None:
    with daemon(company) as process:
        wait_for(process, synced)
        second = company.process("daemon", "--every", "1", "--json")
        process.send_signal(signal.SIGINT)
        code = process.wait(10)

    assert (second.returncode, code) == (3, 0)


def test_a_daemon_goes_on_while_the_configuration_is_wrong_and_after_it_was_mended(company: Company) -> None:
    with daemon(company) as process:
        wait_for(process, synced)
        good = company.config.read_bytes()
        company.config.write_bytes(good + b"stroe: x\n")
        told = wait_for(process, lambda line: '"event": "not done"' in line)
        company.config.write_bytes(good)
        wait_for(process, synced)
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)

    assert code == 0
    assert "stroe" in told


def test_a_daemon_that_cannot_begin_says_why_and_ends(company: Company) -> None:
    company.store_file.unlink()
    ran = company.process("daemon", "--json")

    assert ran.returncode == 5
    assert "Traceback" not in ran.stderr
