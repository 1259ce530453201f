"""Every hook is documented with its arguments, and every hook is used in a test."""

import inspect
from pathlib import Path

import pytest

from ticssync.plugin import hookspecs

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "plugin-hooks.md").read_text(encoding="utf-8")
HOOKS = {
    name: function
    for name, function in inspect.getmembers(hookspecs, inspect.isfunction)
    if name.startswith("ticssync_")
}


def test_there_are_hooks():
    """The names are found where the door declares them."""
    assert {"ticssync_trackers", "ticssync_event"} <= HOOKS.keys()


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_documented(name: str):
    """Name and argument list stand in the heading of its section."""
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)

    assert f"\n## `{name}({arguments})`\n" in PAGE


def test_no_hook_is_documented_that_is_not_there():
    """A page that names a hook of yesterday teaches what is refused."""
    headings = {line.split("`")[1].split("(")[0] for line in PAGE.splitlines() if line.startswith("## `")}

    assert headings == HOOKS.keys()


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_tested(name: str):
    """Some test outside this folder implements or calls the hook."""
    tests = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("plugins/*/tests/**/*.py")]
    naming = [
        path for path in tests if "house" not in path.parts and name in path.read_text(encoding="utf-8")
    ]

    assert naming, f"no test names {name}"
