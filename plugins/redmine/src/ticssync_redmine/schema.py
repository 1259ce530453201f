"""What a project of a Redmine offers, as far as a member account can see it.

A member sees no possible values and no "required" of custom fields, and Redmine 5.0 names custom fields that are
"for all projects" in issues only.  An administrator's key sees them; ours should be none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ticssync.plugin import FieldSchema, RemoteSchema, Unavailable
from ticssync_redmine.client import PAGE, Client
from ticssync_redmine.convert import SUBJECT_MAX
from ticssync_redmine.workflow import Workflow

STANDARD: Final = (
    ("subject", "題名", "text"), ("description", "説明", "text"), ("status_id", "ステータス", "list"),
    ("priority_id", "優先度", "list"), ("assigned_to_id", "担当者", "user"), ("category_id", "カテゴリ", "list"),
    ("fixed_version_id", "対象バージョン", "list"), ("parent_issue_id", "親チケット", "text"), ("start_date", "開始日", "date"),
    ("due_date", "期日", "date"), ("done_ratio", "進捗率", "int"),
)  # fmt: skip
"""Redmine's own fields with the names of its Japanese pages."""

TYPES: Final = {
    "string": "text", "text": "text", "link": "text", "date": "date", "int": "int", "float": "text", "bool": "bool",
    "list": "list", "enumeration": "list", "user": "user", "version": "list", "attachment": "file",
}  # fmt: skip
MEMBERS_MAX: Final = 1000


def read(
    client: Client, project: str, workflow: Workflow, seen: Callable[[Mapping[str, Any]], None]
) -> RemoteSchema:
    """Ask for all of it (eight requests or so).  `seen` is told what Redmine says of the project."""
    found = _project(client, project)
    seen(found)
    statuses = client.get("/issue_statuses.json").data.get("issue_statuses", ())
    workflow.all_known(statuses)
    versions = client.get(f"/projects/{project}/versions.json").data.get("versions", ())
    priorities = client.get("/enumerations/issue_priorities.json").data.get("issue_priorities", ())
    choices = {
        "tracker_id": _names(found.get("trackers", ())),
        "priority_id": _names(one for one in priorities if one.get("active", True)),
        "category_id": _names(found.get("issue_categories", ())),
        "fixed_version_id": _names(one for one in versions if one.get("status", "open") == "open"),
    }
    people = members(client, project)
    options = {**choices, "status_id": _names(statuses), "assigned_to_id": people}
    standard = [
        FieldSchema(
            name,
            title,
            kind,
            name == "subject",
            SUBJECT_MAX if name == "subject" else None,
            options.get(name, {}),
        )
        for name, title, kind in STANDARD
    ]
    return RemoteSchema(
        fields=(*standard, *custom_fields(client, project, found)),
        statuses=_names(statuses),
        closed_statuses=frozenset(str(one["id"]) for one in statuses if one.get("is_closed")),
        people=people,
        moves=workflow.known(),
        choices=choices,
    )


def _project(client: Client, project: str) -> Mapping[str, Any]:
    answer = client.get(
        f"/projects/{project}.json",
        {"include": "trackers,issue_categories,enabled_modules,issue_custom_fields"},
    )
    found = answer.data.get("project")
    if not isinstance(found, dict):
        text = client.voice.text
        raise Unavailable(
            text("the project {project} cannot be seen ({status})", project=project, status=answer.status)
        )
    return found


def _names(items: Any) -> dict[str, str]:
    return {str(one["id"]): str(one["name"]) for one in items}


def members(client: Client, project: str) -> dict[str, str]:
    """Account id → name of the project's members (people, not groups)."""
    people: dict[str, str] = {}
    for offset in range(0, MEMBERS_MAX, PAGE):
        answer = client.get(f"/projects/{project}/memberships.json", {"limit": PAGE, "offset": offset})
        found = answer.data.get("memberships", ())
        people |= {str(one["user"]["id"]): str(one["user"]["name"]) for one in found if "user" in one}
        if offset + PAGE >= int(answer.data.get("total_count", 0)):
            break
    return people


def custom_fields(client: Client, project: str, found: Mapping[str, Any]) -> list[FieldSchema]:
    """Custom fields of issues: whole where an administrator's key may ask, else number and name."""
    answer = client.get("/custom_fields.json")
    if answer.ok:
        return [
            _whole(one)
            for one in answer.data.get("custom_fields", ())
            if one.get("customized_type") == "issue"
        ]
    names = {int(one["id"]): str(one["name"]) for one in found.get("issue_custom_fields", ())}
    names |= dict(_of_an_issue(client, project))
    return [FieldSchema(f"cf_{number}", name, "") for number, name in sorted(names.items())]


def _of_an_issue(client: Client, project: str) -> Iterator[tuple[int, str]]:
    """What Redmine 5.0 does not say of the project stands in its issues."""
    answer = client.get(f"/projects/{project}/issues.json", {"status_id": "*", "limit": 5, "sort": "id:desc"})
    for issue in answer.data.get("issues", ()):
        for one in issue.get("custom_fields", ()):
            yield int(one["id"]), str(one["name"])


def _whole(one: Mapping[str, Any]) -> FieldSchema:
    return FieldSchema(
        id=f"cf_{one['id']}",
        name=str(one["name"]),
        type=TYPES.get(str(one.get("field_format")), "text"),
        required=bool(one.get("is_required")),
        max_length=one.get("max_length") or None,
        options={
            str(value["value"]): str(value.get("label", value["value"]))
            for value in one.get("possible_values", ())
        },
    )
