"""Where the shipped scheme packs are: beside the sources in a checkout, inside the package in a wheel."""

from __future__ import annotations

from pathlib import Path

from ticssync.errors import UsageError, say


def shipped_mappings() -> Path:
    """The folder `mappings/`.  Raises UsageError where neither place has it (a broken installation)."""
    package = Path(__file__).parent
    for folder in (package / "_mappings", package.parent.parent / "mappings"):
        if folder.is_dir():
            return folder
    raise UsageError(
        say("the shipped scheme packs are missing from this installation"), fix=say("install ticssync again")
    )
