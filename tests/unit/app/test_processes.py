"""Whether another process lives, and who we are: told by the system, not by what somebody set."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ticssync.app.processes import process_alive, windows_says_alive
from ticssync.app.workspace import of_this_process


@pytest.mark.parametrize(
    ("opened", "error", "exit_code", "alive"),
    [
        (True, 0, 259, True),
        (True, 0, 0, False),
        (True, 0, 1, False),
        (True, 0, None, True),
        (False, 5, None, True),
        (False, 87, None, False),
    ],
)
def test_what_windows_answers(opened: bool, error: int, exit_code: int | None, alive: bool):
    """259: still active · 5: another account's (a service), so it lives · 87: no such process."""
    assert windows_says_alive(opened=opened, error=error, exit_code=exit_code) is alive


def test_a_process_lives_until_it_has_ended():
    """Our own does; one that ended does not, and no number below 1 is a process."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        assert process_alive(other.pid)
        other.communicate(b"\n")

    assert process_alive(os.getpid())
    assert not process_alive(other.pid)
    assert not process_alive(0)
    assert not process_alive(-1)


@pytest.mark.parametrize("variable", ["LOGNAME", "USER", "LNAME", "USERNAME"])
def test_no_variable_makes_another_account_of_us(monkeypatch: pytest.MonkeyPatch, variable: str):
    """Who enters for somebody else is noted by the account: it must not be what anybody types."""
    before = of_this_process().account
    monkeypatch.setenv(variable, "takasaki")

    assert before
    assert of_this_process().account == before != "takasaki"
    assert of_this_process().actor.startswith(f"{before}@")


@pytest.mark.skipif(sys.platform == "win32", reason="the account database of POSIX")
def test_an_account_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch):
    """In a container the number often has no entry."""
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)

    assert of_this_process().account == "4000000"
