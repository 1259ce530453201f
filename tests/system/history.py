"""A year in the life of a company, told in a minute: everything that the event log can hold."""

from __future__ import annotations

import dataclasses
import re
import zipfile
from pathlib import Path

import openpyxl

from tests.system.company import SHEET, Company
from ticssync.app import confirm, deadlines, hand_in, settle
from ticssync.app.confirm import Wanted
from ticssync.app.workspace import Workspace
from ticssync.model.assessment import ActKind
from ticssync.model.certificate import DutyState
from ticssync.shipped import shipped_mappings
from ticssync.store.scopes import scopes

MIRROR = "部門別一覧.xlsx"
KINDS = {
    "workspace.made", "scope.taken", "certificate.taken", "tracker.read", "task.planned", "task.bound", "task.changed", "task.state",
    "task.overwritten", "task.restore", "task.dropped", "evidence.added", "evidence.state", "act.recorded", "profile.confirmed",
    "duty.done", "refusal.opened", "conflict.opened", "conflict.resolved", "task.repaired", "evidence.reviewed",
}  # fmt: skip
"""What must be in the log afterwards, or the story tells less than it should."""


def with_mirror(company: Company) -> None:
    """Every task also goes into a second workbook, whose mapping has no word for `review`."""
    starter = (shipped_mappings() / "tics-2024" / "workbook.yaml").read_text("utf-8")
    (company.office / "部門.yaml").write_text(starter.replace("  確認依頼: review\n", ""), "utf-8")
    company.edit_config(
        "notify:",
        f"  board: {{kind: workbook, path: ../共有/{MIRROR}, mapping: 部門.yaml}}\n"
        'routes:\n  - {criteria: "*", tracker: ledger, mirrors: [board]}\nnotify:',
    )


def live_through(company: Company) -> Company:
    """From the first sync to a conflict that was settled.  Returns the company."""
    with_mirror(company)
    company.sync()
    company.person({item: {"status": "完了"} for item in ("T-01", "T-03", "T-10", "T-14", "T-20")})
    company.person(
        {"T-02": {"title": "勝手な題名", "status": "確認依頼"}, "T-40": {"status": "対象外の申請"}}
    )
    with company.open() as workspace:
        _evidence(workspace, company.config)
    company.sync()
    with company.open() as workspace:
        _decisions(workspace, company.config)
    company.sync()
    _hands_in_the_workbooks(company)
    company.sync()
    with company.open() as workspace:
        settle.restore(workspace, "T-30")
        settle.drop(workspace, "T-31")
    company.sync()
    _both_at_once(company)
    company.sync()
    with company.open() as workspace:
        first = settle.conflict_list(workspace)["items"][0]["id"]
        settle.resolve(workspace, first, "board")
    company.sync()
    return company


def _evidence(workspace: Workspace, file: Path) -> None:
    with workspace.store.read() as tx:
        rules = {item["id"]: item["evidence"] for item in scopes(tx)["tics"]["items"]}

    def add(items: list[str], path: Path | None = file, keep_mode: str | None = None) -> str:
        made = hand_in.add(
            workspace, path, items, kind=rules[items[0]]["kinds"][0], on=workspace.today, until=None, keep_mode=keep_mode, evidence_class="社内",
            note="㊙ 棚の3段目", handed_in_by="tanaka",
        )  # fmt: skip
        return str(made["items"][0]["id"])

    for item in ("T-01", "T-03", "T-10"):
        hand_in.review(workspace, add([item]), "sato")
    add(["T-14", "T-20"], None, "paper")
    hand_in.withdraw(workspace, add(["T-14"]), "別の版")


def _decisions(workspace: Workspace, proof: Path) -> None:
    confirm.profile_confirm(workspace, "sato", "経営会議で確認", None, proof)
    wanted = Wanted(ActKind.CONFIRM, "T-01", "sato")
    acts = [
        wanted,
        dataclasses.replace(wanted, criterion="T-10"),
        dataclasses.replace(wanted, kind=ActKind.RETURN, criterion="T-03", reason="押印がない"),
        dataclasses.replace(wanted, kind=ActKind.EXCLUDE, criterion="T-40", reason="外部に委託していない"),
        dataclasses.replace(wanted, kind=ActKind.WITHDRAW, criterion="T-10", reason="見直す"),
    ]
    for act in acts:
        confirm.act(workspace, act, proof)
    duty = next(one for one in deadlines.deadlines(workspace)["items"] if one["kind"] == "periodic_report")
    deadlines.done(workspace, duty["id"], workspace.today, proof, DutyState.SUBMITTED, "郵送")


def _hands_in_the_workbooks(company: Company) -> None:
    with company.spreadsheet() as sheet:
        row = company.row("T-15")
        sheet.cell(row, 6, "完了")
        sheet.cell(row, 11, '="済"')
        for column in range(1, 12):
            sheet.cell(sheet.max_row + (column == 1), column, sheet.cell(company.row("T-16"), column).value)
        sheet.delete_rows(company.row("T-30"))
    _computes_a_title(company.shared / MIRROR)


def _computes_a_title(file: Path) -> None:
    """In the mirror somebody computes the title of T-05: it can be read, and we cannot write it."""
    book = openpyxl.load_workbook(file)
    place = next(row[3].coordinate for row in book[SHEET].iter_rows(min_row=6) if row[0].value == "T-05")
    book[SHEET][place] = '="勝手な"&"題名"'
    book.save(file)
    book.close()
    with zipfile.ZipFile(file) as old:
        parts = {one: old.read(one) for one in old.infolist()}
    cell = re.compile(rf'(<c r="{place}"[^>]*?)(?: t="\w+")?>(<f>[^<]*</f>)<v ?/?>(?:</v>)?</c>'.encode())
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for one, content in parts.items():
            # A spreadsheet program keeps the result beside the formula; openpyxl cannot.
            new.writestr(one, cell.sub(r'\1 t="str">\2<v>勝手な題名</v></c>'.encode(), content))


def _both_at_once(company: Company) -> None:
    company.person({"T-21": {"status": "完了"}, "T-22": {"status": "対応中"}})
    file = company.shared / MIRROR
    book = openpyxl.load_workbook(file)
    sheet = book[SHEET]
    for row in sheet.iter_rows(min_row=6):
        if row[0].value in ("T-21", "T-22"):
            row[5].value = "対象外の申請"
    book.save(file)
    book.close()
