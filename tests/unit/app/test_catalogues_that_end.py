"""A catalogue that ticssync.yaml no longer names is over, and stays so."""

from __future__ import annotations

from tests.unit.app.office import Office, outgoing, pack
from ticssync.app.settle import find_criterion, find_task


def test_a_catalogue_that_is_taken_out_ends_once_and_does_not_come_back(office: Office) -> None:
    (office.root / "own.yaml").write_text(pack("own", "X-01"), "utf-8")
    office.configure(catalogs=("tics", "own"))
    office.settle()
    both = [one["id"] for one in office.status()["criteria"]]
    office.configure(catalogs=("tics",))
    results = [office.sync() for _ in range(3)]

    assert both == ["X-01", "T-01", "T-02"]
    assert [one["id"] for one in office.status()["criteria"]] == ["T-01", "T-02"]
    assert [outgoing(result) for result in results] == [[], [], []]
    assert [event.subject for event in office.events("scope.ended")] == ["own"]
    assert office.bound("X-01")["a"].state.value == "detached"
    assert office.keeps_the_law_of_replay()


def test_an_id_that_only_an_ended_catalogue_has_too_is_the_one_in_use(office: Office) -> None:
    (office.root / "own.yaml").write_text(pack("own", "T-01"), "utf-8")
    office.configure(catalogs=("tics", "own"))
    office.settle()
    office.configure(catalogs=("tics",))
    office.settle()

    with office.open() as workspace, workspace.store.read() as tx:
        assert str(find_task(tx, "T-01")) == find_criterion(tx, "T-01") == "tics/T-01"


def test_a_catalogue_that_is_named_again_has_its_tasks_back(office: Office) -> None:
    (office.root / "own.yaml").write_text(pack("own", "X-01"), "utf-8")
    office.configure(catalogs=("tics", "own"))
    office.settle()
    office.configure(catalogs=("tics",))
    office.settle()
    office.configure(catalogs=("tics", "own"))
    office.clock.advance(90_000)
    office.settle()

    assert office.bound("X-01")["a"].state.value == "live"
    assert len(office.server().issues()) == 3
