"""Where the passphrase of a backup comes from: environment, secrets folder, or a person at the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ticssync.app.sealed import SHORTEST, phrase_bytes
from ticssync.app.workspace import Surroundings
from ticssync.config.secrets import FOLDER
from ticssync.errors import UsageError, say

VARIABLE: Final = "TICSSYNC_BACKUP_PASSPHRASE"
FILE: Final = "backup.passphrase"
"""Its name in the secrets folder."""

DISTINCT: Final = 5
"""Different characters that a passphrase must have: aaaaaaaaaaaa is long and no secret."""

Ask = Callable[[], str]


def passphrase(around: Surroundings, beside: Path | None, ask: Ask | None) -> str:
    """The passphrase, given or asked for.

    `beside` is the management folder, where there is one; `ask` is None where nobody sits at a terminal.
    Raises UsageError where it comes from nowhere.
    """
    # The folder's counts more than the environment's, as for every other secret.
    given = _from_folder(around.secrets_folder or _shelf(beside)) or around.environ.get(VARIABLE, "")
    if given:
        return given
    if ask is None:
        raise UsageError(
            say("no passphrase is given, and nobody can be asked for it here"),
            fix=say(
                "set {variable}, or put it into {file} of the secrets folder (--secrets-dir)",
                variable=VARIABLE,
                file=FILE,
            ),
        )
    return ask()


def _shelf(beside: Path | None) -> Path | None:
    return beside / FOLDER if beside is not None else None


def _from_folder(folder: Path | None) -> str:
    if folder is None or not (folder / FILE).is_file():
        return ""
    try:
        return (folder / FILE).read_text("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError(
            say("the passphrase in {file} is not UTF-8", file=str(folder / FILE)),
        ) from None


def check_strength(found: str) -> None:
    """Raises UsageError for a passphrase that could be found by trying."""
    phrase_bytes(found)
    signs = unicodedata.normalize("NFC", found)
    if len(signs) < SHORTEST or len(set(signs)) < DISTINCT:
        raise UsageError(
            say(
                "the passphrase is too short: at least {n} characters, {distinct} of them different",
                n=SHORTEST,
                distinct=DISTINCT,
            ),
            fix=say(
                "the file leaves this machine, and who has it can try as long as he likes: take four or five words that do "
                "not belong together"
            ),
        )
