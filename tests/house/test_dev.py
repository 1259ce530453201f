"""One entry for every system: dev.py needs nothing but Python, the Makefile needs nothing but dev.py."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEV = (ROOT / "dev.py").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """dev.py of a folder, called as a person does."""
    return subprocess.run(
        [sys.executable, "-X", "utf8", "dev.py", *words],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def commands() -> set[str]:
    """The commands that dev.py itself names."""
    shown = run(ROOT, "--help").stdout
    return set(re.findall(r"^    ([a-z]+) ", shown, flags=re.MULTILINE))


def test_dev_needs_only_python():
    """A fresh machine has nothing else."""
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(DEV))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
        )
    }

    assert imported - sys.stdlib_module_names == set()


def test_make_has_every_command():
    """What stands in dev.py can be typed after make, and nothing else."""
    (targets,) = re.findall(r"^(setup [a-z ]+):$", MAKEFILE, flags=re.MULTILINE)

    assert set(targets.split()) == commands()
    assert '$(PYTHON)" dev.py $@' in MAKEFILE


def test_a_tree_without_lock_says_so(tmp_path: Path):
    """Set-up never guesses versions."""
    shutil.copy(ROOT / "dev.py", tmp_path)

    said = run(tmp_path, "setup")

    assert said.returncode == 2
    assert "requirements.lock is missing" in said.stderr


def test_what_is_not_there_yet_is_said(tmp_path: Path):
    """A command whose programs come later ends with 2 and a sentence, never with a success."""
    shutil.copy(ROOT / "dev.py", tmp_path)

    said = run(tmp_path, "bench")

    assert said.returncode == 2
    assert "later version" in said.stderr
