"""A plugin with a bug, a template that fails, a broken log: told in a line each, and the rest goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.app.office import Office, outgoing
from ticssync.app.doctor import CHECKS
from ticssync.app.sync_once import SyncOrder, sync
from ticssync.errors import CredentialsError, UsageError
from ticssync.plugin import AuthLost
from ticssync.testing import fake_plugin
from ticssync.testing.fake_tracker import FakeTracker

TOKEN = "t0ken-in-an-error"


def three(office: Office) -> Office:
    office.configure(trackers=("a", "b", "c"), route=("a", "b", "c"))
    return office


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception, name: str = "b") -> list[str]:
    """One tracker's plugin raises this when it is opened; the names of the drivers that are closed come in."""
    real, closed = fake_plugin.open_tracker, list[str]()

    def open_tracker(opening: Any) -> FakeTracker:
        if opening.name == name:
            raise error
        return real(opening)

    def close(tracker: FakeTracker) -> None:
        closed.append(tracker.opening.name)

    monkeypatch.setattr(fake_plugin, "open_tracker", open_tracker)
    monkeypatch.setattr(FakeTracker, "close", close)
    return closed


def checks(office: Office, name: str) -> dict[str, tuple[str, str, str]]:
    examine = dict(CHECKS)[name]
    with office.open() as workspace:
        return {one.id: (one.state, str(one.message), str(one.fix)) for one in examine(workspace)}


@pytest.mark.parametrize(
    "error", [KeyError(TOKEN), RuntimeError(TOKEN), AssertionError(), ImportError(TOKEN)], ids=repr
)
def test_a_plugin_that_fails_to_open_stops_no_other_tracker(
    office: Office, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: Exception
):
    """It counts as unavailable; the others are written and closed; the log has the reason, the report does not."""
    closed = failing(monkeypatch, error)

    result = three(office).sync()

    kind = type(error).__name__
    assert (result.reports["b"].state, result.reports["b"].message) == (
        "unavailable",
        f"the driver of b failed: {kind}",
    )
    assert {line.partition(":")[0] for line in outgoing(result)} == {"a", "c"}
    assert result.exit_code == 3
    assert sorted(closed) == ["a", "c"]
    assert TOKEN not in json.dumps(result.plain())
    line = json.loads(capfd.readouterr().err.strip().splitlines()[0])
    assert (line["tracker"], line["level"]) == ("b", "error")
    assert kind in line["exception"]


def test_the_products_own_errors_are_told_in_their_words(office: Office, monkeypatch: pytest.MonkeyPatch):
    """With what to do; and what a driver says of itself stays as it was."""
    failing(monkeypatch, UsageError("wrong settings", fix="mend them"))
    report = three(office).sync().reports["b"]
    assert (report.state, report.message, report.fix) == ("unavailable", "wrong settings", "mend them")

    failing(monkeypatch, AuthLost("the key is not accepted"))
    assert office.sync().reports["b"].state == "credentials"


def test_a_tracker_that_the_file_does_not_name_is_told_before_any_is_opened(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    """So that none is left open."""
    failing(monkeypatch, AssertionError("opened"), name="a")

    with office.open() as workspace, pytest.raises(UsageError, match="has no tracker z"):
        sync(workspace, SyncOrder(trackers=("z",)))


@pytest.mark.parametrize("where", ["open", "whoami", "check"])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError(TOKEN), "the driver of b failed: KeyError"),
        (CredentialsError("no key", fix="give one"), "no key"),
    ],
)
def test_the_doctor_examines_the_other_trackers(
    office: Office, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception, said: str
):
    """Whether the plugin fails in opening or later: one line for it, and every driver is closed."""
    closed = failing(monkeypatch, error, name="b" if where == "open" else "")
    if where != "open":
        monkeypatch.setattr(FakeTracker, where, failing_for(getattr(FakeTracker, where), "b", error))

    found = checks(three(office), "trackers")

    assert found["tracker.b"] == ("fail", said, getattr(error, "fix", ""))
    assert [found[f"tracker.{name}"][0] for name in "ac"] == ["ok", "ok"]
    assert sorted(closed) == sorted({"a", "b", "c"} - ({"b"} if where == "open" else set()))


def failing_for(real: Any, name: str, error: Exception) -> Any:
    def called(tracker: FakeTracker) -> Any:
        if tracker.opening.name == name:
            raise error
        return real(tracker)

    return called


def test_a_template_that_fails_is_a_problem_of_its_file(office: Office):
    """Before anything is written; exit 2."""
    file = office.root / "mapping.yaml"
    file.write_text(file.read_text("utf-8") + 'title: "{{ title + 1 }}"\n', "utf-8")

    with pytest.raises(UsageError) as caught:
        office.sync()

    (problem,) = caught.value.problems
    assert caught.value.exit_code == 2
    assert problem.file == str(file)
    assert "the template fails for T-01: can only concatenate str" in problem.message
    assert office.issues() == {}


def test_the_doctor_says_what_is_wrong_with_the_log_in_translatable_words(office: Office):
    """The sentence is put together from parts that each have a translation."""
    office.sync()
    with office.open() as workspace, workspace.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE event SET payload = '{}' WHERE seq = 1")

    with office.open() as workspace:
        found = next(one for one in dict(CHECKS)["store"](workspace) if one.id == "store.chain")

    what = found.message.values["what"]
    assert found.state == "fail"
    assert (what.template, what.values["what"].template) == ("event {seq}: {what}", "its payload was changed")
