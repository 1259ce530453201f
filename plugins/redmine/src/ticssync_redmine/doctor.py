"""What `doctor` finds out about a Redmine before the first write.  Nothing is changed there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ticssync.plugin import AuthLost, Finding, Level, Unavailable, Unsafe
from ticssync.plugin.http import in_the_open
from ticssync_redmine import convert, schema
from ticssync_redmine.reading import RestOff
from ticssync_redmine.writing import CLOSED_PROJECT, REFUSED, Writing

SKEW_S: Final = 60
NEEDED: Final = ("view_issues", "add_issues", "edit_issues", "add_issue_notes")
"""Rights of a role, by Redmine's own names."""

NOWHERE: Final = "ticssync.selftest.0"
"""A marker that no issue can have."""

MARKER_LENGTH: Final = 60
"""Characters that a field must take: a marker of today has about 43, one with a part and a year more."""


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


def _marker(tracker: Writing) -> Iterator[Finding]:
    text, place = tracker.opening.text, tracker.opening.table.marker_place
    how = text(
        "in Redmine: Administration → Custom fields → New custom field → Issues, format Text, name ticssync-id; tick "
        "Used as a filter, For all projects and the tracker; leave Required unticked and Min - Max length empty; then "
        "marker: cf_N in the mapping (N is the number in the field's address)"
    )
    if tracker.convert.marker_in_text:
        yield Finding(
            "marker",
            Level.WARN,
            text("the marker stands at the end of our part of the description, where people may delete it"),
            how,
        )
        return
    params = {"status_id": "*", "limit": 1, place: NOWHERE}
    answer = tracker.client.get("/issues.json", params)
    total = int(answer.data.get("total_count", 0))
    known = {one.id: one.name for one in _custom(tracker)}
    if known and place not in known:
        yield Finding("marker", Level.FAIL, text("issues have no custom field {place}", place=place), how)
    elif _lacking(tracker, place):
        yield Finding(
            "marker",
            Level.FAIL,
            text(
                "issues of the tracker {kind} do not have the custom field {name}",
                kind=tracker.opening.table.given.get("tracker_id", ""),
                name=known.get(place, place),
            ),
            text(
                "in Redmine: Administration → Custom fields → {name} → tick the tracker and the project",
                name=known.get(place, place),
            ),
        )
    elif total:
        yield Finding(
            "marker.filter",
            Level.WARN,
            text(
                "the custom field {name} is not used as a filter: finding a marker reads all issues",
                name=known.get(place, place),
            ),
            text(
                "in Redmine: Administration → Custom fields → {name} → tick Used as a filter",
                name=known.get(place, place),
            ),
        )
    else:
        yield Finding(
            "marker",
            Level.OK,
            text("the marker stands in the custom field {name}", name=known.get(place, place)),
        )


def _lacking(tracker: Writing, place: str) -> bool:
    """Whether an issue of the kind that we make shows that it has no such field; False where there is none yet."""
    kind = tracker.opening.table.given.get("tracker_id")
    asked = {"status_id": "*", "limit": 1, "sort": "id:desc", **({"tracker_id": kind} if kind else {})}
    answer = tracker.client.get(f"/projects/{tracker.settings.project}/issues.json", asked)
    issues = answer.data.get("issues", ())
    return any(convert.raw(issue, place) is convert.ABSENT for issue in issues)


def _custom(tracker: Writing) -> Sequence[Any]:
    answer = tracker.client.get(
        f"/projects/{tracker.settings.project}.json", {"include": "issue_custom_fields"}
    )
    return schema.custom_fields(tracker.client, tracker.settings.project, answer.data.get("project") or {})


def _required(tracker: Writing) -> Iterator[Finding]:
    """Redmine does not tell a member which fields are required.  A new issue that cannot be saved, because its
    subject is too long, is refused with all that is missing; so is one without a subject.  What both complain of
    is what we do not fill.  Neither makes an issue."""
    text = tracker.opening.text
    complaints = []
    for subject in ("あ" * (convert.SUBJECT_MAX + 1), ""):
        answer = tracker.client.post("/issues.json", {"issue": {**_trial(tracker), "subject": subject}})
        if answer.ok or answer.status != REFUSED:
            yield from _trial_went_wrong(tracker, answer.status, answer.data.get("issue"))
            return
        complaints.append(answer.errors)
    both = [one for one in complaints[0] if one in complaints[1]]
    marker = _of_the_marker(tracker, both) if both else []
    if marker:
        yield Finding(
            "marker.refused",
            Level.FAIL,
            text("Redmine would refuse the marker in its field: {why}", why=" / ".join(marker)),
            text(
                "in Redmine: Administration → Custom fields → the field of the marker → leave Min - Max length and Regular "
                "expression empty"
            ),
        )
    both = [one for one in both if one not in marker]
    if both:
        yield Finding(
            "required",
            Level.FAIL,
            text("Redmine would refuse new issues: {why}", why=" / ".join(both)),
            text(
                "give the field a value under given: in the mapping, or have Required unticked for this tracker"
            ),
        )
    elif not marker:
        yield Finding("required", Level.OK, text("Redmine would take new issues as the mapping makes them"))


