"""Our block in an issue's description: what people wrote around it stays, byte for byte."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins.redmine.tests.desk import marker

from ticssync.plugin import canonical_text
from ticssync_redmine.block import BEGIN, END, compose, parse

LANGS = ("ja", "en")
NASTY = [
    *END.values(),
    *BEGIN.values(),
    f"{END['ja']} [{marker()}]",
    f" {END['en']}",
    "▲ ticssync と書いた行",
    "▼ ticssync",
    "▲",
]
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12) | st.sampled_from(NASTY)
TEXTS = st.lists(LINES, max_size=6).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\n\n"]).map(lambda gap: gap.join(lines))
)
BODIES = TEXTS.map(canonical_text)
PEOPLES = TEXTS.filter(lambda text: parse(text).body is None)
"""What a person wrote who did not copy our closing sentence as a line of its own."""
MARKERS = st.sampled_from([None, marker("T-14"), marker("T-15")])
REACHED: Counter[str] = Counter()


@given(PEOPLES, BODIES, MARKERS, st.sampled_from(LANGS), TEXTS, BODIES, MARKERS, st.sampled_from(LANGS))
def test_what_stands_around_stays(before, body, mark, lang, after, body_2, mark_2, lang_2):
    """Whatever is written into the block, the text before it and after it keeps every byte."""
    first = compose(before, body, mark, lang)
    written = first + "\n" + after
    parts = parse(written)
    second = compose(written, body_2, mark_2, lang_2)
    REACHED["text above" if before.strip() else "nothing above"] += 1
    REACHED["text below" if after else "nothing below"] += 1

    if parts.before:
        assert parts.before.startswith(before)
        assert second.startswith(before)
    # What stood above may have been our own body without its closing line: then its rest is below now.
    assert (parts.body, parts.marker, parts.after) == (body, mark, parse(first).after + "\n" + after)
    again = parse(second)
    assert (again.before, again.after) == (parts.before, parts.after)
    assert (again.body, again.marker) == (body_2, mark_2)


@given(TEXTS, BODIES, MARKERS, st.sampled_from(LANGS))
def test_composing_twice_is_composing_once(old, body, mark, lang):
    """The same block again changes nothing: no endless echo of our own writes."""
    once = compose(old, body, mark, lang)

    assert compose(once, body, mark, lang) == once


@given(BODIES, MARKERS, st.sampled_from(LANGS))
def test_a_body_comes_back_as_it_went(body, mark, lang):
    """Also one that holds lines like our own."""
    parts = parse(compose("", body, mark, lang))

    assert (parts.before, parts.body, parts.after, parts.marker) == ("", body, "", mark)


@given(PEOPLES.filter(str.strip), BODIES, MARKERS)
def test_an_issue_that_was_theirs_keeps_its_text_above(theirs, body, mark):
    """Adopted: their description stands above ours, to the byte, unless it already is ours."""
    written = compose(theirs, body, mark, "ja")

    if canonical_text(theirs).split("\n")[: body.count("\n") + 1] != body.split("\n") or not body:
        REACHED["adopted"] += 1
        assert written.startswith(theirs)
        assert BEGIN["ja"] in written


def test_the_ways_were_reached():
    """The properties above try what they are there for."""
    test_what_stands_around_stays()
    test_an_issue_that_was_theirs_keeps_its_text_above()

    assert {"text above", "nothing above", "text below", "nothing below", "adopted"} <= REACHED.keys()


def test_line_ends_of_a_browser():
    """Redmine's pages send CRLF: the block is found, and what follows keeps its line ends."""
    written = compose("", "一行目\n二行目", marker(), "ja") + "\nメモ"
    browser = written.replace("\n", "\r\n") + "\r\n"

    parts = parse(browser)

    assert (parts.body, parts.marker, parts.after) == ("一行目\n二行目", marker(), "\r\nメモ\r\n")
    assert compose(browser, "新しい", marker(), "ja").endswith("]\r\nメモ\r\n")


@pytest.mark.parametrize("gap", ["\n", "\r\n"])
def test_a_closing_line_that_a_person_deleted_comes_back(gap: str):
    """Our text still stands at the top: it is taken as the block, nothing is doubled, their lines stay."""
    left = f"一行目{gap}二行目{gap}{gap}私のメモ{gap}"

    written = compose(left, "一行目\n二行目", marker(), "ja")

    assert written == f"一行目\n二行目\n\n{END['ja']} [{marker()}]{gap}{gap}私のメモ{gap}"


def test_a_text_that_only_begins_like_ours_is_theirs():
    """A line that goes on after our words is a person's line and is not taken away."""
    theirs = "規程を作る、と社長が言いました。\n期限は未定です。"

    written = compose(theirs, "規程を作る", None, "ja")

    assert written.startswith(theirs)


def test_a_closing_line_that_a_person_changed_is_no_longer_ours():
    """Words added to it make it theirs; the block gets a closing line of its own again."""
    left = compose("", "本文", None, "ja") + " 了解です"

    written = compose(left, "本文", None, "ja")

    assert written == f"本文\n\n{END['ja']}\n\n{END['ja']} 了解です"


def test_a_person_s_line_with_a_triangle_ends_no_block():
    """▲ and the word ticssync in a line of theirs are just words."""
    theirs = "▲ ticssync の説明はこちら\n本文"

    assert parse(theirs).body is None
    assert compose(theirs, "ours", None, "ja").startswith(theirs)


def test_the_marker_is_set_moved_and_taken_away():
    """It stands at the end of the closing line; a damaged one is none."""
    text = compose("", "本文", None, "ja")
    assert parse(text).marker is None
    text = compose(text, "本文", marker("T-14"), "ja")
    assert parse(text).marker == marker("T-14")
    text = compose(text, "本文", marker("T-15"), "ja")
    assert parse(text).marker == marker("T-15")
    assert marker("T-14") not in text
    damaged = text.replace("T-15", "T-16")
    assert parse(damaged).marker is None
    assert parse(damaged).body == "本文"
    assert parse(compose(damaged, "本文", "", "ja")).marker is None
    assert "[" not in compose(damaged, "本文", None, "ja")


@pytest.mark.parametrize(("was", "becomes"), [("ja", "en"), ("en", "ja")])
def test_the_language_may_change(was: str, becomes: str):
    """A block written in one language is found and written anew in the other."""
    old = compose("前から\n", "本文", marker(), was) + "\n後ろ"

    new = compose(old, "本文", marker(), becomes)

    assert new == f"前から\n{BEGIN[becomes]}\n本文\n\n{END[becomes]} [{marker()}]\n後ろ"


def test_an_empty_body_leaves_the_closing_line():
    """Nothing to say is still a place that is ours."""
    text = compose(compose("", "本文", None, "ja"), None, None, "ja")

    assert text == END["ja"]
    assert parse(text).body == ""
