"""gettext catalogues, loaded when first used and never installed process-wide."""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import Final

from ticssync.errors import Problem, Said, filled

LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "ticssync"


def mark(message: str) -> str:
    """Mark a message for the catalogue where it is defined; it is translated where it is shown."""
    return message


@cache
def _translations(lang: str, folder: Path) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, folder, languages=[lang], fallback=True)


class Text:
    """Translates an English message; `{name}` places are filled after translation.

    `lang` is "ja" or "en"; anything else reads as Japanese, the main language.  `locales` are further
    catalogue folders (a plugin's own), asked before the host's.
    """

    def __init__(self, lang: str, locales: tuple[Path, ...] = ()) -> None:
        self.lang = "en" if lang == "en" else "ja"
        self.locales = (*locales, LOCALE)

    def __call__(self, message: str, /, **values: object) -> str:
        """The message in the language, filled."""
        translated = self._translate(message)
        return (
            translated.format(**{name: self.of(value) for name, value in values.items()})
            if values
            else translated
        )

    def of(self, value: object) -> object:
        """A value as it is shown: a `Said` translated with its own values, anything else as it is."""
        if not isinstance(value, Said):
            return value
        values = {name: self.of(inner) for name, inner in value.values.items()}
        return filled(self._translate(value.template), values)

    def said(self, message: str) -> str:
        """A message that may be a `Said`, as text."""
        return str(self.of(message))

    def problem(self, problem: Problem) -> str:
        """One line for a problem: place, message, what to do."""
        return str(
            Problem(
                self.said(problem.message),
                problem.file,
                problem.line,
                problem.column,
                self.said(problem.place),
                self.said(problem.fix),
            )
        )

    def _translate(self, message: str) -> str:
        if not message:
            return ""
        for folder in self.locales:
            translated = _translations(self.lang, folder).gettext(message)
            if translated != message:
                return translated
        return message
