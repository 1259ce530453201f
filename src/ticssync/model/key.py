"""The name of a task, and the marker that carries it into a tracker.

Both are written into customers' trackers and stores: their form is final.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

PART_PATTERN: Final = r"[A-Za-z0-9-]{1,32}"
MARKER_MAX: Final = 120
"""Characters; the shortest custom field of the trackers that we know holds more."""

_PART: Final = re.compile(PART_PATTERN)
_KEY: Final = re.compile(
    rf"(?:(?P<scheme>{PART_PATTERN})/)?(?P<item>{PART_PATTERN})"
    rf"(?:\.(?P<part>{PART_PATTERN}))?(?:@(?P<cycle>{PART_PATTERN}))?"
)
_MARKER: Final = re.compile(
    rf"ticssync\.(?P<ws>[a-z0-9]{{10}})\.(?P<scheme>{PART_PATTERN})\.(?P<item>{PART_PATTERN})"
    rf"\.(?P<part>{PART_PATTERN})\.(?P<cycle>{PART_PATTERN})\.g(?P<gen>[1-9][0-9]{{0,3}})\.(?P<check>[a-z2-7]{{6}})"
)


@dataclass(frozen=True, slots=True, order=True)
class TaskKey:
    """(scheme, item, part, cycle); part and cycle are empty where unused.

    Written `tics/T-14`, `tics/T-14.drill@2026`.  Raises ValueError for a part that is not
    `[A-Za-z0-9-]{1,32}`, and for the part or cycle `0`, which the marker uses for "none".
    """

    scheme: str
    item: str
    part: str = ""
    cycle: str = ""

    def __post_init__(self) -> None:
        for name, value, optional in (
            ("scheme", self.scheme, False),
            ("item", self.item, False),
            ("part", self.part, True),
            ("cycle", self.cycle, True),
        ):
            if optional and value == "":
                continue
            if not _PART.fullmatch(value) or (optional and value == "0"):
                raise ValueError(f"{name} {value!r} of a task key is not [A-Za-z0-9-]{{1,32}}")

    def __str__(self) -> str:
        part = f".{self.part}" if self.part else ""
        cycle = f"@{self.cycle}" if self.cycle else ""
        return f"{self.scheme}/{self.item}{part}{cycle}"

    @property
    def criterion(self) -> str:
        """`scheme/item`: the criterion that the task belongs to."""
        return f"{self.scheme}/{self.item}"

    @classmethod
    def parse(cls, text: str, *, scheme: str = "") -> TaskKey:
        """Read `tics/T-14.drill@2026`, or `T-14` where `scheme` is handed in.

        Raises ValueError with the form that was expected.
        """
        match = _KEY.fullmatch(text.strip())
        found = match and (match["scheme"] or scheme)
        if not match or not found:
            raise ValueError(f"{text!r} is not a task key such as tics/T-14 or tics/T-14.drill@2026")
        return cls(found, match["item"], match["part"] or "", match["cycle"] or "")


@dataclass(frozen=True, slots=True)
class Marker:
    """The identity of one binding, as it stands in the tracker.

    `generation` rises when a person restores a task that was deleted.  Neither edition nor tracker
    name nor title is in it: none of them may change what a task is.
    """

    workspace: str
    key: TaskKey
    generation: int = 1

    def __str__(self) -> str:
        key = self.key
        body = (
            f"ticssync.{self.workspace}.{key.scheme}.{key.item}."
            f"{key.part or '0'}.{key.cycle or '0'}.g{self.generation}"
        )
        return f"{body}.{_check(body)}"

    @classmethod
    def parse(cls, text: str) -> Marker | None:
        """The marker in `text` (blanks around it are passed over), or None where it is none or damaged."""
        match = _MARKER.fullmatch(text.strip())
        if not match or _check(match[0].rpartition(".")[0]) != match["check"]:
            return None
        part = "" if match["part"] == "0" else match["part"]
        cycle = "" if match["cycle"] == "0" else match["cycle"]
        return cls(match["ws"], TaskKey(match["scheme"], match["item"], part, cycle), int(match["gen"]))


def marker_too_long(key: TaskKey) -> bool:
    """Whether the marker of this key could exceed what every tracker can hold (generation up to 9999)."""
    return len(str(Marker("x" * 10, key, 9999))) > MARKER_MAX


def _check(body: str) -> str:
    # Six base32 characters: a cell that was half overwritten or mistyped must not name another task.
    return base64.b32encode(hashlib.sha256(body.encode()).digest())[:6].decode().lower()
