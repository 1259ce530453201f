"""What is kept under version control names no registry and no folder of somebody's machine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Put together here, so that this file does not hold them itself.
HOSTS = [".".join(parts) for parts in (
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("deb", "debian", "org"),
    ("conda", "anaconda", "org"),
)]  # fmt: skip
MACHINE = re.compile(
    r"(?<![\w.\-/])/(?:work|root|opt)/[\w.]+|(?<![\w.\-])/home/[a-z]+|[A-Z]:\\Users\\[A-Za-z]+"
)


def kept() -> list[Path]:
    """Files under version control and those about to be."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a checkout: git or .git is missing")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    names = listed.stdout.decode("utf-8").split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    """(name, content) of those that are text."""
    found = []
    for path in kept():
        raw = path.read_bytes()
        if b"\0" not in raw[:4096]:
            found.append((path.relative_to(ROOT).as_posix(), raw.decode("utf-8", errors="replace")))
    return found


def test_no_registry_is_named():
    """Packages come from where the person who installs them has them."""
    assert [(name, host) for name, text in texts() for host in HOSTS if host in text] == []


def test_no_folder_of_a_machine_is_named():
    """A path of one machine is wrong on every other."""
    assert [(name, hit.group()) for name, text in texts() for hit in MACHINE.finditer(text)] == []


def test_text_is_utf_8():
    """Every text file is UTF-8 without byte order mark and ends in a newline."""
    wrong = [
        name
        for name, text in texts()
        if name.endswith((".py", ".md", ".toml", ".yaml", ".po", ".lock"))
        and (("\ufffd" in text) or text.startswith("\ufeff") or (text and not text.endswith("\n")))
    ]

    assert wrong == []
