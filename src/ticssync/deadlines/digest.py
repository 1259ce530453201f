"""The mail of the day for one person: the one thing to do on top, the rest as a short list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ticssync.deadlines.calendar import day_text
from ticssync.deadlines.duties import CERTIFICATE_KINDS
from ticssync.deadlines.ics import basis_words, calendar_file, done_command
from ticssync.deadlines.reminders import Digest, Notice
from ticssync.model.certificate import Basis, Duty
from ticssync.model.criterion import Words
from ticssync.model.person import Person
from ticssync.plugin import Attached, Message
from ticssync.text import Text

if TYPE_CHECKING:
    from jinja2 import Environment

SOON: Final = 30
"""Days; within them a certificate's duty stands before everything that is not itself overdue there."""

_WHAT: Final = {
    "periodic_report": Words("定期報告の提出期限", "periodic report due"),
    "renewal_apply": Words("更新審査の申込み期限", "application for the renewal audit due"),
    "renewal": Words("認証の有効期限", "expiry of the certificate"),
}
_WHAT_OF: Final = {
    "evidence_expiry": Words("証跡「{name}」の有効期限", "evidence “{name}” runs out"),
    "credential_expiry": Words("「{name}」の接続用キーの有効期限", "access to “{name}” runs out"),
    "task_due": Words("「{name}」の期限", "“{name}” due"),
}
_OTHER: Final = Words("「{name}」の期日", "“{name}” due")
LONGEST_NAME: Final = 40
"""Characters of a task's title in a subject line."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes.  `reply_to` is a person; `places` says by duty id where the work is done (a task's URL)."""

    workspace: str
    company: str = ""
    reply_to: Person | None = None
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One duty as the mail shows it; every text is ready to be read.  `tone`: late, soon or calm."""

    title: str
    day: str
    left: str
    tone: str
    ask: str
    notes: tuple[str, ...]
    place: str
    reply: str
    command: str


def digest(what: Digest, letterhead: Letterhead, text: Text, now: datetime) -> Message:
    """The message.  `now` is aware, in the company's zone: it becomes the mail's date."""
    ordered = sorted(what.notices, key=lambda notice: _urgency(notice.duty, what.day))
    attached = _attached(what, letterhead, text, now)
    view = {
        "lang": text.lang,
        "company": letterhead.company,
        "labels": _labels(text),
        "mark": "–" if text.lang == "en" else "※",
        "greeting": text("Dear {name},", name=what.person.name),
        "entries": [_entry(notice, what.day, letterhead, text) for notice in ordered],
        "missed": _missed(what, text),
        "calendar": text("The attached file puts these dates into your calendar.") if attached else "",
    }
    return Message(
        message_id=what.message_id,
        to_name=what.person.name,
        to_address=what.person.mail,
        subject=subject(what, ordered[0].duty, text),
        text=_render("digest.txt.j2", view),
        html=_render("digest.html.j2", view),
        sent_at=now,
        reply_to=letterhead.reply_to.mail if letterhead.reply_to else "",
        attached=attached,
    )


def subject(what: Digest, first: Duty, text: Text) -> str:
    """【TICS】更新審査の申込み期限まで30日（2027年9月30日） ほか2件"""
    days, day = (first.due_on - what.day).days, day_text(first.due_on, text.lang)
    line = _subject_line(days, _what(first, text, LONGEST_NAME), day, text)
    more = len({notice.duty.id for notice in what.notices}) - 1
    return one_line(text("{line} and {count} more", line=line, count=more) if more else line)


def _subject_line(days: int, name: str, day: str, text: Text) -> str:
    match days:
        case 0:
            return text("[TICS] today: {what} ({day})", what=name, day=day)
        case 1:
            return text("[TICS] tomorrow: {what} ({day})", what=name, day=day)
        case -1:
            return text("[TICS] since yesterday overdue: {what} ({day})", what=name, day=day)
        case _ if days < 0:
            return text("[TICS] {days} days overdue: {what} ({day})", days=-days, what=name, day=day)
    return text("[TICS] {days} days left: {what} ({day})", days=days, what=name, day=day)


def one_line(words: str) -> str:
    """Line feeds and control characters as blanks: a title may hold them, a mail's header may not."""
    return " ".join(
        "".join(char if char.isprintable() or char == "\u3000" else " " for char in words).split(" ")
    ).strip()


def _urgency(duty: Duty, today: date) -> tuple[int, date, str]:
    days, certificate = (duty.due_on - today).days, duty.kind in CERTIFICATE_KINDS
    rank = (0 if days < 0 else 1 if days <= SOON else 2) if certificate else 2
    return rank, duty.due_on, duty.id


