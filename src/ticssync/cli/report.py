"""Results and errors as lines, JSON and exit codes.  The only place that knows how they look."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from ticssync.cli.screen import Screen
from ticssync.cli.words import tr
from ticssync.errors import Problem, SafetyStop, TicssyncError
from ticssync.text import Text

if TYPE_CHECKING:
    from ticssync.app.workspace import Surroundings

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found: plain data for `--json`, a way to show it to a person, and the exit code."""

    data: dict[str, Any]
    show: Callable[[Screen], None]
    exit_code: int = 0


@dataclass
class Call:
    """One command being run."""

    around: Surroundings
    as_json: bool
    screen: Screen = field(init=False)

    def __post_init__(self) -> None:
        self.screen = Screen(self.around.text)

    @property
    def text(self) -> Text:
        """Messages in the reader's language."""
        return self.around.text

    def answer(self, work: Callable[[], Answer]) -> NoReturn:
        """Run, show, and end the process with the exit code of the contract."""
        try:
            found = work()
        except TicssyncError as error:
            self._fail(error)
        except OSError as error:
            self._fail(_os_error(error))
        if self.as_json:
            _print_json(found.data)
        else:
            found.show(self.screen)
        raise SystemExit(found.exit_code)

    def _fail(self, error: TicssyncError) -> NoReturn:
        if self.as_json:
            _print_json(error_json(error, self.text))
        else:
            show_error(error, self.text, self.screen)
        raise SystemExit(error.exit_code)


def _os_error(error: OSError) -> TicssyncError:
    """Files and folders that cannot be used are a person's business, not a traceback."""
    from ticssync.errors import CorruptStoreError, UsageError, say

    name = str(error.filename or "")
    if error.errno == 28:
        return CorruptStoreError(
            say("the disk is full: {name}", name=name), fix=say("make room and run again; nothing was lost")
        )
    if isinstance(error, PermissionError):
        return UsageError(
            say("no permission: {name}", name=name),
            fix=say("mend the permissions, or close the program that holds it"),
        )
    if isinstance(error, FileNotFoundError):
        return UsageError(say("{file} does not exist", file=name))
    return UsageError(say("{name}: {why}", name=name, why=error.strerror or str(error)))


def error_json(error: TicssyncError, text: Text) -> dict[str, Any]:
    """The JSON of an error."""
    found = {
        "code": error.code,
        "message": text.said(error.message),
        "fix": text.said(error.fix),
        "problems": [_problem_json(problem, text) for problem in error.problems],
    }
    if isinstance(error, SafetyStop) and error.word:
        found["word"] = error.word
    return {"error": found}


def _problem_json(problem: Problem, text: Text) -> dict[str, Any]:
    return {
        "file": problem.file, "line": problem.line, "column": problem.column, "place": text.said(problem.place),
        "message": text.said(problem.message), "fix": text.said(problem.fix),
    }  # fmt: skip


def show_error(error: TicssyncError, text: Text, screen: Screen) -> None:
    """What happened, all its problems, and what to do, on standard error."""
    screen.error(text.said(error.message))
    for problem in error.problems:
        screen.note("  " + text.problem(problem))
    if error.fix:
        screen.note("  → " + text.said(error.fix))


def print_usage(message: str, usage: str) -> None:
    """A command line that does not read, as the JSON of an error."""
    _print_json({"error": {"code": "usage", "message": message, "fix": usage, "problems": []}})


def _print_json(data: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def common(function: Function) -> Function:
    """The options that every command takes; the function gets a `Call` first."""

    @click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path),
        help=tr("Configuration file (default: ticssync.yaml, or $TICSSYNC_CONFIG)"),
    )
    @click.option("--lang", type=click.Choice(["ja", "en"]), help=tr("Language"))
    @click.option("--json", "as_json", is_flag=True, help=tr("One JSON document on standard output"))
    @click.option(
        "--secrets-dir", type=click.Path(path_type=Path), help=tr("Folder with one file per secret")
    )
    @click.option("-v", "--verbose", is_flag=True, help=tr("Log what is done to standard error"))
    @functools.wraps(function)
    def wrapped(
        config: Path | None,
        lang: str | None,
        as_json: bool,
        secrets_dir: Path | None,
        verbose: bool,
        **rest: Any,
    ) -> Any:
        if click.get_current_context().invoked_subcommand is not None:
            # A group whose sub-command is named: that one has these options itself.
            return None
        # Loaded when a command runs, not when its help is asked for.
        from ticssync.app.workspace import of_this_process

        around = of_this_process(lang or "", config, secrets_dir, verbose=verbose)
        return function(Call(around, as_json), **rest)

    return wrapped  # type: ignore[return-value]
