"""What a small command loads, and that help is there in both languages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from ticssync import __version__
from ticssync.cli import COMMANDS, root

HEAVY = {
    "sqlalchemy", "alembic", "apscheduler", "jira", "pydantic", "pydantic_settings", "rich", "jinja2", "importlib.metadata", "xlsxwriter",
    "python_calamine", "cryptography", "icalendar", "jpholiday", "ruamel", "pluggy", "requests", "openpyxl",
}  # fmt: skip
ASK = """
import atexit, sys
def tell():
    sys.stderr.write("\\n".join(["modules:", *sorted(sys.modules)]))
atexit.register(tell)
from ticssync.cli import main
for line in sys.argv[1:]:
    try:
        main(line.split())
    except SystemExit as end:
        sys.stderr.write(f"code {end.code} {line}\\n")
"""


def lines() -> Iterator[tuple[str, ...]]:
    """The command itself, each command, each command of a group."""
    yield ()
    for name in COMMANDS:
        command = root.get_command(click.Context(root), name)
        yield (name,)
        if isinstance(command, click.Group):
            yield from ((name, one) for one in command.commands)


def ask(*lines: str, lang: str = "ja") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ASK, *lines], capture_output=True, encoding="utf-8", check=True, timeout=120,
        env={**os.environ, "TICSSYNC_LANG": lang},
    )  # fmt: skip


def loaded(ran: subprocess.CompletedProcess[str]) -> set[str]:
    return set(ran.stderr.partition("modules:\n")[2].split())


@pytest.mark.parametrize("line", ["--version", "--help"])
def test_version_and_help_load_nothing_heavy(line: str) -> None:
    ran = ask(line)

    assert f"code 0 {line}" in ran.stderr
    assert HEAVY & loaded(ran) == set()


def test_the_version_is_the_one_of_the_package() -> None:
    assert ask("--version").stdout == f"ticssync {__version__}\n"


def test_the_probe_sees_what_a_command_loads() -> None:
    """The checker checked."""
    assert "pydantic" in loaded(ask("status --config nowhere.yaml"))


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_help_is_there_for_every_command_in_both_languages(lang: str) -> None:
    known = list(lines())
    ran = ask(*(" ".join((*words, "--help")) for words in known), lang=lang)
    codes = [line for line in ran.stderr.partition("modules:")[0].splitlines() if line.startswith("code ")]
    japanese = any("\u3040" <= char <= "\u30ff" for char in ran.stdout)

    assert len(codes) == len(known) > 40
    assert {line.split()[1] for line in codes} == {"0"}
    assert ran.stdout.count("Usage: ticssync") == len(known)
    assert japanese == (lang == "ja")
    assert {"sqlalchemy", "apscheduler", "jinja2", "xlsxwriter", "cryptography", "icalendar"} & loaded(
        ran
    ) == set()


def test_lang_is_taken_by_every_help_also_of_a_group() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from ticssync.cli import main; main()", "task", "--help", "--lang", "en"],
        capture_output=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip

    assert (ran.returncode, "What a person decides" in ran.stdout) == (0, True)
