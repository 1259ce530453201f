"""The make-believe tracker's own rules.  Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ticssync.plugin import FieldValue
from ticssync.testing.behaviour import ASSIGNEE, STATUS, TITLE, Behaviour
from ticssync.testing.wire import Issue, Refused


def followers(behaviour: Behaviour, issue: Issue) -> tuple[str, ...]:
    """The statuses that may follow now."""
    workflow = behaviour.workflow
    here = str(issue.fields.get(STATUS))
    return (
        tuple(one for one in behaviour.statuses if one != here)
        if workflow is None
        else tuple(workflow.get(here, ()))
    )


def complaint(behaviour: Behaviour, fields: Mapping[str, FieldValue]) -> Refused | None:
    """What the tracker says to these values, whatever the issue."""
    limit, title = behaviour.title_max, fields.get(TITLE)
    if limit is not None and isinstance(title, str) and len(title) > limit:
        return Refused(f"件名は{limit}文字以内で入力してください", TITLE)
    if TITLE in fields and not title:
        return Refused("件名を入力してください", TITLE)
    status = fields.get(STATUS)
    if STATUS in fields and status not in behaviour.statuses:
        return Refused(f"状態「{status}」はありません", STATUS)
    assignee = fields.get(ASSIGNEE)
    if assignee is not None and assignee not in behaviour.people:
        return Refused(f"担当「{assignee}」は無効です", ASSIGNEE)
    return None


def forbidden(behaviour: Behaviour, issue: Issue, fields: Mapping[str, FieldValue]) -> Refused | None:
    """What the tracker says to this change of this issue."""
    status = fields.get(STATUS, issue.fields.get(STATUS))
    if status == issue.fields.get(STATUS):
        return None
    after = {**issue.fields, **fields}
    empty = next(
        (name for name in behaviour.required.get(str(status), ()) if after.get(name) in (None, "")),
        None,
    )
    if empty is not None:
        return Refused(f"{empty}を入力してください", empty)
    if behaviour.aloud and status not in followers(behaviour, issue):
        return Refused(f"「{issue.fields.get(STATUS)}」から「{status}」へは変更できません", STATUS)
    return None


def passed_over(behaviour: Behaviour, issue: Issue, name: str, value: FieldValue) -> bool:
    """Success in the answer, nothing in the issue: what real trackers do with what they do not allow."""
    if name not in behaviour.fields or name in behaviour.refuses:
        return True
    here = issue.fields.get(STATUS)
    return name == STATUS and value != here and value not in followers(behaviour, issue)


def kept(behaviour: Behaviour, value: FieldValue) -> FieldValue:
    """A text as the tracker stores it."""
    if not isinstance(value, str):
        return value
    lines = value.replace("\r\n", "\n").split("\n")
    lines = [line.rstrip() for line in lines] if behaviour.strips_blanks else lines
    return ("\r\n" if behaviour.crlf else "\n").join(lines)
