"""Any Japanese text survives the way into a mail and out again."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.builtin.test_mail import MESSAGE

from ticssync.builtin.eml import AddressError, envelope, mail_bytes

SENDER = "tics@example.co.jp"
WORDS = st.text(
    st.sampled_from("髙﨑㈱㊙〜🔒更新審査の申込み期限、。（）「」 abcXYZ019,;:<>\"'\\@=?_-　がが𠮷"),
    min_size=1,
    max_size=120,
)


def read(content: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


@settings(deadline=None)
@given(WORDS.filter(str.strip))
def test_subjects_survive(words: str) -> None:
    content = mail_bytes(replace(MESSAGE, subject=words), SENDER)

    assert str(read(content)["Subject"]) == words.strip()


@settings(deadline=None)
@given(WORDS.filter(str.strip))
def test_names_survive(words: str) -> None:
    content = mail_bytes(replace(MESSAGE, to_name=words), SENDER)

    # The newer parser of `email` puts blanks between encoded words of a name; the older one reads the RFC.
    name, address = parseaddr(str(email.message_from_bytes(content)["To"]))
    assert (str(make_header(decode_header(name))), address) == (
        re.sub(" +", " ", words.strip()),
        MESSAGE.to_address,
    )


@settings(deadline=None)
@given(WORDS)
def test_every_line_is_short_ascii(words: str) -> None:
    content = mail_bytes(
        replace(MESSAGE, subject=words, to_name=words, text=words * 20, html=words * 20), SENDER
    )

    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")


@given(WORDS)
@settings(deadline=None)
def test_a_long_subject_is_folded_within_78_characters(words: str) -> None:
    head = (
        mail_bytes(replace(MESSAGE, subject=words), SENDER).partition(b"Subject: ")[2].partition(b"Date: ")[0]
    )

    first, *more = head.split(b"\r\n")[:-1]
    assert len(first) <= 78 - len("Subject: ")
    assert all(len(line) <= 78 and line.startswith(b" ") for line in more)


def test_the_same_message_gives_the_same_bytes() -> None:
    assert mail_bytes(MESSAGE, SENDER) == mail_bytes(MESSAGE, SENDER)


def test_a_title_cannot_bring_a_header_of_its_own() -> None:
    mail = read(
        mail_bytes(
            replace(MESSAGE, subject="期限\r\nBcc: x@y.example", to_name="a\nBcc: x@y.example"), SENDER
        )
    )

    assert mail["Bcc"] is None
    assert str(mail["Subject"]) == "期限  Bcc: x@y.example"


@pytest.mark.parametrize("address", ["a..b@docomo.ne.jp", "a.@ezweb.ne.jp", ".x@example.jp"])
def test_addresses_of_japanese_carriers_that_break_the_rules_are_taken(address: str) -> None:
    mail = read(mail_bytes(replace(MESSAGE, to_address=address), SENDER))

    assert mail["To"].addresses[0].addr_spec.replace('"', "") == address
    assert envelope(address) == address


def test_a_domain_in_japanese_is_told_to_the_server_in_ascii() -> None:
    assert envelope("sato@日本語.example") == "sato@xn--wgv71a119e.example"


@pytest.mark.parametrize(
    "address",
    ["", "sato", "@example.jp", "sato@", "佐藤@example.jp", "a b@example.jp", "a@b.example\nX", "a@b,c"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(AddressError):
        mail_bytes(replace(MESSAGE, to_address=address), SENDER)
