"""How values are shown: user text isolated and inert, both languages side by side, days and instants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from ticssync.bundle.labels import label
from ticssync.bundle.report.view import confirmation, in_field_order
from ticssync.bundle.snapshot import web_address, words
from ticssync.model.canonical import parse_instant
from ticssync.model.criterion import Words
from ticssync.text import Text

JAPAN: Final = timezone(timedelta(hours=9), "JST")
_DIRECTION: Final = frozenset(
    map(chr, (0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
"""Characters that turn the reading direction: `fdp.exe` can be made to look like `exe.pdf` with them."""


def visible(text: str) -> str:
    """Control characters as their pictures (␀ ␛ …); line feeds and tabs stay."""
    return "".join(
        chr(0x2400 + ord(char)) if ord(char) < 32 and char not in "\n\t" else char for char in text
    )


def turning(text: str) -> tuple[str, ...]:
    """The direction-turning characters in a text, as `U+202E`."""
    return tuple(f"U+{ord(char):04X}" for char in sorted(set(text) & _DIRECTION))


def bare(text: str) -> str:
    """A text for a window's title, where nothing can be isolated: turning characters by their numbers."""
    return "".join(f"[U+{ord(char):04X}]" if char in _DIRECTION else char for char in visible(text))


def day_text(value: object) -> str:
    """A day as ISO text, empty for none."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value or "")


def moment_text(value: object) -> str:
    """An instant in Japan's time to the minute; text that is no instant is shown as it is."""
    if isinstance(value, str):
        return _instant_words(value)
    if not isinstance(value, datetime):
        return day_text(value)
    if value.tzinfo is None:
        return value.strftime("%Y-%m-%d %H:%M")
    return value.astimezone(JAPAN).strftime("%Y-%m-%d %H:%M JST")


def _instant_words(text: str) -> str:
    try:
        return moment_text(parse_instant(text))
    except ValueError:
        pass
    try:
        return moment_text(datetime.fromisoformat(text))
    except ValueError:
        return text


def size_text(size: int) -> str:
    """Bytes as people read them."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} B"


def speak(locales: tuple[Path, ...] = ()) -> Callable[..., Words]:
    """A function that says an English message in both languages."""
    ja, en = Text("ja", locales), Text("en", locales)

    def say_both(message: str, /, **values: object) -> Words:
        return Words(
            ja(message, **{name: _in(value, "ja") for name, value in values.items()}),
            en(message, **{name: _in(value, "en") for name, value in values.items()}),
        )

    return say_both


def _in(value: object, lang: str) -> object:
    return value.in_language(lang) if isinstance(value, Words) else value


def template_words(locales: tuple[Path, ...]) -> dict[str, Any]:
    """The functions that templates use: t (message), w (words), code (label of a code), u (user text)."""
    from markupsafe import Markup, escape

    say_both = speak(locales)

    def marked(text: str) -> Markup:
        turns = turning(text)
        mark = Markup(' <span class="turn">⚠ {}</span>').format(" ".join(turns)) if turns else Markup("")
        return escape(visible(text)) + mark

    def u(value: object) -> Markup:
        text = "" if value is None else str(value)
        return Markup("<bdi>{}</bdi>").format(marked(text)) if text else Markup("")

    def w(words: Words) -> Markup:
        if words.ja == words.en:
            return u(words.ja)
        # The style isolates these spans as it does bdi.
        return Markup('<span lang="ja">{}</span><span lang="en">{}</span>').format(
            marked(words.ja), marked(words.en)
        )

    return {
        "t": lambda message, **values: w(say_both(message, **values)),
        "plain": lambda message, lang, **values: say_both(message, **values).in_language(lang),
        "w": w,
        "u": u,
        "code": lambda table, code: w(label(table, code)),
        "words": words,
        "web_address": web_address,
        "confirmation": confirmation,
        "in_field_order": in_field_order,
        "anchor_of": lambda standing: f"item-{standing.scheme}-{standing.id}",
        "day": lambda value: u(day_text(value)),
        "moment": lambda value: u(moment_text(value)),
        "bare": bare,
        "size": size_text,
    }
