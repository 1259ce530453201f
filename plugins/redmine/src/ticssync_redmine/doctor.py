"""What `doctor` finds out about a Redmine before the first write.  Nothing is changed there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ticssync.plugin import AuthLost, Finding, Level, Unavailable, Unsafe
from ticssync.plugin.http import in_the_open
from ticssync_redmine import doctor_fields
from ticssync_redmine.asking import RestOff
from ticssync_redmine.writing import CLOSED_PROJECT, Writing

SKEW_S: Final = 60
NEEDED: Final = ("view_issues", "add_issues", "edit_issues", "add_issue_notes")
"""Rights of a role, by Redmine's own names."""


def examine(tracker: Writing) -> Sequence[Finding]:
    """All findings; what cannot be asked because of an earlier fault is left out."""
    found = [*_in_the_open(tracker), *_login(tracker)]
    if any(one.level is Level.FAIL for one in found):
        return found
    for check in CHECKS:
        try:
            found += check(tracker)
        except Unsafe as stop:
            return [*found, Finding("project", Level.FAIL, str(stop), stop.fix)]
        except Unavailable as error:
            return [*found, Finding("answers", Level.FAIL, str(error))]
        if found[-1].id == "project" and found[-1].level is Level.FAIL:
            return found
    return found


def _in_the_open(tracker: Writing) -> Iterator[Finding]:
    text = tracker.opening.text
    if in_the_open(tracker.settings.url):
        yield Finding(
            "http",
            Level.WARN,
            text("the key is sent without encryption ({url})", url=tracker.settings.url),
            text("have Redmine answer https://, or let it be reached from this machine only"),
        )


def _login(tracker: Writing) -> Iterator[Finding]:
    text = tracker.opening.text
    try:
        me = tracker.me()
    except AuthLost as error:
        yield Finding("login", Level.FAIL, str(error), _way_in(tracker, error))
        return
    name = f"{me.get('lastname', '')} {me.get('firstname', '')}".strip() or str(me.get("login", ""))
    yield Finding("login", Level.OK, text("known to Redmine as {name}", name=name))
    if me.get("admin"):
        yield Finding(
            "login.admin",
            Level.WARN,
            text("the key belongs to an administrator of Redmine ({name})", name=name),
            text("make an account of its own for ticssync, an ordinary member of the project"),
        )
    person = next(
        (who for who, account in tracker.opening.table.people.items() if account == str(me["id"])), None
    )
    if person is not None:
        yield Finding(
            "login.person",
            Level.WARN,
            text(
                "the key belongs to a person ({name}): what ticssync writes would look like theirs", name=name
            ),
            text("make an account of its own for ticssync, an ordinary member of the project"),
        )


def _way_in(tracker: Writing, error: AuthLost) -> str:
    text = tracker.opening.text
    if isinstance(error, RestOff):
        return text(
            "in Redmine: Administration → Settings → API → tick Enable REST web service; the key may be right"
        )
    return text(
        "check the key (My account → API access key → Show), and that the account is not locked (Administration → "
        "Users)"
    )


def _project(tracker: Writing) -> Iterator[Finding]:
    text, ident = tracker.opening.text, tracker.settings.project
    answer = tracker.scoped(tracker.client.get(f"/projects/{ident}.json", {"include": "trackers"}))
    project = answer.data["project"]
    tracker.project_seen(project)
    if project.get("status") == CLOSED_PROJECT:
        yield Finding(
            "project",
            Level.FAIL,
            text("the project {project} is closed: it can be read, not written", project=project["name"]),
            text("in Redmine: reopen the project"),
        )
        return
    yield Finding("project", Level.OK, text("project {project}", project=project["name"]))
    if project.get("is_public"):
        yield Finding(
            "project.public",
            Level.WARN,
            text(
                "the project {project} is public: everybody who reaches Redmine can read it",
                project=project["name"],
            ),
            text("in Redmine: project → Settings → untick Public"),
        )
    kind = tracker.opening.table.given.get("tracker_id")
    kinds = {str(one["id"]): str(one["name"]) for one in project.get("trackers", ())}
    if kind is not None and kind not in kinds:
        yield Finding(
            "project.tracker",
            Level.FAIL,
            text("the project has no tracker with the id {id}", id=kind),
            text("correct tracker_id under given: in the mapping; there are: {known}", known=_listed(kinds)),
        )


