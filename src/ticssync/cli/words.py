"""The language of the command line itself: help texts are made when a module is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from ticssync.text import Text


def language(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """`--lang` wins, then $TICSSYNC_LANG; Japanese is the main language."""
    for number, word in enumerate(arguments):
        if word.startswith("--lang="):
            return word.partition("=")[2]
        if word == "--lang" and number + 1 < len(arguments):
            return arguments[number + 1]
    return "en" if environ.get("TICSSYNC_LANG", "").lower().startswith("en") else "ja"


def without_language(arguments: Sequence[str]) -> list[str]:
    """With `--help` the language has been chosen already, and a group itself knows no `--lang`."""
    if "--help" not in arguments:
        return list(arguments)
    pairs = zip(arguments, ["", *arguments[:-1]], strict=True)
    return [word for word, before in pairs if not word.startswith("--lang") and before != "--lang"]


tr: Final = Text(language(sys.argv[1:], os.environ))
"""Help texts in the language of this process."""
