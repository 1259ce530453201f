"""確認票.xlsx: what waits for one person on one page, and that person's answers taken back from it.

    rows = sheet_rows(standings, evidence, people)
    raw = write_sheet(rows, company=…, confirmer=…, …)         # a person chooses 確認, 差戻し or 対象外
    answers, problems = read_sheet(raw)

An answer counts only while `facts_digest` of the row as it is now equals the answer's `digest`: what has
changed since must be looked at again.
"""

from ticssync.assess.sheet_look import write_sheet
from ticssync.assess.sheet_read import read_sheet
from ticssync.assess.sheet_rows import Proof, SheetAnswer, SheetAnswers, SheetRow, facts_digest, sheet_rows

__all__ = [
    "Proof",
    "SheetAnswer",
    "SheetAnswers",
    "SheetRow",
    "facts_digest",
    "read_sheet",
    "sheet_rows",
    "write_sheet",
]
