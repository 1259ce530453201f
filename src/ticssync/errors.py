"""Every error of the product, grouped by what the caller does next.

    TicssyncError
    ├── UsageError            2  mend the command, the configuration or a file: all problems at once
    ├── RetryLaterError       3  the other side is busy or unavailable: try later
    ├── CredentialsError      4  a person gives new credentials
    ├── SafetyStop            5  nothing was written: look, then accept with the word (or mend)
    ├── ConflictError         1  done, but a person must settle something
    └── CorruptStoreError     5  the store is damaged, newer, moved or copied: restore or rebind

A message says what happened, to what, and the command to type next.  The number is the exit code of
the public contract (cli.md); several at once count in the order 5, 4, 2, 3, 1, 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Self

EXIT_PRECEDENCE: Final = (5, 4, 2, 3, 1, 0)
"""With several trackers the exit code is the first of these that applies."""


class Said(str):
    """A sentence for people: English text that remembers its template, so that the edge can translate it.

    `template` is the message id in the gettext catalogue, `values` fill its `{name}` places.
    """

    template: str
    values: dict[str, Any]
    __slots__ = ("template", "values")

    def __new__(cls, template: str, values: dict[str, Any]) -> Self:
        """The sentence in English, filled."""
        said = super().__new__(cls, filled(template, values))
        said.template = template
        said.values = values
        return said

    # Copying and pickling go through `__new__`, which wants both parts.
    def __getnewargs__(self) -> tuple[str, dict[str, Any]]:  # type: ignore[override]
        return self.template, self.values


def filled(template: str, values: dict[str, Any]) -> str:
    """The template with its places filled; `{{` and `}}` are braces, also where there is no place to fill."""
    return template.format(**values) if values or "{{" in template else template


def say(template: str, /, **values: Any) -> Said:
    """A translatable message: `say("{file} is not a workbook", file=name)`.  Never an f-string."""
    return Said(template, values)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input, with its place.

    `line` and `column` count from 1; None where the input has no lines (a workbook names a cell in
    `place` instead).  `fix` is what to do, and may be empty where the message says it.
    """

    message: str
    file: str = ""
    line: int | None = None
    column: int | None = None
    place: str = ""
    fix: str = ""

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part not in ("", None))
        if self.place:
            where = f"{where} [{self.place}]" if where else self.place
        text = f"{where}: {self.message}" if where else self.message
        return f"{text} → {self.fix}" if self.fix else text


class TicssyncError(Exception):
    """Base of all expected errors: shown as lines, never as a traceback."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, fix: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.problems = tuple(problems)


class UsageError(TicssyncError):
    """The command, the configuration, a mapping or a file handed in is wrong."""

    code = "usage"
    exit_code = 2


class RetryLaterError(TicssyncError):
    """The other side is unavailable or busy; `until` (aware, UTC) where it said when."""

    code = "retry_later"
    exit_code = 3

    def __init__(self, message: str, *, fix: str = "", until: datetime | None = None) -> None:
        super().__init__(message, fix=fix)
        self.until = until


class CredentialsError(TicssyncError):
    """A tracker or mail server does not accept who we are."""

    code = "credentials"
    exit_code = 4

    def __init__(self, message: str, *, tracker: str = "", fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.tracker = tracker


class SafetyStop(TicssyncError):  # noqa: N818 - the design's name for it; not a failure but a brake
    """Nothing was written, because what was seen looks like an accident.

    `word` accepts exactly this situation once; empty where no word can (a moved store).
    """

    code = "safety_stop"
    exit_code = 5

    def __init__(self, message: str, *, word: str = "", fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.word = word


class ConflictError(TicssyncError):
    """Done, but a person must settle what is left."""

    code = "conflict"
    exit_code = 1


class CorruptStoreError(TicssyncError):
    """The store cannot be trusted: damaged, made by a newer version, missing, moved or copied."""

    code = "store"
    exit_code = 5
