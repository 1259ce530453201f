"""What a ticket is told of a conflict, where its mapping asks for that (`conflict_note: true`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ticssync.app.history import FIELDS, value_words
from ticssync.errors import say
from ticssync.text import Text


def conflict_note(language: str, people: Mapping[str, str]) -> Callable[[Sequence[Mapping[str, Any]]], str]:
    """Conflicts of one task (as decided in a pass) → the note, in the language of the tracker's users.

    `people`: display names by person id.
    """
    text = Text(language)

    def line(one: Mapping[str, Any]) -> str:
        field, sides = str(one["field"]), one["values"]
        name = FIELDS[field].in_language(language) if field in FIELDS else field
        told = " / ".join(
            f"{side}: {value_words(field, value, people, language)}" for side, value in sides.items()
        )
        return text.said(
            say(
                "“{field}” was changed in several places at about the same time ({sides}). In force: {taken}. "
                "The office decides if that is to be another one.",
                field=name,
                sides=told,
                taken=value_words(field, one["taken"], people, language),
            )
        )

    return lambda conflicts: "\n".join(line(one) for one in conflicts)
