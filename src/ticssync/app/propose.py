"""`task adopt --query` and `--propose`: which tasks might be meant.  Nothing is bound, nothing is written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ticssync.app.adopt_desk import Desk, Pairing, asking, at_desk
from ticssync.app.created import harmless
from ticssync.app.workspace import Workspace
from ticssync.errors import Problem, UsageError, say
from ticssync.model.binding import Binding
from ticssync.model.key import TaskKey
from ticssync.model.task import RemoteRef, RemoteTask
from ticssync.plugin import NotSupported
from ticssync.store.bindings import bindings
from ticssync.sync.identity import HOLDING
from ticssync.sync.similar import THRESHOLD, propose
from ticssync.sync.state import Site

COLUMNS: Final = ("task", "tracker", "key", "id", "url", "title", "criterion_title", "similarity")


def query(workspace: Workspace, words: str, tracker: str = "") -> dict[str, Any]:
    """Tasks with these words, as each tracker searches; `bound_to` is the task key where one is bound already."""
    items = []
    with at_desk(workspace, (tracker,) if tracker else ()) as desk:
        known = _known(desk)
        for name in (tracker,) if tracker else desk.workspace.config.trackers:
            site = desk.site(name)
            try:
                with asking(site):
                    found = list(site.driver.search(words))
            except NotSupported:
                continue
            items += [_line(site, task, known) for task in found]
    return {"items": items}


def _known(desk: Desk) -> tuple[Binding, ...]:
    with desk.workspace.store.read() as tx:
        return bindings(tx)


def _line(site: Site, task: RemoteTask, known: Sequence[Binding]) -> dict[str, Any]:
    holder = next((one for one in known if one.ref == task.ref and one.state in HOLDING), None)
    return {
        "task": None, "tracker": site.name, "key": task.key or task.ref.id, "id": task.ref.id, "url": task.url,
        "title": task.fields.get("title"), "status": task.fields.get("status"), "marker": task.marker,
        "bound_to": str(holder.key) if holder else None,
    }  # fmt: skip


def proposals(workspace: Workspace, tracker: str = "", threshold: float = THRESHOLD) -> dict[str, Any]:
    """Pairs of a criterion without a task and a task without a criterion, the most similar titles first."""
    items: list[dict[str, Any]] = []
    with at_desk(workspace, (tracker,) if tracker else ()) as desk:
        known = _known(desk)
        for name in (tracker,) if tracker else desk.workspace.config.trackers:
            titles = _open_criteria(desk, name, known)
            if titles:
                items += _pairs(desk, desk.site(name), titles, known, threshold)
    items.sort(key=lambda one: -one["similarity"])
    return {"items": items, "threshold": threshold}


def _open_criteria(desk: Desk, tracker: str, known: Sequence[Binding]) -> dict[TaskKey, list[str]]:
    """Criteria that a route leads there and whose place is free, with their titles: ours first, then as the
    mapping writes it."""
    taken = {(one.key, one.ref.tracker) for one in known if one.state in HOLDING}
    titles = {
        f"{scheme}/{item['id']}": item["title"]
        for scheme, scope in desk.scopes.items()
        for item in scope["items"]
    }
    return {
        key: [*dict.fromkeys([*titles[key.criterion].values(), str(want.owned[tracker].get("title") or "")])]
        for key, want in desk.wants.items()
        if tracker in want.trackers and (key, tracker) not in taken
    }


def _pairs(
    desk: Desk, site: Site, titles: Mapping[TaskKey, list[str]], known: Sequence[Binding], threshold: float
) -> list[dict[str, Any]]:
    bound = {one.ref for one in known if one.state in HOLDING}
    tasks: dict[RemoteRef, RemoteTask] = {}
    with asking(site):
        for page in site.driver.list_changed(None):
            tasks |= {task.ref: task for task in page.items if not task.marker and task.ref not in bound}
    words = {ref: str(task.fields.get("title") or "") for ref, task in tasks.items()}
    own = {
        f"{scheme}/{item['id']}": item["title"].get(site.language) or next(iter(item["title"].values()))
        for scheme, scope in desk.scopes.items()
        for item in scope["items"]
    }
    return [
        {
            "task": str(pair.criterion), "tracker": site.name, "key": tasks[pair.task].key or pair.task.id,
            "id": pair.task.id, "url": tasks[pair.task].url, "title": words[pair.task],
            "criterion_title": own[pair.criterion.criterion], "similarity": round(pair.similarity, 3),
        }
        for pair in propose(titles, words, threshold)
    ]  # fmt: skip


# -- the list as a file, out and in


def as_csv(items: Sequence[Mapping[str, Any]]) -> bytes:
    """The proposals for a spreadsheet: UTF-8 with byte order mark, so that Excel reads the Japanese."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([harmless(one.get(name)) for name in COLUMNS] for one in items)
    return stream.getvalue().encode("utf-8-sig")


def read_list(raw: bytes, name: str) -> list[Pairing]:
    """The pairs of a list: the JSON of `--propose`, or CSV with at least the columns task and key (or id).

    Raises UsageError with all problems and their lines.
    """
    text = _text(raw, name)
    rows = _from_json(text, name) if text.lstrip()[:1] in ("{", "[") else _from_csv(text, name)
    found, problems = list[Pairing](), list[Problem]()
    for line, row in rows:
        task, ident, shown = (row.get(one, "").strip().removeprefix("'") for one in ("task", "id", "key"))
        if not any(row.values()):
            continue
        place = f"{name}:{line}"
        if not task or not (ident or shown):
            missing = "task" if not task else "key"
            problems.append(Problem(say("{name} is missing", name=missing), file=name, line=line))
            continue
        found.append(Pairing(task, ident or shown, row.get("tracker", "").strip(), bool(ident), place))
    if problems:
        raise UsageError(say("the list is wrong"), problems=problems)
    if not found:
        raise UsageError(say("the list is empty"), fix=say("ticssync task adopt --propose --json makes one"))
    return found


def _text(raw: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UsageError(say("{file} is not UTF-8", file=name))


def _from_json(text: str, name: str) -> list[tuple[int, dict[str, str]]]:
    try:
        found = json.loads(text)
    except ValueError as error:
        problem = Problem(str(error), file=name, line=getattr(error, "lineno", None))
        raise UsageError(say("{file} is not readable as JSON", file=name), problems=[problem]) from error
    items = found.get("items") if isinstance(found, dict) else found
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise UsageError(
            say("{file} holds no list of pairs", file=name),
            fix=say("ticssync task adopt --propose --json makes one"),
        )
    return [
        (number, {key: "" if value is None else str(value) for key, value in one.items()})
        for number, one in enumerate(items, 1)
    ]


def _from_csv(text: str, name: str) -> list[tuple[int, dict[str, str]]]:
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in first else ",")
    rows = [(reader.line_num, row) for row in reader]
    heads = [cell.strip() for cell in rows[0][1]] if rows else []
    if "task" not in heads or not {"key", "id"} & set(heads):
        problem = Problem(say("the first line wants the heads task and key"), file=name, line=1)
        raise UsageError(say("the list is wrong"), problems=[problem])
    return [(line, dict(zip(heads, row, strict=False))) for line, row in rows[1:]]
