"""The one written form of values: what hashes are made of and what comparisons compare.

Stored text is kept byte for byte; the canonical form is for comparison and hashing only.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Any, Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no blanks, text as itself (not \\u escapes): equal values, equal bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_text(text: str) -> str:
    """Lower-case hex SHA-256 of the UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of a plain value."""
    return sha256_text(canonical_json(value))


def canonical_text(text: str) -> str:
    """NFC, CRLF and CR to LF, blanks at line ends and empty lines at the end dropped.

    Trackers change exactly these on their own (Redmine: CRLF; spreadsheets: trailing blanks), and a
    difference in them must not come back as a person's edit.  NFKC is not used: it would turn ㊙ into 秘.
    """
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")


def storable_text(text: str) -> str:
    """NUL and lone surrogates replaced: no database keeps them.  Equal to the input when it has none."""
    clean = text.replace("\x00", REPLACEMENT)
    return clean.encode("utf-8", "surrogatepass").decode("utf-8", "replace") if _has_lone(clean) else clean


def _has_lone(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def instant_text(moment: datetime) -> str:
    """An aware instant as UTC text of fixed width, so that text order is time order.

    Raises ValueError for a naive datetime: its zone would be a guess.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place in the store")
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_instant(text: str) -> datetime:
    """The inverse of `instant_text`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


def date_text(day: date | None) -> str | None:
    """A date as ISO text; None stays None."""
    return None if day is None else day.isoformat()


def plain(value: Any) -> Any:
    """Mappings, tuples and sets as JSON knows them (sets sorted)."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