def _of_the_marker(tracker: Writing, complaints: Sequence[str]) -> list[str]:
    """Those that are gone where the marker is left out: what a sentence speaks of cannot be read from it."""
    trial = _trial(tracker, marked=False)
    answer = tracker.client.post("/issues.json", {"issue": {**trial, "subject": ""}})
    refused = answer.status == REFUSED and not tracker.convert.marker_in_text
    return [one for one in complaints if one not in answer.errors] if refused else []


def _trial(tracker: Writing, *, marked: bool = True) -> dict[str, Any]:
    table = tracker.opening.table
    fields: dict[str, Any] = {"title": "", "body": "ticssync", "due": f"{tracker.opening.clock():%Y-%m-%d}"}
    for name, place in table.fields.items():
        if name in table.values:
            fields[name] = next(iter(table.values[name].values()), None)
        elif name not in fields and convert.custom_id(place) is not None:
            fields[name] = "ticssync"
    held = {name: value for name, value in fields.items() if tracker.holds(name)}
    return tracker.new_issue(held, NOWHERE.ljust(MARKER_LENGTH, "0") if marked else None)


def _trial_went_wrong(tracker: Writing, status: int, issue: Any) -> Iterator[Finding]:
    text = tracker.opening.text
    if isinstance(issue, dict):
        yield Finding(
            "required",
            Level.FAIL,
            text(
                "this Redmine took an issue that no Redmine should take: #{id} was made by this check",
                id=issue.get("id"),
            ),
            text("delete #{id} by hand in Redmine", id=issue.get("id")),
        )
        return
    yield Finding(
        "required",
        Level.FAIL,
        text("our account cannot add issues here ({status})", status=status),
        text("in Redmine: Administration → Roles and permissions → our role → tick Add issues"),
    )


def _statuses(tracker: Writing) -> Iterator[Finding]:
    text, table = tracker.opening.text, tracker.opening.table
    found = tracker.client.get("/issue_statuses.json").data.get("issue_statuses", ())
    tracker.workflow.all_known(found)
    live = {str(one["id"]): str(one["name"]) for one in found}
    gone = [status for status in table.statuses if live and status not in live]
    if gone:
        yield Finding(
            "statuses.gone",
            Level.FAIL,
            text("the mapping names statuses that Redmine does not have: {ids}", ids=", ".join(gone)),
            text("there are: {known}", known=_listed(live)),
        )
    unmapped = {status: name for status, name in live.items() if status not in table.statuses}
    if unmapped:
        yield Finding(
            "statuses.unmapped",
            Level.WARN,
            text("issues in these statuses cannot be read: {names}", names=_listed(unmapped)),
            text("add them under statuses: in the mapping"),
        )
    yield from _reachable(tracker, live)


def _reachable(tracker: Writing, live: Mapping[str, str]) -> Iterator[Finding]:
    """Which of the statuses that we may have to write our role may set at all, as far as it is known."""
    text, table = tracker.opening.text, tracker.opening.table
    for status in live:
        tracker.workflow.after(status)
    rows = tracker.workflow.known()
    if tracker.workflow.silent:
        yield Finding(
            "statuses.old",
            Level.WARN,
            text(
                "this Redmine does not tell which statuses our role may set (it is older than 5.0): a status that the "
                "workflow does not allow is noticed only after it was tried, and one that is several steps away is not "
                "reached"
            ),
            text("have Redmine updated to 5.0 or later"),
        )
        return
    if not rows:
        yield Finding(
            "statuses", Level.OK, text("which statuses may be set shows once the project has an issue")
        )
        return
    reached = {to for row in rows.values() for to in row}
    written = {table.remote_status(ours) for ours in set(table.statuses.values())}
    closed = sorted(status for status in written if status and status in live and status not in reached)
    if closed:
        yield Finding(
            "statuses.role",
            Level.WARN,
            text(
                "our role has not been seen to be allowed to set: {names}",
                names=", ".join(live[one] for one in closed),
            ),
            text("in Redmine: Administration → Workflow, for our role and the tracker"),
        )
    else:
        yield Finding("statuses", Level.OK, text("our role may set every status of the mapping"))


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
    _project, _rights, _marker, _required, _statuses, _clock,
)  # fmt: skip
"""In order: what an earlier one finds wrong would make the later ones fail as well."""
