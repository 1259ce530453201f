"""What `init` is told, where it begins, and what it found out: plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ticssync.app.members import Member
from ticssync.config.secrets import FOLDER
from ticssync.errors import Problem, UsageError, say
from ticssync.mapping.discover import Proposal
from ticssync.plugin import TrackerKind


@dataclass(frozen=True, slots=True)
class Answers:
    """What `init` was told.  `sets`: PATH=VALUE pairs; `shared` is where colleagues work; `catalog` a pack's name.

    `secrets`: setting of the tracker → value, to ask it with; they are never written into ticssync.yaml.
    """

    folder: Path
    kind: str = "workbook"
    company: str = ""
    name: str = ""
    shared: Path | None = None
    sets: tuple[tuple[str, str], ...] = ()
    catalog: str = "tics-2024"
    plugins: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def told(self, path: str) -> bool:
        """Whether a value of ticssync.yaml was given, or something in it."""
        return any(one == path or one.startswith(f"{path}.") for one, _ in self.sets)


@dataclass(frozen=True, slots=True)
class Start:
    """Where the workspace will be, and what kind of tracker it gets under which name."""

    root: Path
    file: Path
    plugin: str
    kind: TrackerKind
    tracker: str

    @property
    def mapping_name(self) -> str:
        """The mapping file that `init` makes, as ticssync.yaml names it."""
        return f"mappings/{self.tracker}.yaml"

    def variable(self, setting: str) -> str:
        """The environment variable of a setting of the tracker."""
        return f"TICSSYNC_TRACKERS__{self.tracker.upper()}__{setting.upper()}"

    def secret_file(self, setting: str) -> Path:
        """The file of a secret in the folder beside ticssync.yaml."""
        return self.root / FOLDER / f"trackers.{self.tracker}.{setting}"


@dataclass(frozen=True, slots=True)
class Explored:
    """What the live tracker showed.  `notes`: what a person should know, for the screen; `account`: our own."""

    proposal: Proposal
    mapping: str
    members: tuple[Member, ...]
    account: str
    chapters: Mapping[str, str]
    items: Mapping[str, Sequence[str]]
    notes: tuple[str, ...] = ()


def parse_sets(pairs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`PATH=VALUE` as given on the command line.  Raises UsageError for one without `=`."""
    wrong = [
        Problem(say("{pair} is not PATH=VALUE", pair=pair), place="--set")
        for pair in pairs
        if "=" not in pair
    ]
    if wrong:
        raise UsageError(say("--set wants PATH=VALUE"), problems=wrong)
    return tuple((pair.partition("=")[0], pair.partition("=")[2]) for pair in pairs)
