"""The parts for people: pages that any browser opens from a folder, and one workbook.

Every function is pure: equal contents, equal bytes.  Pages carry no script and load nothing.
"""

from ticssync.bundle.report.book import index_book
from ticssync.bundle.report.pages import (
    START,
    appendix_page,
    evidence_page,
    index_page,
    start_page,
    style_sheet,
    ticket_page,
)

__all__ = [
    "START",
    "appendix_page",
    "evidence_page",
    "index_book",
    "index_page",
    "start_page",
    "style_sheet",
    "ticket_page",
]
