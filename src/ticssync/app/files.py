"""Writing a file so that it is either whole or not there."""

from __future__ import annotations

import os
from pathlib import Path


def write_file(file: Path, content: bytes) -> None:
    """Write beside the target, then put it into place.  Folders are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
