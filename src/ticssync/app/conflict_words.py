"""What a ticket is told of a conflict, where its mapping asks for that (`conflict_note: true`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ticssync.app.history import FIELDS, STATUSES
from ticssync.errors import say
from ticssync.model.binding import HUB
from ticssync.text import Text


def conflict_note(language: str, people: Mapping[str, str]) -> Callable[[Sequence[Mapping[str, Any]]], str]:
    """Conflicts of one task (as decided in a pass) → the note, in the language of the tracker's users.

    `people`: display names by person id.
    """
    text = Text(language)

    def shown(field: str, value: Any) -> str:
        if value is None:
            return "—"
        if field == "status" and str(value) in STATUSES:
            return STATUSES[str(value)].in_language(language)
        return people.get(str(value), str(value)) if field == "assignee" else str(value)

    def line(one: Mapping[str, Any]) -> str:
        field, sides = str(one["field"]), one["values"]
        name = FIELDS[field].in_language(language) if field in FIELDS else field
        told = " / ".join(
            f"{'ticssync' if side == HUB else side}: {shown(field, value)}" for side, value in sides.items()
        )
        return text.said(
            say(
                "“{field}” was changed in several places at about the same time ({sides}). In force: {taken}. "
                "The office decides if that is to be another one.",
                field=name,
                sides=told,
                taken=shown(field, one["taken"]),
            )
        )

    return lambda conflicts: "\n".join(line(one) for one in conflicts)
