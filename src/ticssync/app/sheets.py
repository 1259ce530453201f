"""確認票: out per confirmer, back in with its proof."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ticssync.app.confirm import Wanted, checked, record
from ticssync.app.files import write_file
from ticssync.app.ledger import read_ledger
from ticssync.app.standing import Standing, standings
from ticssync.app.sync_once import load_mappings
from ticssync.app.workspace import Workspace
from ticssync.assess.rules import nobody_for, waiting_for
from ticssync.assess.sheet import SheetAnswer, SheetAnswers, facts_digest, read_sheet, sheet_rows, write_sheet
from ticssync.errors import Problem, UsageError, say
from ticssync.model.assessment import Act
from ticssync.store import Transaction
from ticssync.store.acts import taken_sources
from ticssync.store.locker import Locker


def export_sheets(workspace: Workspace, folder: Path, person: str | None = None) -> dict[str, Any]:
    """One sheet per confirmer with only what waits for that person, into `folder`."""
    config = workspace.config
    with workspace.store.read() as tx:
        ledger = read_ledger(tx)
    waiting = waiting_for(standings(ledger), config.organisation, workspace.today)
    if person is not None and person not in config.organisation.people:
        raise UsageError(say("people: names nobody called {name}", name=person))
    found = []
    for ident, rows in waiting.items():
        if person is not None and ident != person:
            continue
        confirmer = config.organisation.people[ident]
        sheet_id = secrets.token_hex(6)
        raw = write_sheet(
            sheet_rows(rows, ledger.evidence, config.organisation.people),
            company=config.company,
            confirmer=confirmer,
            workspace=config.workspace,
            sheet_id=sheet_id,
            exported_at=workspace.now,
            zone=workspace.zone,
            text=workspace.text,
        )
        file = folder / workspace.text(
            "confirmation-sheet_{name}_{day}.xlsx",
            name=_safe(confirmer.name),
            day=workspace.today.isoformat(),
        )
        write_file(file, raw)
        with workspace.store.write() as tx:
            sent = {
                "person": ident,
                "sha256": hashlib.sha256(raw).hexdigest(),
                "criteria": [one.ref for one in rows],
            }
            tx.append("sheet.exported", sheet_id, workspace.by("sheet"), sent)
        found.append(
            {
                "path": str(file),
                "person": ident,
                "name": confirmer.name,
                "criteria": [one.item["id"] for one in rows],
                "sheet": sheet_id,
            }
        )
    left = [one.ref for one in nobody_for(standings(ledger), config.organisation, workspace.today)]
    return {"items": found, "nobody": left}


def _safe(name: str) -> str:
    return "".join(char for char in name if char not in '\\/:*?"<>| \u3000')


def import_sheet(workspace: Workspace, file: Path) -> dict[str, Any]:
    """Take the answers in.  The file itself is the proof and is kept; answers taken before are not taken twice.

    Raises UsageError where the sheet cannot be read, with the cells.
    """
    raw = _read(file)
    answers, problems = read_sheet(raw)
    if answers is None:
        raise UsageError(
            say("{file} cannot be taken in", file=str(file)),
            problems=[replace(one, file=one.file or file.name) for one in problems],
        )
    if answers.workspace != workspace.config.workspace:
        raise UsageError(say("{file} belongs to another workspace", file=str(file)))
    return _taken(workspace, file, raw, answers, problems)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise UsageError(say("{file} does not exist", file=str(file))) from None


def _taken(
    workspace: Workspace, file: Path, raw: bytes, answers: SheetAnswers, problems: Sequence[Problem]
) -> dict[str, Any]:
    mappings = load_mappings(workspace)
    with workspace.store.read() as tx:
        _must_be_ours(tx, file, answers)
    proof = Locker(workspace.config.path(workspace.config.values.locker)).put(io.BytesIO(raw)).sha256
    found = _Taken(left=[_left("", one.place, workspace.text.problem(one)) for one in problems])
    with workspace.store.write() as tx:
        ledger = read_ledger(tx)
        by_ref = {one.ref: one for one in standings(ledger)}
        done = set(taken_sources(tx))
        for answer in answers.answers:
            if answer.verdict is None:
                continue
            why = _against(workspace, answers, answer, by_ref.get(answer.criterion), done, ledger.evidence)
            if why:
                found.left.append(_left(answer.criterion, answer.cell, workspace.text.said(why)))
                continue
            wanted = Wanted(
                answer.verdict, answer.criterion, answers.person, answer.on or workspace.today, None,
                answer.reason, proof, "sheet",
            )  # fmt: skip
            standing = by_ref[answer.criterion]
            act, wrong = checked(workspace, wanted, ledger, standing)
            if act is None:
                found.left += [
                    _left(answer.criterion, answer.cell, workspace.text.problem(one)) for one in wrong
                ]
                continue
            seq = record(workspace, tx, act, standing, mappings, _source(answers, answer)).seq
            found.recorded.append(_recorded(answer, act, seq))
    return {"person": answers.person, "proof": proof, "recorded": found.recorded, "left": found.left}


@dataclass
class _Taken:
    """What came of a sheet: acts that were recorded, and answers that were not, with the reason."""

    left: list[dict[str, Any]]
    recorded: list[dict[str, Any]] = field(default_factory=list)


def _left(criterion: str, cell: str, why: str) -> dict[str, Any]:
    return {"criterion": criterion, "cell": cell, "why": why}


def _recorded(answer: SheetAnswer, act: Act, seq: int) -> dict[str, Any]:
    return {
        "criterion": answer.criterion,
        "act": act.kind.value,
        "event": seq,
        "on": act.on.isoformat(),
        "self_confirmed": act.self_confirmed,
    }


def _must_be_ours(tx: Transaction, file: Path, answers: SheetAnswers) -> None:
    """Only a sheet that this workspace made for this person carries that person's answers."""
    exported = tx.events(kind="sheet.exported", subject=answers.sheet_id)
    if not any(event.data.get("person") == answers.person for event in exported):
        raise UsageError(
            say("{file} was not made by this workspace for this person", file=str(file)),
            fix=say("ticssync sheet export makes a new one"),
        )


def _source(answers: SheetAnswers, answer: SheetAnswer) -> str:
    """The one line that an act was read from: the same answer is never taken twice."""
    return f"sheet:{answers.sheet_id}:{answer.criterion}"


def _against(
    workspace: Workspace,
    answers: SheetAnswers,
    answer: SheetAnswer,
    standing: Standing | None,
    done: set[Any],
    evidence: Any,
) -> str:
    if standing is None:
        return say("the catalogue has no item {item}", item=answer.criterion)
    if _source(answers, answer) in done:
        return say("this answer was taken in before")
    (row,) = sheet_rows([standing], evidence, workspace.config.organisation.people)
    if facts_digest(row) != answer.digest:
        return say("what was shown has changed since: please look again (a new sheet shows it)")
    return ""
