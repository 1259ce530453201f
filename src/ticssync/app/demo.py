"""`demo`: the whole job in a new folder, on the embedded defaults, without network."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ticssync.app import bundle, confirm, deadlines, hand_in, remind, sheets
from ticssync.app.demo_pen import write_by_number
from ticssync.app.files import write_file
from ticssync.app.init import Answers, Made, init
from ticssync.app.status import status
from ticssync.app.sync_once import SyncOrder, sync
from ticssync.app.workspace import CONFIG_NAME, Surroundings, Workspace, open_workspace
from ticssync.bundle.verify import verify
from ticssync.deadlines.calendar import add_years
from ticssync.errors import UsageError, say
from ticssync.evidence.folders import criterion_folder
from ticssync.model.assessment import ActKind
from ticssync.model.task import Status

SIGN: Final = ".ticssync-demo"
"""Marks a folder that a demo made: only such a folder is made anew."""

DONE: Final = ("T-01", "T-03", "T-05", "T-14", "T-20", "T-21")
STARTED: Final = ("T-02", "T-10", "T-24")
PROOF: Final = {
    "T-01": ("守る技術情報の一覧.txt", "登録番号,名称,区分\n1,金型図面 A-100,極秘\n2,熱処理条件表,秘\n"),
    "T-03": ("機密区分表.txt", "極秘: 社外秘の図面\n秘: 工程条件\n"),
    "T-05": ("管理責任者 選任書.txt", "管理責任者に佐藤花子を選任する。\n"),
    "T-20": ("金庫の鍵 管理台帳.txt", "鍵番号,保管者\nK-1,田中\n"),
}


@dataclass
class Demo:
    """How far the demo came.  `steps` are lines for the reader, `paths` what to open."""

    root: Path
    steps: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """The JSON of `demo`."""
        return {"paths": self.paths, "steps": self.steps, **self.facts}


def demo(around: Surroundings, folder: Path, tell: Callable[[str], None]) -> Demo:
    """Run it.  Raises UsageError where the folder is there and no demo made it."""
    root = (around.folder / folder).resolve()
    _fresh(root)
    started = time.monotonic()
    run = Demo(root)

    def step(words: str) -> None:
        run.steps.append(words)
        tell(words)

    office = root / "管理"
    # The demo acts as the company's admin: a known account, so that what is shown does not hang on who runs it.
    around = replace(around, folder=office, config=None, environ={}, account="admin", host="demo-pc")
    _set_up(replace(around, folder=root), office, step, run)
    with open_workspace(around) as workspace:
        _first_sync(workspace, step, run)
    with open_workspace(around) as workspace:
        _people_work(workspace, step)
        _sync_back(workspace, step)
        _confirm(workspace, step, run)
        _after(workspace, step, run)
        run.facts["status"] = status(workspace)["piles"]
    run.facts["duration_s"] = round(time.monotonic() - started, 1)
    return run


def _fresh(root: Path) -> None:
    if root.exists() and any(root.iterdir()):
        if not (root / SIGN).exists():
            raise UsageError(
                say("{folder} is there and holds something else", folder=str(root)),
                fix=say("choose a new folder: ticssync demo DIR"),
            )
        _remove(root)
    root.mkdir(parents=True, exist_ok=True)
    (root / SIGN).write_text("", "utf-8")


def _remove(root: Path) -> None:
    # The locker's files are read-only, and Windows does not delete such files.
    for folder, _, names in os.walk(root):
        for name in names:
            Path(folder, name).chmod(0o600)
    shutil.rmtree(root)


def _set_up(around: Surroundings, office: Path, step: Callable[[str], None], run: Demo) -> Made:
    text, today = around.text, around.clock().astimezone(ZoneInfo("Asia/Tokyo")).date()
    # The periodic report falls due in ninety days: the mail that the demo shows is one that is really due today.
    issued = add_years(today + timedelta(days=90), -1)
    sets = {
        "people.sato.name": "佐藤 花子",
        "people.sato.mail": "sato@example.jp",
        "people.tanaka.name": "田中 一郎",
        "people.tanaka.mail": "tanaka@example.jp",
        "people.suzuki.name": "鈴木 次郎",
        "people.suzuki.mail": "suzuki@example.jp",
        "people.takasaki.name": "髙﨑 誠",
        "people.takasaki.mail": "takasaki@example.jp",
        "roles.manager": "[sato]",
        "roles.executive": "[takasaki]",
        "roles.owner": "[tanaka]",
        "roles.admin": "[suzuki]",
        "certificates.main.body": "JQA",
        "certificates.main.number": "TICS-0001",
        "certificates.main.scope": "本社工場",
        "certificates.main.issued_on": issued.isoformat(),
        "certificates.main.expires_on": (add_years(issued, 3) - timedelta(days=1)).isoformat(),
    }
    answers = Answers(
        office, company="株式会社小出精密", name="ledger", shared=Path("../共有"), sets=tuple(sets.items())
    )
    made = init(around, answers)
    run.facts["key_fingerprint"] = made.fingerprint
    run.paths["configuration"] = str(office / CONFIG_NAME)
    step(text("1. A workspace for 株式会社小出精密: management folder and shared folder"))
    return made


def _first_sync(workspace: Workspace, step: Callable[[str], None], run: Demo) -> None:
    text = workspace.text
    planned = sync(workspace, SyncOrder(dry=True))
    done = sync(workspace, SyncOrder())
    again = sync(workspace, SyncOrder())
    created = done.reports["ledger"].count("create")
    run.facts["created"] = created
    run.facts["planned"] = planned.reports["ledger"].count("create")
    run.facts["second_sync_writes"] = len(
        [one for one in again.reports["ledger"].actions if one.direction == "out"]
    )
    run.paths["workbook"] = done.artifacts["ledger"][0]
    step(
        text(
            "2. plan says {planned}, sync made {created} tasks in the workbook; a second sync writes {again}",
            planned=run.facts["planned"],
            created=created,
            again=run.facts["second_sync_writes"],
        )
    )
    confirm.profile_confirm(
        workspace,
        "sato",
        text("reviewed at the management meeting"),
        None,
        _paper(workspace, "プロファイル確認書.txt"),
    )


def _paper(workspace: Workspace, name: str) -> Path:
    """A stamped paper, scanned: the proof that somebody else enters an act with."""
    file = workspace.config.shared / "報告" / name
    write_file(file, f"{workspace.config.company}\n{name}\n".encode())
    return file


def _people_work(workspace: Workspace, step: Callable[[str], None]) -> None:
    """Members work in the workbook and put files into the drop folders."""
    head, words = _heads(workspace)
    edits = {item: {head["status"]: words[Status.DONE]} for item in DONE} | {
        item: {head["status"]: words[Status.DOING]} for item in STARTED
    }
    edits["T-20"][head["evidence"]] = "金庫室の鍵台帳 ㊙"
    file = Path(str(workspace.config.trackers["ledger"].settings["path"]))
    write_by_number(workspace.config.path(file), _sheet(workspace), head["number"], edits)
    drop = hand_in.drop_folder(workspace)
    earlier = workspace.now.timestamp() - 3600
    for item, (name, content) in PROOF.items():
        folder = criterion_folder(drop, item)
        assert folder is not None
        target = folder / name
        target.write_text(content, "utf-8")
        os.utime(target, (earlier, earlier))
    taken = hand_in.take_in(workspace)
    for one in taken["taken"]:
        if "T-01" in one["criteria"]:
            hand_in.review(workspace, one["ids"][0], "suzuki")
    hand_in.add(
        workspace,
        None,
        ["T-14"],
        kind="record",
        on=workspace.today,
        until=None,
        keep_mode="on_site",
        evidence_class=None,
        note="受講記録 総務課キャビネット",
        handed_in_by="tanaka",
    )
    step(
        workspace.text(
            "3. Members reported {done} items in the workbook and handed in {files} files",
            done=len(DONE),
            files=len(taken["taken"]),
        )
    )


def _heads(workspace: Workspace) -> tuple[dict[str, str], dict[Status, str]]:
    from ticssync.app.sync_once import load_mappings

    mapping = load_mappings(workspace)["ledger"]
    return {name: rule.to for name, rule in mapping.fields.items()}, {
        status: remote for remote, status in reversed(mapping.statuses.items())
    }


def _sheet(workspace: Workspace) -> str:
    from ticssync.tables import read_grids

    file = workspace.config.path(str(workspace.config.trackers["ledger"].settings["path"]))
    head = _heads(workspace)[0]["status"]
    return next(
        name
        for name, grid in read_grids(file).items()
        if any(True for _ in grid.find(head)) and any(True for _ in grid.find("T-01"))
    )


def _sync_back(workspace: Workspace, step: Callable[[str], None]) -> None:
    report = sync(workspace, SyncOrder()).reports["ledger"]
    step(
        workspace.text(
            "4. sync took in {pulled} changes and wrote {updated} answers back",
            pulled=report.count("update", "in"),
            updated=report.count("update"),
        )
    )


def _confirm(workspace: Workspace, step: Callable[[str], None], run: Demo) -> None:
    """The manager answers on the 確認票, in Excel, and sends it back."""
    text, folder = workspace.text, workspace.config.shared / "確認票"
    exported = sheets.export_sheets(workspace, folder, "sato")
    sheet = Path(exported["items"][0]["path"])
    run.paths["confirmation_sheet"] = str(sheet)
    waiting = exported["items"][0]["criteria"]
    answered = sheet.with_name(text("answered_") + sheet.name)
    shutil.copy2(sheet, answered)
    answers_on(
        answered,
        dict.fromkeys(waiting[:-1], ("confirm", ""))
        | {waiting[-1]: ("return", "鍵の本数の記録が古いので、今月の点検結果を足してください")},
        workspace,
    )
    taken = sheets.import_sheet(workspace, answered)
    run.paths["confirmation_sheet_answered"] = str(answered)
    run.facts["recorded"] = taken["recorded"]
    run.facts["left"] = taken["left"]
    sync(workspace, SyncOrder())
    step(
        text(
            "5. The manager answered {n} items on the confirmation sheet; a returned one is back with the member",
            n=len(taken["recorded"]),
        )
    )


def answers_on(file: Path, answers: dict[str, tuple[str, str]], workspace: Workspace) -> None:
    """Write verdicts onto a 確認票 as the manager would: words of the drop-down, and the reason."""
    from ticssync.assess.sheet_rows import HEADS, VERDICTS
    from ticssync.tables import read_grids

    words = {name: head.in_language(workspace.around.lang) for name, head in HEADS.items()}
    name = next(
        sheet for sheet, grid in read_grids(file).items() if any(True for _ in grid.find(words["verdict"]))
    )
    edits = {}
    for item, (verdict, reason) in answers.items():
        verdict_word = VERDICTS[ActKind(verdict)].in_language(workspace.around.lang)
        edits[item] = {words["verdict"]: verdict_word, words["on"]: workspace.today.isoformat()}
        if reason:
            edits[item][words["reason"]] = reason
    write_by_number(file, name, words["number"], edits)


def _after(workspace: Workspace, step: Callable[[str], None], run: Demo) -> None:
    text = workspace.text
    office = workspace.config.root
    found = deadlines.current_duties(workspace)
    sent = _remind_on_a_due_day(workspace, found)
    mails = sorted((office / "outbox").glob("*.eml"))
    run.paths["mail"] = str(mails[0]) if mails else ""
    run.paths["calendar"] = str(deadlines.write_ics(workspace, workspace.config.shared / "TICS期日.ics"))
    step(text("6. {n} reminder mails in a folder, and the deadlines as a calendar file", n=sent))
    done = bundle.bundle_export(
        workspace, workspace.config.shared / "バンドル", "first", None, text("company confidential")
    )
    verdict = verify(done.path, expected_fingerprint=done.key_fingerprint)
    run.paths["bundle"] = str(done.path)
    run.facts["verify"] = {name: value for name, value in verdict.plain().items() if name != "problems"}
    run.facts["verify_problems"] = [f"{one.path}: {text.said(one.problem)}" for one in verdict.problems]
    words = text("yes") if verdict.flawless else text("NO")
    step(
        text(
            "7. The bundle for the auditor: {files} files, verified: {verdict}",
            files=done.files,
            verdict=words,
        )
    )


def _remind_on_a_due_day(workspace: Workspace, found: Any) -> int:
    """Reminders of today, and where none is due today, those of the next day that has one (into the folder)."""
    result = remind.remind(workspace)
    if not result.plain["sent"]:
        days = sorted(day for one in found for day in one.remind_on if day > workspace.today)
        if days:
            result = remind.remind(workspace, days[0])
    return len({one["message_id"] for one in result.plain["sent"]})
