"""What a person installs holds everything that the product reads at run time."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHEETS = ROOT / "plugins" / "sheets"
LISTED = {"src", "mappings", "README.md", "README.en.md", "LICENSE", "CHANGELOG.md", "pyproject.toml"}
pytestmark = pytest.mark.slow


def without_coverage() -> dict[str, str]:
    """The environment for a program whose sources are gone after the test: nothing to measure there."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def build(project: Path, kind: str, target: Path) -> Path:
    """A wheel or sdist of a project, made by its own build back end."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)],
        cwd=project, capture_output=True, check=True,
    )  # fmt: skip
    (made,) = target.iterdir()
    return made


def names(wheel: Path) -> set[str]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def data_files(package: Path) -> set[str]:
    """What of a package is not Python, named as in its wheel."""
    return {
        path.relative_to(package.parent).as_posix()
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".pyo")
    }


def test_the_wheel_holds_packs_messages_and_templates(tmp_path: Path):
    """Scheme packs, Japanese messages and every template are in the wheel."""
    held = names(build(ROOT, "wheel", tmp_path))
    packs = {f"ticssync/_mappings/{path.relative_to(ROOT / 'mappings').as_posix()}"
             for path in (ROOT / "mappings").rglob("*") if path.is_file()}  # fmt: skip

    assert "ticssync/_mappings/tics-2024/catalog.yaml" in held
    assert "ticssync/text/locale/ja/LC_MESSAGES/ticssync.mo" in held
    assert (packs | data_files(ROOT / "src" / "ticssync")) - held == set()


def test_the_wheel_finds_its_packs_without_the_checkout(tmp_path: Path):
    """A program that runs from the wheel alone finds the packs inside it, and speaks Japanese."""
    with zipfile.ZipFile(build(ROOT, "wheel", tmp_path / "wheel")) as archive:
        archive.extractall(tmp_path / "site")
    program = (
        "from ticssync.shipped import shipped_mappings; from ticssync.text import Text\n"
        "print(shipped_mappings().name, Text('ja')('{file} does not exist', file='a.yaml'))"
    )
    said = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program],
        cwd=tmp_path,
        env=without_coverage() | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout

    assert said.startswith("_mappings ")
    assert "does not exist" not in said


def test_the_plugin_wheel_holds_its_messages(tmp_path: Path):
    """The plugin carries its own catalogue."""
    held = names(build(SHEETS, "wheel", tmp_path))

    assert "ticssync_sheets/locale/ja/LC_MESSAGES/ticssync.mo" in held
    assert data_files(SHEETS / "src" / "ticssync_sheets") - held == set()


def test_the_sdist_holds_only_what_is_listed(tmp_path: Path):
    """Tests, tools and whatever lies about stay out; sources and packs are in."""
    made = build(ROOT, "sdist", tmp_path)
    with tarfile.open(made) as archive:
        inside = {member.name.split("/", 1)[1] for member in archive.getmembers() if "/" in member.name}

    assert {name.split("/")[0] for name in inside} <= LISTED | {"PKG-INFO", ".gitignore"}
    assert "mappings/tics-2024/catalog.yaml" in inside
    assert "src/ticssync/py.typed" in inside
