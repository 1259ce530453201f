"""The mail of the day."""

from __future__ import annotations

from datetime import date

import pytest
from icalendar import Calendar
from tests.unit.deadlines.sample import (
    APPLY,
    MORI,
    REPORT_1,
    REPORT_2,
    SATO,
    SUBMITTED,
    TOKYO,
    WORKSPACE,
    morning,
    of_main,
    recipients,
)

from ticssync.deadlines.digest import Letterhead, digest
from ticssync.deadlines.duties import Due
from ticssync.deadlines.reminders import plan_reminders
from ticssync.model.person import Person
from ticssync.plugin import Message
from ticssync.text import Text

JA, EN = Text("ja"), Text("en")
DONE = {REPORT_1: SUBMITTED, REPORT_2: SUBMITTED}
LETTERHEAD = Letterhead(WORKSPACE, "株式会社小出精密", MORI)


def mail(
    day: date,
    text: Text = EN,
    *,
    others: tuple[Due, ...] = (),
    letterhead: Letterhead = LETTERHEAD,
    person: Person = SATO,
) -> Message:
    found = of_main(day, DONE, others)
    roles = {role: [person] for role in ("manager", "owner", "admin", "executive")}
    made = plan_reminders(
        found, day, recipients(**roles), (), now=morning(day), workspace=WORKSPACE, domain="example.co.jp"
    )
    return digest(made.digests[0], letterhead, text, morning(day).astimezone(TOKYO))


@pytest.mark.parametrize(
    ("day", "subject"),
    [
        (date(2027, 8, 31), "【TICS】更新審査の申込み期限まで30日（2027年9月30日）"),
        (date(2027, 9, 29), "【TICS】明日が更新審査の申込み期限です（2027年9月30日）"),
        (date(2027, 9, 30), "【TICS】本日が更新審査の申込み期限です（2027年9月30日）"),
        (date(2027, 10, 1), "【TICS】更新審査の申込み期限を1日過ぎています（2027年9月30日）"),
        (date(2027, 10, 14), "【TICS】更新審査の申込み期限を14日過ぎています（2027年9月30日）"),
    ],
)
def test_the_subject_says_what_and_how_long(day: date, subject: str) -> None:
    assert mail(day, JA).subject == subject


def test_the_subject_counts_what_else_is_inside() -> None:
    others = (
        Due("task_due", "tics/T-14", "T-14 教育", date(2027, 9, 7)),
        Due("credential_expiry", "factory", "factory", date(2027, 9, 30)),
    )

    assert mail(date(2027, 8, 31), JA, others=others).subject.endswith("（2027年9月30日） ほか2件")


def test_a_certificates_duty_stands_before_a_task_that_is_due_sooner() -> None:
    task = Due("task_due", "tics/T-14", "T-14 教育", date(2027, 9, 7))

    text = mail(date(2027, 8, 31), others=(task,)).text

    assert text.index("apply to the certification body (JQA)") < text.index("T-14 教育")


def test_both_bodies_say_the_one_thing_the_date_and_how_to_record_it() -> None:
    message = mail(date(2027, 8, 31))

    for body in (message.text, message.html):
        assert "Please apply to the certification body (JQA) for the renewal audit." in body
        assert "30 September 2027 (Thu)" in body
        assert f"ticssync deadlines done {APPLY} --on 2027-08-31 --proof receipt.pdf" in body
        assert "has not confirmed" in body
        assert "it goes to 森 健" in body


def test_who_would_reply_to_himself_is_not_asked_to() -> None:
    message = mail(date(2027, 8, 31), letterhead=Letterhead(WORKSPACE, reply_to=SATO))

    assert "reply to this mail" not in message.text
    assert message.reply_to == SATO.mail


def test_missed_reminders_are_one_line() -> None:
    message = mail(date(2027, 9, 15))

    assert (
        "Reminders since 31 March 2027 had not been sent (6); this mail stands for all of them."
        in message.text
    )


def test_a_day_off_brings_the_target_forward_and_leaves_the_date() -> None:
    task = Due("evidence_expiry", "e-1", "入退室記録", date(2027, 9, 20))

    text = mail(date(2027, 9, 6), others=(task,)).text

    assert "20 September 2027 (Mon)" in text
    assert "please finish by 17 September 2027 (Fri)" in text


def test_what_people_named_their_tasks_stays_text() -> None:
    title = '髙﨑㈱ 🔒 <b>&amp;</b> "x"\r\nBcc: x@y.example'
    task = Due("task_due", "tics/T-14", title, date(2026, 12, 1))

    message = mail(date(2026, 11, 24), others=(task,))

    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in message.html
    assert "髙﨑㈱ 🔒 <b>&amp;</b>" in message.text
    assert "\n" not in message.subject
    assert "\r" not in message.subject


def test_a_long_title_is_cut_in_the_subject_only() -> None:
    task = Due("task_due", "tics/T-14", "教育" * 100, date(2026, 12, 1))

    message = mail(date(2026, 11, 24), others=(task,))

    assert len(message.subject) < 100
    assert "教育" * 100 in message.text


@pytest.mark.parametrize(
    ("place", "linked"), [("https://redmine.example.co.jp/issues/7", True), ("javascript:alert(1)", False)]
)
def test_only_web_addresses_become_links(place: str, *, linked: bool) -> None:
    task = Due("task_due", "tics/T-14", "T-14", date(2026, 12, 1))
    letterhead = Letterhead(WORKSPACE, places={"tics/T-14/task_due/2026-12-01": place})

    message = mail(date(2026, 11, 24), others=(task,), letterhead=letterhead)

    assert place in message.text
    assert ("<a href" in message.html) == linked


def test_certificate_duties_come_as_a_calendar_file_and_tasks_do_not() -> None:
    task = Due("task_due", "tics/T-14", "T-14", date(2027, 9, 7))

    both = mail(date(2027, 8, 31), others=(task,))
    task_only = mail(date(2026, 11, 24), others=(Due("task_due", "tics/T-14", "T-14", date(2026, 12, 1)),))

    (attached,) = both.attached
    events = list(Calendar.from_ical(attached.content.decode()).walk("VEVENT"))
    assert [str(event["UID"]) for event in events] == [f"{APPLY}@{WORKSPACE}.ticssync"]
    assert task_only.attached == ()


@pytest.mark.parametrize("kind", ["evidence_expiry", "credential_expiry", "task_due"])
def test_every_kind_of_duty_has_its_own_japanese_sentences(kind: str) -> None:
    message = mail(date(2026, 11, 24), JA, others=(Due(kind, "x", "名前", date(2026, 12, 1)),))

    assert "名前" in message.subject
    assert not any(english in message.text for english in ("Please", "due", "Due", "days", "runs out"))


def test_a_digest_without_html_tags_in_its_text_reads_on_its_own() -> None:
    message = mail(date(2027, 8, 31), JA)

    assert "佐藤 花子 様" in message.text
    assert "<" not in message.text
    assert 'lang="ja"' in message.html


def test_the_same_digest_is_the_same_message() -> None:
    assert mail(date(2027, 8, 31)) == mail(date(2027, 8, 31))
