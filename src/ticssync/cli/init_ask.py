"""What `init` asks on a terminal, one thing after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticssync.cli.report import Call
from ticssync.errors import CredentialsError

if TYPE_CHECKING:
    from ticssync.app.init import Answers, Explored, Start
    from ticssync.app.members import Member

Sets = tuple[tuple[str, str], ...]
TRIES = 3
"""How often a key may be typed."""


def ask_company(call: Call, answers: Answers) -> Answers:
    """The company's name and the shared folder."""
    text = call.text
    call.screen.note(
        text(
            "Management folder (this machine, this account only): {folder}",
            folder=str((call.around.folder / answers.folder).resolve()),
        )
    )
    company = answers.company or click.prompt(text("The company's name"), err=True)
    shared = answers.shared or Path(
        click.prompt(text("Shared folder (colleagues work here)"), default="共有", err=True)
    )
    return replace(answers, company=company, shared=shared)


def ask_tracker(call: Call, answers: Answers, start: Start) -> Answers:
    """What the kind wants to know, besides what has a default of its own; a secret unless it is there already."""
    from ticssync.app.init import secret_known

    sets, secrets = [], dict(answers.secrets)
    for question in start.kind.questions:
        path, words = f"trackers.{start.tracker}.{question.path}", question.prompt.in_language(call.text.lang)
        if question.secret:
            if not secret_known(call.around, start, question.path):
                secrets[question.path] = _secret(call, words)
        elif not question.default and not answers.told(path):
            sets.append((path, click.prompt(words, err=True).strip()))
    return replace(answers, sets=(*answers.sets, *sets), secrets=secrets)


def _secret(call: Call, words: str) -> str:
    note = call.text("{question} (not shown while you type)", question=words)
    return str(click.prompt(note, hide_input=True, err=True)).strip()


def ask_until_known(call: Call, answers: Answers, start: Start) -> tuple[Answers, Explored | None]:
    """Ask the live tracker; a wrong key is asked for again.  Raises CredentialsError after three of them."""
    from ticssync.app.init import explore

    for tries_left in reversed(range(TRIES)):
        try:
            with call.screen.working(call.text("Asking {tracker} …", tracker=start.tracker)):
                return answers, explore(call.around, answers, start)
        except CredentialsError as error:
            if not answers.secrets or not tries_left:
                raise
            call.screen.error(call.text.said(error.message))
            again = {
                question.path: _secret(call, question.prompt.in_language(call.text.lang))
                for question in start.kind.questions
                if question.path in answers.secrets
            }
            answers = replace(answers, secrets=again)
    raise AssertionError


def ask_people(call: Call, answers: Answers, explored: Explored | None) -> Answers:
    """The responsible manager and the owners: members of the project where they are known."""
    from ticssync.app.members import likely_owner

    text, members = call.text, explored.members if explored else ()
    people = _People(call, members)
    if members:
        call.screen.note(text("Members of the project:"))
        for number, one in enumerate(members, 1):
            call.screen.note(f"  {number:2}  {one.name}")
    if not answers.told("roles.manager"):
        manager = people.ask(text("Name of the responsible manager (管理責任者)"), "manager", None, mail=True)
        people.sets.append(("roles.manager", f"[{manager}]"))
    if not answers.told("roles.owner"):
        likely = likely_owner(members, explored.account if explored else "")
        question = text("Name of the person who does most of the work (担当)")
        owner = people.ask(question, "owner", likely, mail=True)
        people.sets += _owners(call, people, explored, owner)
    return replace(answers, sets=(*answers.sets, *people.sets))


def _owners(call: Call, people: _People, explored: Explored | None, owner: str) -> Sets:
    """Who owns which items: one person, or another one for some chapters."""
    if explored is None or not explored.members:
        return (("roles.owner", f"[{owner}]"),)
    main = next((one for one in explored.members if one.person == owner), None)
    others: list[tuple[str, str]] = []
    if click.confirm(call.text("Are there chapters with another owner?"), default=False, err=True):
        for ident, title in explored.chapters.items():
            question = call.text("Owner of “{chapter}”", chapter=title)
            person = people.ask(question, f"owner_{ident}", main, mail=False, known=owner)
            if person != owner:
                others += [(f"roles.owner.{item}", f"[{person}]") for item in explored.items.get(ident, ())]
    return (*others, ("roles.owner.*", f"[{owner}]")) if others else (("roles.owner", f"[{owner}]"),)


class _People:
    """People as they are named: members by number or name, others by name.  `sets` becomes part of the answers."""

    def __init__(self, call: Call, members: Sequence[Member]) -> None:
        self._call, self._members = call, members
        self._ids: dict[str, str] = {}
        self._mailed: set[str] = set()
        self.sets: list[tuple[str, str]] = []

    def ask(self, question: str, new_id: str, likely: Member | None, *, mail: bool, known: str = "") -> str:
        """The person id.  `known`: who is meant by the default where that is no member."""
        text = self._call.text
        words = text("{question} (number, or another name)", question=question) if self._members else question
        default = str(self._members.index(likely) + 1) if likely else self._name(known) or None
        answer = str(click.prompt(words, default=default, err=True)).strip()
        person = self._person(answer, new_id)
        if mail and person not in self._mailed:
            self._mailed.add(person)
            address = click.prompt(text("Their mail address"), default="", show_default=False, err=True)
            self.sets += [(f"people.{person}.mail", address)] if address else []
        return person

    def _name(self, person: str) -> str:
        return next((name for name, ident in self._ids.items() if ident == person), "")

    def _person(self, answer: str, new_id: str) -> str:
        if answer.isdecimal() and 0 < int(answer) <= len(self._members):
            return self._members[int(answer) - 1].person
        member = next((one for one in self._members if one.name == answer), None)
        if member is not None:
            return member.person
        if answer not in self._ids:
            self._ids[answer] = new_id
            self.sets.append((f"people.{new_id}.name", answer))
        return self._ids[answer]


def offer_to_keep(call: Call, answers: Answers, start: Start) -> None:
    """A key that was typed is gone when the command ends: where it may go, and a hand to put it there."""
    from ticssync.app.init import keep_secret

    text = call.text
    for setting, value in answers.secrets.items():
        file = start.secret_file(setting)
        question = text("Keep the key in {file} (readable by this account only)?", file=str(file))
        if value and click.confirm(question, default=True, err=True):
            keep_secret(start, setting, value)
            call.screen.note(text("Kept. ticssync reads the folder secrets beside ticssync.yaml by itself."))
        elif value:
            variable = start.variable(setting)
            call.screen.note(
                text(
                    "Not kept. Before the next command set {variable}, or put the key into {file} or a --secrets-dir folder.",
                    variable=variable,
                    file=str(file),
                )
            )