def _listed(names: Mapping[str, str]) -> str:
    return ", ".join(f"{ident} ({name})" for ident, name in names.items()) or "-"


def _rights(tracker: Writing) -> Iterator[Finding]:
    text, me = tracker.opening.text, tracker.me()
    if me.get("admin"):
        return
    roles = [
        role
        for membership in me.get("memberships", ())
        if str(membership["project"].get("id")) == tracker.convert.project
        for role in membership.get("roles", ())
    ]
    if not roles:
        yield Finding(
            "rights",
            Level.FAIL,
            text("our account is no member of the project"),
            text("in Redmine: project → Settings → Members → add the account with its role"),
        )
        return
    details = [_role(tracker, role["id"]) for role in roles]
    named = ", ".join(str(role["name"]) for role in roles)
    rights = {right for one in details for right in one.get("permissions", ())}
    missing = [right for right in NEEDED if right not in rights]
    if missing and rights:
        yield Finding(
            "rights",
            Level.FAIL,
            text(
                "the role {role} lacks: {rights}",
                role=named,
                rights=", ".join(_right(text, one) for one in missing),
            ),
            text(
                "in Redmine: Administration → Roles and permissions → our role → tick them under Issue tracking"
            ),
        )
    else:
        yield Finding(
            "rights", Level.OK, text("role {role}: may read, add and edit issues and add notes", role=named)
        )
    yield from _sight(tracker, details, named)


def _role(tracker: Writing, number: Any) -> Mapping[str, Any]:
    role = tracker.client.get(f"/roles/{number}.json").data.get("role")
    return role if isinstance(role, dict) else {}


def _right(text: Callable[..., str], name: str) -> str:
    words = {
        "view_issues": text("View Issues"),
        "add_issues": text("Add issues"),
        "edit_issues": text("Edit issues"),
        "add_issue_notes": text("Add notes"),
    }
    return words.get(name, name)


def _sight(tracker: Writing, roles: Sequence[Mapping[str, Any]], named: str) -> Iterator[Finding]:
    text = tracker.opening.text
    seen = {str(one["issues_visibility"]) for one in roles if one.get("issues_visibility")}
    if seen and "all" not in seen:
        level = Level.WARN if "default" in seen else Level.FAIL
        yield Finding(
            "rights.private",
            level,
            text(
                "with the role {role} not all issues can be seen: an issue made private would seem lost",
                role=named,
            ),
            text(
                "in Redmine: Administration → Roles and permissions → our role → Issues visibility: All issues"
            ),
        )


def _clock(tracker: Writing) -> Iterator[Finding]:
    text, served = tracker.opening.text, tracker.client.served_at
    if served is None:
        newest = tracker.newest_change()
        ahead = (newest - tracker.opening.clock()).total_seconds() if newest else 0.0
        skew = ahead if ahead > SKEW_S else 0.0
    else:
        skew = (served - tracker.opening.clock()).total_seconds()
    if abs(skew) > SKEW_S:
        yield Finding(
            "clock",
            Level.WARN,
            text("Redmine's clock and ours differ by {seconds} seconds", seconds=round(abs(skew))),
            text("set both by a time server"),
        )


CHECKS: Final[tuple[Callable[[Writing], Iterator[Finding]], ...]] = (
    _project, _rights, doctor_fields.marker, doctor_fields.required, doctor_fields.statuses, _clock,
)  # fmt: skip
"""In order: what an earlier one finds wrong would make the later ones fail as well."""
