"""Which files a bundle has, under which names, and who makes each of them.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ticssync.bundle import documents, report
from ticssync.bundle.contents import Contents, contents_of
from ticssync.bundle.snapshot import LeftOut, SnapshotInput, natural
from ticssync.model.criterion import Words

Make = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file under data/ or machine/: made by `make`, or the original bytes of the evidence named."""

    path: str
    what: str
    make: Make | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will go into the bundle and what stays out.  `files` are sorted by path."""

    contents: Contents
    files: tuple[PlannedFile, ...]

    @property
    def snapshot(self) -> SnapshotInput:
        """What the plan was made from."""
        return self.contents.snapshot

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What is not inside as bytes, and why."""
        return self.contents.left_out

    def without(self, unreadable: Mapping[str, Words]) -> Plan:
        """The same plan with a page and a reason in place of these originals (evidence id → why)."""
        failed = {**self.contents.unreadable, **unreadable}
        return plan_bundle(self.snapshot, failed, locales=self.contents.locales)


def plan_bundle(
    snapshot: SnapshotInput, unreadable: Mapping[str, Words] | None = None, *, locales: tuple[Path, ...] = ()
) -> Plan:
    """Decide names, files and what stays out.  `locales` are further message catalogues (see `Text`)."""
    contents = contents_of(snapshot, dict(unreadable or {}), locales)
    files = [*_pages(contents), *_criteria(contents), *_evidence(contents), *_tickets(contents)]
    files.append(PlannedFile("machine/events.jsonl", "log", partial(documents.events_jsonl, contents)))
    return Plan(contents, tuple(sorted(files, key=lambda file: file.path)))


def _pages(contents: Contents) -> list[PlannedFile]:
    return [
        PlannedFile("data/index/index.html", "index", partial(report.index_page, contents)),
        PlannedFile("data/index/index.xlsx", "index", partial(report.index_book, contents)),
        PlannedFile("data/index/style.css", "style", report.style_sheet),
        PlannedFile("data/appendix/status.html", "appendix", partial(report.appendix_page, contents)),
    ]


def _criteria(contents: Contents) -> list[PlannedFile]:
    return [
        PlannedFile(
            contents.criterion_path[one.ref], "criterion", partial(documents.criterion_json, contents, one)
        )
        for one in contents.standings
    ]


def _evidence(contents: Contents) -> list[PlannedFile]:
    files: dict[str, PlannedFile] = {}
    for item in sorted(contents.snapshot.evidence, key=lambda one: natural(one.id)):
        path = contents.path_of[item.id]
        if contents.why_out(item) is None:
            files.setdefault(path, PlannedFile(path, "evidence", evidence=item.id))
        else:
            files[path] = PlannedFile(path, "evidence_page", partial(report.evidence_page, contents, item))
    return list(files.values())


def _tickets(contents: Contents) -> list[PlannedFile]:
    return [
        PlannedFile(path, "ticket", partial(report.ticket_page, contents, ticket))
        for path, ticket in zip(contents.ticket_paths, contents.snapshot.tickets, strict=True)
    ]
