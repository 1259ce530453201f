"""The little language of `applies_when`: `forms.paper or (areas and not takeout)`.

    expression = all ("or" all)*
    all        = one ("and" one)*
    one        = "not" one | "(" expression ")" | word

A word is one of WORDS, what the profile of a company says about itself.  `not` binds closest, then `and`,
then `or`.  Pure; nothing is evaluated as Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from ticssync.errors import Problem, Said, say
from ticssync.model.profile import FLAGS, FORMS
from ticssync.yamlfile import nearest

WORDS: Final = (*(f"forms.{form}" for form in FORMS), *FLAGS)
"""Everything an expression may ask: the forms of information, then the flags."""

MAX_CHARACTERS: Final = 500
MAX_DEPTH: Final = 20
"""Parentheses and `not` inside each other.  Reading and deciding recurse, so depth is bounded first."""

_TOKEN: Final = re.compile(
    r"(?P<blank>\s+)|(?P<word>[A-Za-z_][A-Za-z0-9_.]*)|(?P<mark>[()])|(?P<other>.)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Word:
    """One question to the profile; `name` is of WORDS."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of `part`."""

    part: Expression

    def __str__(self) -> str:
        return f"not {_inside(self.part)}"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds (`and`); two parts at least."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " and ".join(_inside(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part at least holds (`or`); two parts at least."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " or ".join(_inside(part) for part in self.parts)


Expression: TypeAlias = Word | Not | AllOf | AnyOf


def _inside(part: Expression) -> str:
    return f"({part})" if isinstance(part, (AllOf, AnyOf)) else str(part)


def parse_expression(text: str) -> tuple[Expression | None, list[Problem]]:
    """(expression, problems) of one expression; None with problems.

    `column` of a problem counts characters of `text` from 1; file and line are the caller's to add.
    An empty text is a problem: "always" is written by leaving `applies_when` out.
    """
    if len(text) > MAX_CHARACTERS:
        message = say("this condition is longer than {limit} characters", limit=MAX_CHARACTERS)
        return None, [Problem(message, column=1)]
    reading = _Reading(text)
    expression = reading.whole()
    return (None, reading.problems) if reading.problems else (expression, [])


def evaluate(expression: Expression, answers: Mapping[str, bool | None]) -> bool | None:
    """True, False, or None where the answers do not decide it (Kleene's three values).

    `answers` gives each word's value; a word that is absent or None is not answered.
    """
    if isinstance(expression, Word):
        return answers.get(expression.name)
    if isinstance(expression, Not):
        inner = evaluate(expression.part, answers)
        return None if inner is None else not inner
    values = [evaluate(part, answers) for part in expression.parts]
    decisive = isinstance(expression, AnyOf)
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def deciding_words(expression: Expression, answers: Mapping[str, bool | None]) -> tuple[str, ...]:
    """The words whose answers made the result what it is, in the order written, each once.

    For `a or b` with only b true that is b; with both false it is both.  Where the result is None, the
    words that are not answered.
    """
    return tuple(dict.fromkeys(_deciding(expression, answers)))


def _deciding(expression: Expression, answers: Mapping[str, bool | None]) -> list[str]:
    if isinstance(expression, Word):
        return [expression.name]
    if isinstance(expression, Not):
        return _deciding(expression.part, answers)
    result = evaluate(expression, answers)
    return [
        word
        for part in expression.parts
        if evaluate(part, answers) is result
        for word in _deciding(part, answers)
    ]


class _StopReadingError(Exception):
    """The rest cannot be read sensibly; the problem is already noted."""


class _Reading:
    """Recursive descent over the tokens.  Unknown words are all noted; a slip in the form ends it."""

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self.end = len(text) + 1
        found = [match for match in _TOKEN.finditer(text) if match.lastgroup != "blank"]
        self.tokens = [(match[0], match.start() + 1, match.lastgroup or "") for match in found]
        self.at = 0

    def whole(self) -> Expression | None:
        try:
            expression = self.either(0)
            if self.peek():
                self.stop(self.unexpected())
        except _StopReadingError:
            return None
        return expression

    def either(self, depth: int) -> Expression:
        parts = [self.both(depth)]
        while self.take("or"):
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def both(self, depth: int) -> Expression:
        parts = [self.one(depth)]
        while self.take("and"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def one(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            self.stop(say("this condition is nested deeper than {limit}", limit=MAX_DEPTH))
        if self.take("not"):
            return Not(self.one(depth + 1))
        if self.take("("):
            return self.grouped(depth)
        return self.word()

    def grouped(self, depth: int) -> Expression:
        opened = self.tokens[self.at - 1][1]
        inner = self.either(depth + 1)
        if not self.take(")"):
            if self.peek():
                self.stop(self.unexpected())
            self.note(say("this parenthesis is never closed"), opened)
            raise _StopReadingError
        return inner

    def word(self) -> Expression:
        text, column, kind = self.tokens[self.at] if self.peek() else ("", self.end, "")
        if kind != "word" or text in ("and", "or"):
            self.stop(self.unexpected())
        self.at += 1
        if text not in WORDS:
            self.note(say("the profile has no word {word}", word=text), column, _meant(text))
        return Word(text)

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def take(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.at += 1
        return True

    def unexpected(self) -> Said:
        if not self.peek():
            return say("the condition ends here, but a word of the profile is missing")
        if self.tokens[self.at][2] == "other":
            return say("{sign} has no place in a condition", sign=self.peek())
        return say("{word} does not fit here: words are joined by “and” or “or”", word=self.peek())

    def stop(self, message: Said) -> None:
        column = self.tokens[self.at][1] if self.peek() else self.end
        self.note(
            message, column, say("such as: {example}", example="forms.paper or (areas and not takeout)")
        )
        raise _StopReadingError

    def note(self, message: str, column: int, fix: str = "") -> None:
        self.problems.append(Problem(message, column=column, fix=fix))


def _meant(text: str) -> str:
    if text.lower() in ("and", "or", "not"):
        return say("write {word} in small letters", word=text.lower())
    near = nearest(text, WORDS)
    if near:
        return say("did you mean {word}?", word=near)
    return say("the words are: {words}", words=", ".join(WORDS))