def _what(duty: Duty, text: Text, longest: int = 200) -> str:
    if duty.kind in _WHAT:
        return _WHAT[duty.kind].in_language(text.lang)
    name = one_line(text.said(duty.subject or duty.title))
    name = name if len(name) <= longest else name[: longest - 1] + "…"
    return _WHAT_OF.get(duty.kind, _OTHER).in_language(text.lang).replace("{name}", name)


def _entry(notice: Notice, today: date, letterhead: Letterhead, text: Text) -> Entry:
    duty, days = notice.duty, (notice.duty.due_on - today).days
    return Entry(
        title=text.said(duty.title),
        day=day_text(duty.due_on, text.lang, weekday=True),
        left=_left(days, text),
        tone="late" if days < 0 else "soon" if days <= SOON else "calm",
        ask=_ask(duty, days, text),
        notes=tuple(_notes(notice, days, text)),
        place=letterhead.places.get(duty.id, ""),
        reply=_reply(notice.person, letterhead, text) if _recordable(duty) else "",
        command=_command(duty, today, text),
    )


def _recordable(duty: Duty) -> bool:
    """Whether a person records it as submitted; a renewal is recorded by the new certificate's dates."""
    return duty.kind in CERTIFICATE_KINDS and duty.kind != "renewal"


def _command(duty: Duty, today: date, text: Text) -> str:
    if duty.kind == "credential_expiry":
        return "ticssync doctor"
    return done_command(duty, today, text) if _recordable(duty) else ""


def _left(days: int, text: Text) -> str:
    match days:
        case 0:
            return text("today")
        case 1:
            return text("tomorrow")
        case -1:
            return text("overdue since yesterday")
        case _ if days < 0:
            return text("{days} days overdue", days=-days)
    return text("{days} days left", days=days)


def _ask(duty: Duty, days: int, text: Text) -> str:
    name = text.said(duty.subject)
    match duty.kind:
        case "periodic_report":
            return text("Please submit the periodic report to the certification body ({body}).", body=name)
        case "renewal_apply":
            return text("Please apply to the certification body ({body}) for the renewal audit.", body=name)
        case "renewal" if days >= 0:
            return text(
                "Please complete the renewal audit and enter the new certificate's dates in ticssync.yaml."
            )
        case "renewal":
            return text(
                "The certificate has expired. Please check with the certification body ({body}) at once.",
                body=name,
            )
        case "evidence_expiry":
            return text("Please hand in new evidence for “{name}”.", name=name)
        case "credential_expiry":
            return text("Please issue a new key for “{name}” and replace the old one, then check.", name=name)
        case _:
            return text("Please finish “{name}” and set it to done in the tracker.", name=name)


def _notes(notice: Notice, days: int, text: Text) -> Sequence[str]:
    duty, found = notice.duty, []
    if duty.target_on and duty.target_on != duty.due_on and days >= 0:
        found.append(
            text(
                "That is not a working day: please finish by {day}.",
                day=day_text(duty.target_on, text.lang, weekday=True),
            )
        )
    if days < 0 and _recordable(duty):
        found.append(text("If it has been submitted already, record it: the reminders then stop."))
    if duty.basis is not Basis.CONFIRMED:
        found.append(basis_words(duty, text))
    if any(step.climbs for step in notice.steps):
        found.append(
            text("This reminder also goes to the next role, because the date passed more than a week ago.")
        )
    return found


def _reply(person: Person, letterhead: Letterhead, text: Text) -> str:
    to = letterhead.reply_to
    if to is None or to.id == person.id:
        return ""
    return text(
        "When it is done, please reply to this mail with a copy of what you submitted (it goes to {name}).",
        name=to.name,
    )


def _missed(what: Digest, text: Text) -> str:
    missed = [step.on for notice in what.notices for step in notice.missed]
    if not missed:
        return ""
    return text(
        "Reminders since {day} had not been sent ({count}); this mail stands for all of them.",
        count=len(missed),
        day=day_text(min(missed), text.lang),
    )


def _labels(text: Text) -> dict[str, str]:
    return {
        "head": text("TICS deadlines"),
        "first": text("Please do this first"),
        "others": text("Other dates"),
        "due": text("Due"),
        "place": text("Where"),
        "command": text("To record it (for the admin)"),
        "footer": text("Sent by ticssync. Once submission is recorded, the reminders stop."),
    }


def _dated(what: Digest) -> list[Duty]:
    return [notice.duty for notice in what.notices if notice.duty.kind in CERTIFICATE_KINDS]


def _attached(what: Digest, letterhead: Letterhead, text: Text, now: datetime) -> tuple[Attached, ...]:
    dated = _dated(what)
    if not dated:
        return ()
    content = calendar_file(
        dated, workspace=letterhead.workspace, company=letterhead.company, stamp=now, text=text
    )
    return (Attached("tics-deadlines.ics", "text/calendar; method=PUBLISH", content),)


def _render(name: str, view: Mapping[str, object]) -> str:
    return _pages().get_template(name).render(view)


@cache
def _pages() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
