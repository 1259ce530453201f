"""requirements.lock: versions and hashes of everything, and no address of anything."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECTS = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]


def entries() -> list[tuple[Requirement, list[str]]]:
    """Each locked package with its hashes."""
    found = []
    for entry in LOCK.replace("\\\n", " ").splitlines():
        head, *hashes = entry.split("--hash=")
        found.append((Requirement(head.strip()), [one.strip() for one in hashes]))
    return found


def wanted() -> list[Requirement]:
    """What the packages of this tree declare, development included, without themselves."""
    texts = []
    for path in PROJECTS:
        project = tomllib.loads(path.read_text(encoding="utf-8"))
        texts += project["project"].get("dependencies", []) + project["build-system"]["requires"]
        texts += project.get("dependency-groups", {}).get("dev", [])
    return [one for one in map(Requirement, texts) if not one.name.startswith("ticssync")]


def test_everything_has_hashes():
    """pip can refuse any file that is not the one that was locked."""
    without = [str(one) for one, hashes in entries() if not hashes]

    assert without == []
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for _, hashes in entries() for one in hashes)


def test_everything_is_one_version():
    """Each line names exactly one version."""
    assert [str(one) for one, _ in entries() if [spec.operator for spec in one.specifier] != ["=="]] == []


@pytest.mark.parametrize("word", ["://", "index", "find-links", "-e ", " @ ", "trusted-host", "#"])
def test_no_address(word: str):
    """Where a package comes from is the business of whoever installs it."""
    assert word not in LOCK


def test_nothing_declared_is_missing():
    """Set-up installs without asking for dependencies, so the lock must hold each declared one, in range."""
    locked: dict[str, list[str]] = {}
    for one, _ in entries():
        locked.setdefault(canonicalize_name(one.name), []).extend(spec.version for spec in one.specifier)
    lacking = [
        str(one)
        for one in wanted()
        if not locked.get(canonicalize_name(one.name))
        or not all(
            one.specifier.contains(version, prereleases=True)
            for version in locked[canonicalize_name(one.name)]
        )
    ]

    assert lacking == []


def test_own_packages_are_not_in_it():
    """The packages of this tree are installed from this tree."""
    assert [str(one) for one, _ in entries() if one.name.startswith("ticssync")] == []
