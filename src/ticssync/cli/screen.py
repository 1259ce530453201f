"""Where people read: tables and colours on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ticssync.text import Text

if TYPE_CHECKING:
    from rich.console import Console


class Screen:
    """Standard output for results, standard error for everything else.

    On a terminal rich draws; in a pipe there is no colour, no box and no progress, only lines with tabs.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self.fancy = sys.stdout.isatty()
        self._console: Console | None = None

    @property
    def console(self) -> Console:
        """rich's console, made when first drawn on."""
        if self._console is None:
            from rich.console import Console

            self._console = Console(highlight=False, soft_wrap=False, emoji=False)
        return self._console

    def line(self, words: str = "", style: str = "") -> None:
        """One line of the result."""
        if self.fancy:
            self.console.print(words, style=style or None, markup=False)
        else:
            sys.stdout.write(words + "\n")

    def title(self, words: str) -> None:
        """A heading."""
        self.line(words, "bold")

    def table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        styles: Sequence[str] = (),
        wrap: Sequence[int] = (),
    ) -> None:
        """A table.  `styles`: one per row; columns named in `wrap` may break, the others stay on one line."""
        cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
        if not self.fancy:
            for row in ([*heads], *cells):
                sys.stdout.write("\t".join(cell.replace("\n", " ") for cell in row) + "\n")
            return
        from rich import box
        from rich.table import Table
        from rich.text import Text as Words

        drawn = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for number, head in enumerate(heads):
            drawn.add_column(head, no_wrap=number not in wrap, overflow="ellipsis")
        for number, row in enumerate(cells):
            style = styles[number] if number < len(styles) else ""
            drawn.add_row(*(Words(cell) for cell in row), style=style or None)
        self.console.print(drawn)

    def note(self, words: str) -> None:
        """Something besides the result, on standard error."""
        sys.stderr.write(words + "\n")
        sys.stderr.flush()

    def error(self, words: str) -> None:
        """What went wrong, on standard error."""
        head = self.text("Error: ")
        if sys.stderr.isatty():
            head = f"\x1b[1;31m{head}\x1b[0m"
        self.note(head + words)

    @contextmanager
    def working(self, words: str) -> Iterator[None]:
        """A sign of life while something takes time; nothing in a pipe."""
        if not sys.stderr.isatty():
            yield
            return
        from rich.console import Console

        with Console(stderr=True).status(words):
            yield
