"""gettext catalogues, loaded when first used and never installed process-wide."""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import Final

LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "ticssync"


def mark(message: str) -> str:
    """Mark a message for the catalogue where it is defined; it is translated where it is shown."""
    return message


@cache
def _translations(lang: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, languages=[lang], fallback=True)


class Text:
    """Translates an English message; `{name}` places are filled after translation.

    `lang` is "ja" or "en"; anything else reads as Japanese, the main language.
    """

    def __init__(self, lang: str) -> None:
        self.lang = "en" if lang == "en" else "ja"

    def __call__(self, message: str, /, **values: object) -> str:
        """The message in the language, filled."""
        translated = _translations(self.lang).gettext(message) if message else ""
        return translated.format(**values) if values else translated
