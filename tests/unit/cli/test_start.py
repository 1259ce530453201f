"""What a small command costs: the modules that it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "sqlalchemy", "alembic", "apscheduler", "jira", "requests", "pydantic", "pydantic_settings", "rich", "jinja2",
    "ruamel", "cryptography", "icalendar", "jpholiday", "xlsxwriter", "python_calamine", "lxml", "structlog",
    "importlib.metadata",
)  # fmt: skip
SCRIPT = """
import sys
from ticssync.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", *sorted(sys.modules))
"""


def loaded(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_version_and_help_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    modules = loaded(*arguments)

    assert [name for name in HEAVY if name in modules] == []


def test_version_loads_few_modules_more_than_click_itself() -> None:
    bare = subprocess.run(
        [sys.executable, "-c", "import click, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    more = loaded("--version") - set(bare.stdout.split())

    assert len(more) <= 40, sorted(more)


def test_the_help_of_one_command_loads_neither_store_nor_scheduler() -> None:
    modules = loaded("sync", "--help")

    assert [
        name for name in ("sqlalchemy", "apscheduler", "jinja2", "ruamel", "lxml") if name in modules
    ] == []
