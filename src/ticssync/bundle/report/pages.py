"""The HTML pages: Jinja2 with autoescape, plain values in, bytes out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ticssync.bundle import bag
from ticssync.bundle.contents import Contents
from ticssync.bundle.documents import as_bytes, log_head
from ticssync.bundle.labels import purpose_label
from ticssync.bundle.naming import bundle_name
from ticssync.bundle.report.shown import template_words
from ticssync.bundle.report.view import (
    counts,
    evidence_rows,
    grouped_by_chapter,
    grouped_by_state,
    scopes_shown,
)
from ticssync.bundle.sign import KEY, RAW, SIGNERS, SSH, signer
from ticssync.bundle.snapshot import EvidenceItem, standings_by_ref
from ticssync.bundle.sshsig import NAMESPACE

if TYPE_CHECKING:
    from jinja2 import Environment

START: Final = "00_START.html"
TEMPLATES: Final = Path(__file__).parent / "templates"


@cache
def _environment(locales: tuple[Path, ...]) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(template_words(locales))
    return environment


def _render(contents: Contents, template: str, **values: object) -> bytes:
    snapshot = contents.snapshot
    shared = {
        "snapshot": snapshot,
        "lang": "en" if snapshot.lang == "en" else "ja",
        "purpose": purpose_label(snapshot.purpose),
        "head": log_head(snapshot.events),
        "contents": contents,
    }
    return as_bytes(_environment(contents.locales).get_template(template).render(**shared, **values))


def style_sheet() -> bytes:
    """The only external style: it hides the banner, and is missing where a page was opened out of the ZIP."""
    return b"/* Present only where the ZIP was really extracted. */\n.extract-first{display:none}\n"


def index_page(contents: Contents) -> bytes:
    """data/index/index.html: open items first, then every item by chapter, then the evidence."""
    return _render(
        contents,
        "index.html",
        counts=counts(contents),
        by_state=grouped_by_state(contents),
        by_chapter=grouped_by_chapter(contents),
        evidence=evidence_rows(contents, contents.snapshot.evidence),
        evidence_of=lambda standing: evidence_rows(contents, standing.evidence),
        tickets_of=lambda standing: _tickets_of(contents, standing.ref),
        scopes=scopes_shown(contents),
        certificates=sorted(contents.snapshot.certificates, key=lambda row: str(row.get("expires_on"))),
        duties=sorted(
            contents.snapshot.duties,
            key=lambda row: (str(row.get("state")) != "open", str(row.get("due_on"))),
        ),
    )


def _tickets_of(contents: Contents, ref: str) -> list[tuple[str, Mapping[str, Any]]]:
    pairs = zip(contents.ticket_paths, contents.snapshot.tickets, strict=True)
    return [(path, ticket) for path, ticket in pairs if ticket.get("criterion") == ref]


def appendix_page(contents: Contents) -> bytes:
    """data/appendix/status.html: refusals, conflicts and lost links of the sync tool."""
    return _render(contents, "appendix.html")


def evidence_page(contents: Contents, item: EvidenceItem) -> bytes:
    """The page that stands where the bytes of an evidence are not inside, and says why."""
    row = evidence_rows(contents, [item])[0]
    return _render(
        contents, "evidence.html", row=row, standing=standings_by_ref(contents.standings).get(item.criterion)
    )


def ticket_page(contents: Contents, ticket: Mapping[str, Any]) -> bytes:
    """A readable snapshot of one ticket; addresses in it are text, not links."""
    standing = standings_by_ref(contents.standings).get(str(ticket.get("criterion")))
    return _render(contents, "ticket.html", ticket=ticket, standing=standing)


def start_page(contents: Contents, snapshot: str, fingerprint: str) -> bytes:
    """00_START.html: what this is, how to open it, how to check it with what is on the machine."""
    taken = contents.snapshot
    return _render(
        contents,
        "start.html",
        digest=snapshot,
        fingerprint=fingerprint,
        folder=bundle_name(taken.company, taken.purpose, snapshot),
        signer=signer(taken.workspace),
        namespace=NAMESPACE,
        files={
            "manifest": bag.MANIFEST,
            "tagmanifest": bag.TAGMANIFEST,
            "raw": RAW,
            "ssh": SSH,
            "key": KEY,
            "signers": SIGNERS,
        },
        counts=counts(contents),
    )
