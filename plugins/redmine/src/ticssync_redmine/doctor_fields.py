"""The part of `doctor` that asks about fields and statuses: marker, required fields, what our role may set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ticssync.plugin import Finding, Level
from ticssync_redmine import convert, schema
from ticssync_redmine.writing import REFUSED, Writing

NOWHERE: Final = "ticssync.selftest.0"
"""A marker that no issue can have."""

MARKER_LENGTH: Final = 60
"""Characters that a field must take: a marker of today has about 43, one with a part and a year more."""


def marker(tracker: Writing) -> Iterator[Finding]:
    """Whether the place for the marker is there, takes one and can be searched."""
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


def required(tracker: Writing) -> Iterator[Finding]:
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


def statuses(tracker: Writing) -> Iterator[Finding]:
    """Which of the mapping's statuses our role may set; whether they exist at all the host compares itself."""
    found = tracker.client.get("/issue_statuses.json").data.get("issue_statuses", ())
    tracker.workflow.all_known(found)
    live = {str(one["id"]): str(one["name"]) for one in found}
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
