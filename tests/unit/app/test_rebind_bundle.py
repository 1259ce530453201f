"""What a bundle gives back to a store that was lost."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.deaths import Death, file_operations
from tests.unit.app.office import Office
from tests.unit.app.test_rebind import deaths, lose, quiet, rebound
from ticssync.app import hand_in, settle
from ticssync.app.bundle import bundle_export
from ticssync.app.deadlines import done
from ticssync.app.workspace import read_config
from ticssync.bundle.keys import load_key, make_key
from ticssync.errors import UsageError
from ticssync.model.certificate import DutyState
from ticssync.model.evidence import Evidence
from ticssync.store.acts import every_act
from ticssync.store.duties import duty_records
from ticssync.store.evidence import evidence_of
from ticssync.store.locker import Locker

EVERY_POINT: Final = os.environ.get("TICSSYNC_FAULTS") == "all"


def keys(office: Office) -> Path:
    config = read_config(office.around)
    return config.path(config.values.keys)


def locker(office: Office) -> Locker:
    config = read_config(office.around)
    return Locker(config.path(config.values.locker))


def bundle(office: Office) -> Path:
    """Exported, and put where no loss reaches it."""
    if not keys(office).exists():
        make_key(keys(office))
    with office.open() as workspace:
        return bundle_export(workspace, office.root.parent / "bundles", "first", None, "").path


def add(office: Office, name: str, content: bytes, item: str = "T-01", **more: Any) -> None:
    file = office.root / name
    file.write_bytes(content)
    given: dict[str, Any] = {"keep_mode": "copy", "evidence_class": "internal"} | more
    with office.open() as workspace:
        hand_in.add(
            workspace, file, [item], kind="document", handed_in_by="tanaka", on=None, until=None, note="金庫", **given
        )  # fmt: skip


def evidence(office: Office) -> list[Evidence]:
    with office.open() as workspace, workspace.store.read() as tx:
        return list(evidence_of(tx))


def worked(office: Office) -> Office:
    """T-01 is confirmed with a file as its proof; T-02 is left out."""
    office.settle()
    add(office, "規程 ㊙.pdf", b"%PDF rules")
    office.person("T-01", 状態="完了")
    office.settle()
    office.act("confirm", "T-01", until=date(2027, 3, 31), reason="")
    office.act("exclude", "T-02", reason="対象の情報がない")
    office.settle()
    return office


def acts(office: Office) -> list[tuple[Any, ...]]:
    with office.open() as workspace, workspace.store.read() as tx:
        return [
            (one.kind, one.criterion, one.person, one.person_name, one.role, one.channel, one.on, one.until, one.at, one.actor)
            for one in every_act(tx)
        ]  # fmt: skip


def states(office: Office) -> dict[str, str]:
    return {item: office.state(item) for item in ("T-01", "T-02")}


def test_confirmations_exclusions_and_evidence_come_back_as_they_were(office: Office) -> None:
    before = (states(worked(office)), acts(office), evidence(office))
    file = bundle(office)
    lose(office)
    shutil.rmtree(locker(office).folder)

    found = rebound(office, bundle=file)

    assert (states(office), acts(office), evidence(office)) == before
    assert before[0] == {"T-01": "confirmed", "T-02": "excluded"}
    assert found.restored is not None
    assert (found.restored.acts, found.restored.evidence, found.files, found.restored.left_out) == (
        2,
        1,
        1,
        [],
    )
    assert locker(office).verify(evidence(office)[0].sha256) == "ok"
    assert not office.conflicts()
    assert quiet(office)
    assert office.keeps_the_law_of_replay()


def test_each_fact_says_which_bundle_gave_it_back(office: Office) -> None:
    file = bundle(worked(office))
    lose(office)
    found = rebound(office, bundle=file)

    (event,) = [one for one in office.events("act.recorded") if one.subject == "tics/T-01"]
    assert found.bundle is not None
    told = event.data["restored"]
    assert (event.channel, event.claimed_by, event.actor) == ("bundle", "sato", "hanako@pc")
    assert (told["bundle"], told["head"]["hash"]) == (file.name, found.bundle.origin.head)
    assert told["channel"] == "cli"


def test_without_a_bundle_what_names_a_person_in_the_tracker_is_not_written_over(office: Office) -> None:
    worked(office)
    there = office.issues()["T-01"].fields["確認状況"]
    lose(office)
    rebound(office)
    office.settle()

    assert office.issues()["T-01"].fields["確認状況"] == there
    assert "佐藤" in str(there)
    assert {one.field for one in office.conflicts()} == {"confirmation", "from_office"}


def test_a_confirmed_task_that_was_opened_again_since_is_no_longer_confirmed(office: Office) -> None:
    file = bundle(worked(office))
    lose(office)
    office.person("T-01", 状態="対応中")
    rebound(office, bundle=file)

    assert office.state("T-01") != "confirmed"


def test_an_act_that_was_taken_back_stays_taken_back(office: Office) -> None:
    worked(office)
    office.act("withdraw", "T-02", reason="やはり対象")
    office.settle()
    before = states(office)
    file = bundle(office)
    lose(office)
    rebound(office, bundle=file)

    assert states(office) == before
    assert before["T-02"] != "excluded"


def test_a_task_that_was_let_go_is_not_taken_up_again(office: Office) -> None:
    office.settle()
    with office.open() as workspace:
        settle.drop(workspace, "T-02")
    file = bundle(office)
    lose(office)
    rebound(office, bundle=file)

    assert office.bound("T-02")["a"].state.value == "detached"
    assert quiet(office)
    assert office.bound("T-02")["a"].state.value == "detached"


def test_a_task_whose_marker_somebody_wiped_is_found_by_the_bundle(office: Office) -> None:
    office.settle()
    number = office.issues()["T-02"].id
    file = bundle(office)
    office.person("T-02", 目印=None)
    lose(office)

    told = rebound(office, bundle=file).trackers["a"]

    assert (told["by_marker"], told["by_bundle"], told["without_marker"]) == (1, 1, 1)
    assert office.bound("T-02")["a"].ref.id == number


def test_a_task_that_was_deleted_before_the_bundle_is_not_made_again(office: Office) -> None:
    office.settle()
    office.server().delete(office.issues()["T-02"].id)
    office.clock.advance(86_400 * 2)
    office.settle()
    file = bundle(office)
    lose(office)

    (gone,) = rebound(office, bundle=file).trackers["a"]["not_found"]

    assert (gone["task"], gone["state"], gone["held"]) == ("tics/T-02", "tomb", True)
    office.settle()
    assert set(office.issues()) == {"T-01"}


def test_evidence_that_never_left_the_house_keeps_its_hash_and_loses_its_name(office: Office) -> None:
    office.settle()
    add(office, "秘密の名.pdf", b"secret", evidence_class="")
    sha = evidence(office)[0].sha256
    file = bundle(office)
    lose(office)

    found = rebound(office, bundle=file)

    (held,) = evidence(office)
    assert (held.sha256, held.name, held.readable) == (sha, held.id, True)
    assert found.restored is not None
    (left,) = found.restored.left_out
    assert left["what"] == held.id


def test_evidence_whose_file_is_nowhere_counts_as_unreadable(office: Office) -> None:
    office.settle()
    add(office, "規程.pdf", b"only a hash of it", evidence_class="")
    file = bundle(office)
    lose(office)
    shutil.rmtree(locker(office).folder)

    found = rebound(office, bundle=file)

    assert not evidence(office)[0].readable
    assert found.restored is not None
    assert len(found.restored.left_out) == 2


def test_duties_that_were_done_come_back(office: Office) -> None:
    text = (office.root / "ticssync.yaml").read_text("utf-8")
    certificate = (
        "certificates: {main: {scheme: tics, body: JQA, number: '1', scope: 本社, issued_on: 2025-04-01, "
        "expires_on: 2028-03-31}}\n"
    )
    office.close()
    (office.root / "ticssync.yaml").write_text(text + certificate, "utf-8")
    office.settle()
    from ticssync.app.deadlines import current_duties

    with office.open() as workspace:
        duty = next(one for one in current_duties(workspace) if one.certificate).id
        done(workspace, duty, workspace.today, None, DutyState.SUBMITTED)
    file = bundle(office)
    lose(office)
    found = rebound(office, bundle=file)

    assert found.restored is not None
    assert found.restored.duties == 1
    with office.open() as workspace, workspace.store.read() as tx:
        assert duty_records(tx)[duty].state is DutyState.SUBMITTED


def test_what_was_collected_from_a_task_is_not_collected_a_second_time(office: Office) -> None:
    office.settle()
    with (office.root / "mapping.yaml").open("a", encoding="utf-8") as mapping:
        mapping.write("collect: {files: true, notes: true}\n")
    office.server().attach(office.issues()["T-01"].id, "写真.jpg", b"photo")
    office.server().person_comments(office.issues()["T-01"].id, "決めました")
    office.settle()
    before = evidence(office)
    assert len(before) == 2
    file = bundle(office)
    lose(office)
    rebound(office, bundle=file)
    office.settle()

    assert evidence(office) == before


def test_death_at_any_commit_or_file_of_it_and_a_rerun_come_to_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = bundle(worked(office))
    expected = (states(office), acts(office), evidence(office))
    shelf = locker(office).folder
    at = survived = 0
    while not survived:
        lose(office)
        shutil.rmtree(shelf, ignore_errors=True)
        with monkeypatch.context() as patch:
            points = deaths(office, patch, at)
            with suppress(Death), file_operations(shelf, points):
                rebound(office, bundle=file)
                survived = at
        at += 1 if EVERY_POINT else 7
        with suppress(UsageError):
            rebound(office, bundle=file)
        assert (states(office), acts(office), evidence(office)) == expected, points.names
        assert locker(office).verify(evidence(office)[0].sha256) == "ok", points.names
    assert quiet(office)
    assert survived > 10


# ── bundles that are not taken ────────────────────────────────────────────────────────────────────────


def test_a_bundle_that_was_changed_is_not_taken(office: Office) -> None:
    file = bundle(worked(office))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    lose(office)

    with pytest.raises(UsageError) as raised:
        rebound(office, bundle=file)

    assert raised.value.problems
    assert not (office.root / "ticssync.db").exists()


def test_a_bundle_signed_with_another_key_is_not_taken_but_by_its_fingerprint(office: Office) -> None:
    file = bundle(worked(office))
    fingerprint = load_key(keys(office)).fingerprint
    shutil.rmtree(keys(office))
    lose(office)
    with pytest.raises(UsageError):
        rebound(office, bundle=file)
    make_key(keys(office))
    with pytest.raises(UsageError):
        rebound(office, bundle=file)

    rebound(office, bundle=file, fingerprint=fingerprint)

    assert states(office)["T-01"] == "confirmed"


def test_another_workspaces_bundle_is_not_taken(office: Office) -> None:
    file = bundle(worked(office))
    lose(office)
    text = (office.root / "ticssync.yaml").read_text("utf-8")
    (office.root / "ticssync.yaml").write_text(text.replace("k7m2q9wx4d", "k7m2q9wx4e"), "utf-8")
    with pytest.raises(UsageError):
        rebound(office, bundle=file)


def test_the_answer_of_the_command_names_what_is_lost(office: Office) -> None:
    from ticssync.app.rebind_bundle import lost_since

    file = bundle(worked(office))
    lose(office)
    found = rebound(office, bundle=file)

    assert found.bundle is not None
    assert found.bundle.origin.until in lost_since(found.bundle.origin)
    assert json.dumps(found.bundle.origin.plain())
