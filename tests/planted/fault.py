"""One planted fault, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


class Stale(Exception):  # noqa: N818 - what the list is, not a failure of the product
    """The text to be broken does not stand exactly once in its file (any more)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A small break in one file.

    `suffers` says in one sentence what a user would suffer.  `find` must stand exactly once in `file` (below the
    repository) and is replaced by `put`.  `tests` are files or single tests in which at least one must fail.
    `hangs`: a run that does not end in time counts as noticed.  `server`: only a real server
    (Redmine, PostgreSQL) notices it.
    """

    id: str
    area: str
    suffers: str
    file: str
    find: str
    put: str
    tests: tuple[str, ...]
    hangs: bool = False
    server: bool = False

    def broken(self, text: str) -> str:
        """The text of the file with the fault in it.  Raises Stale."""
        count = text.count(self.find)
        if count != 1:
            raise Stale(f"{self.id}: its text stands {count} times in {self.file}")
        return text.replace(self.find, self.put)

    @property
    def module(self) -> str:
        """The module that the file is, as it is imported."""
        parts = Path(self.file).with_suffix("").parts
        parts = parts[parts.index("src") + 1 :]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def stale(faults: tuple[Fault, ...], root: Path = ROOT) -> list[str]:
    """What is wrong with the list as it stands against the sources under `root`; empty: nothing."""
    wrong = []
    for fault in faults:
        try:
            text = fault.broken((root / fault.file).read_text("utf-8"))
            compile(text, fault.file, "exec")
        except (Stale, OSError) as error:
            wrong.append(str(error))
        except SyntaxError as error:
            wrong.append(f"{fault.id}: broken like this it is no Python ({error})")
        wrong += [
            f"{fault.id}: there is no {one}"
            for one in fault.tests
            if not (root / one.partition("::")[0]).exists()
        ]
    return wrong
