"""The import rules hold, and each of them finds what it is there to find."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # `quick` asks the rules themselves

ROOT = Path(__file__).resolve().parents[2]
HOUSE = "The house: dependencies run one way"
DOOR = "Plugins use only the door"
OWN_DOOR = "Builtin notifiers use only the door"
KIT = "Nothing in the product imports the testing kit"
NO_PLUGIN = "The host knows no plugin and no jira"
SHEETS = "plugins/sheets/src/ticssync_sheets"

PLANTED = [
    ("src/ticssync/model/key.py", "import ticssync.cli", HOUSE),
    ("src/ticssync/errors.py", "import ticssync.model.key", HOUSE),
    ("src/ticssync/sync/planted.py", "import ticssync.deadlines", HOUSE),
    ("src/ticssync/assess/planted.py", "import ticssync.bundle", HOUSE),
    ("src/ticssync/plugin/planted.py", "import ticssync.store", HOUSE),
    ("src/ticssync/yamlfile.py", "import ticssync.shipped", HOUSE),
    ("src/ticssync/unplaced.py", "", HOUSE),
    ("src/ticssync/app/planted.py", "import apscheduler", "apscheduler only in the daemon"),
    ("src/ticssync/app/planted.py", "from sqlalchemy import select", "sqlalchemy only in the store"),
    ("src/ticssync/host.py", "import pydantic_settings", "pydantic-settings only in config"),
    ("src/ticssync/cli/planted.py", "import ticssync.testing", KIT),
    ("src/ticssync/app/planted.py", "def f():\n    import ticssync_sheets", NO_PLUGIN),
    ("src/ticssync/builtin/planted.py", "from ticssync.errors import say", OWN_DOOR),
    ("src/ticssync/model/key.py", "import pathlib", "Deciding does no I/O"),
    ("src/ticssync/sync/merge.py", "import time", "Deciding does no I/O"),
    (f"{SHEETS}/planted.py", "from ticssync.store import Store", DOOR),
    (f"{SHEETS}/planted.py", "import ticssync.plugin.driver", DOOR),
]  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the sources and of the rules."""
    for folder in ("src", "plugins/sheets/src"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.mo")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """The import rules of a tree, judged as `python dev.py lint` does."""
    sources = os.pathsep.join(str(tree / folder) for folder in ("src", "plugins/sheets/src"))
    without_coverage = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program],
        cwd=tree,
        env=without_coverage | {"PYTHONPATH": sources},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def plant(file: Path, line: str) -> None:
    """Add a line to a module, which may be new."""
    before = file.read_text(encoding="utf-8") if file.exists() else '"""Planted."""\n'
    file.write_text(f"{before}\n{line}\n", encoding="utf-8")


def test_the_rules_hold(tree: Path):
    """The sources keep every rule."""
    judged = lint(tree)

    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "0 broken" in judged.stdout


@pytest.mark.parametrize(("file", "line", "rule"), PLANTED)
def test_a_planted_violation_is_found(tree: Path, file: str, line: str, rule: str):
    """A forbidden import fails the check, and the rule that forbids it is named."""
    plant(tree / file, line)

    judged = lint(tree)

    assert judged.returncode == 1, judged.stdout + judged.stderr
    assert f"{rule} BROKEN" in judged.stdout


def test_a_planted_cycle_is_found(tree: Path):
    """Two modules of one package that import each other fail the check."""
    plant(tree / "src/ticssync/store/here.py", "import ticssync.store.there")
    plant(tree / "src/ticssync/store/there.py", "import ticssync.store.here")

    judged = lint(tree)

    assert judged.returncode == 1
    assert "No cycles BROKEN" in judged.stdout
