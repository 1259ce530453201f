"""What a company handles, in what forms and ways: it decides which items of a scheme are in scope."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from ticssync.model.canonical import digest, plain

FORMS: Final = ("paper", "object", "electronic", "portable_media")
FLAGS: Final = ("areas", "takeout", "remote_work", "external_systems", "third_parties")


@dataclass(frozen=True, slots=True)
class Profile:
    """The `profile:` of ticssync.yaml.  `forms` are of FORMS; `classes` are the company's own names, highest first."""

    forms: frozenset[str] = frozenset()
    areas: bool = False
    takeout: bool = False
    remote_work: bool = False
    external_systems: bool = False
    third_parties: bool = False
    classes: tuple[str, ...] = field(default_factory=tuple)

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        return dict(plain(asdict(self)))

    @property
    def digest(self) -> str:
        """Names exactly this profile: a confirmation counts for it and for no other."""
        return digest(self.plain())
