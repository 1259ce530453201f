"""A driver without a server, payloads that real servers answered, and what Redmine makes of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import ticssync_redmine
from ticssync.model.key import Marker, TaskKey
from ticssync.plugin import Table
from ticssync.testing.clock import Clock
from ticssync.testing.opening import WORKSPACE, FakeMemory, opening
from ticssync.text import Text
from ticssync_redmine.convert import REFERENCES, Converter
from ticssync_redmine.settings import RedmineSettings
from ticssync_redmine.tracker import RedmineTracker

URL: Final = "https://redmine.example.test"
KEY: Final = "0123456789abcdef0123456789abcdef01234567"
PAYLOADS: Final = Path(__file__).with_name("payloads")
LOCALE: Final = Path(ticssync_redmine.__file__).with_name("locale")
ENGLISH: Final = Text("en")
JAPANESE: Final = Text("ja", (LOCALE,))

TABLE: Final = Table(
    fields={
        "title": "subject", "body": "description", "status": "status_id", "assignee": "assigned_to_id",
        "start": "start_date", "due": "due_date", "priority": "priority_id", "progress": "done_ratio", "number": "cf_1",
        "result": "cf_2", "evidence": "cf_3", "confirmed": "cf_4", "score": "cf_5", "onsite": "cf_6", "remark": "cf_7",
    },
    statuses={"1": "todo", "2": "doing", "4": "doing", "3": "review", "5": "done", "6": "wont_do"},
    people={"yamada": "5", "sato": "6"},
    marker_place="cf_9",
    values={"priority": {"1": "low", "2": "normal", "3": "high", "4": "urgent", "5": "urgent"},
            "result": {"適合": "ok", "不適合": "not_ok"}},
    given={"tracker_id": "2"},
)  # fmt: skip
"""A mapping that fits the recorded servers; they have no field for the marker, so cf_9 is thought of."""


def payload(name: str) -> dict[str, Any]:
    """What a real server answered, by version and name."""
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def issue(name: str = "5.0.4-shown", **changes: Any) -> dict[str, Any]:
    """One recorded issue, with changes."""
    found: dict[str, Any] = deepcopy(payload(name)["issue"])
    return {**found, **changes}


def marker(item: str = "T-14", workspace: str = WORKSPACE) -> str:
    return str(Marker(workspace, TaskKey("tics", item), 1))


def converter(text: Text = ENGLISH, *, table: Table = TABLE, project: str = "") -> Converter:
    return Converter("factory", table, URL, text, project)


def tracker(
    *, text: Text = ENGLISH, table: Table = TABLE, memory: FakeMemory | None = None, key: str = KEY, clock: Clock | None = None,
    url: str = URL, project: str = "tics", log: Any = None,
) -> RedmineTracker:  # fmt: skip
    """A driver as the host opens it."""
    from dataclasses import replace

    settings = RedmineSettings(url=url, project=project, api_key=key)  # type: ignore[arg-type]
    given = opening("factory", settings=settings, table=table, memory=memory, clock=clock, log=log)
    return RedmineTracker(replace(given, text=text))


def stored(found: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """An issue after Redmine took a request, as real ones were seen to do it: what is named by an id comes back as an
    object or not at all, an empty text as null, a custom field as text or a list of texts."""
    after: dict[str, Any] = deepcopy(dict(found))
    for name, value in body.items():
        if name == "custom_fields":
            continue
        if name in REFERENCES:
            if name == "status_id" and value == "":
                continue
            after.pop(REFERENCES[name], None)
            if value != "":
                after[REFERENCES[name]] = {"id": int(value), "name": f"{name} {value}"}
        else:
            after[name] = None if value == "" else value
    custom = {one["id"]: one for one in after["custom_fields"]}
    for one in body.get("custom_fields", ()):
        value = one["value"]
        kept = [str(each) for each in value] if isinstance(value, list) else (str(value) or None)
        custom[one["id"]] = {
            **custom.get(one["id"], {"id": one["id"], "name": f"field {one['id']}"}),
            "value": kept,
        }
    return {**after, "custom_fields": list(custom.values())}
