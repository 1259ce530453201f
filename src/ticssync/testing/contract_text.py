"""The tracker contract: Japanese text, byte for byte after its canonical form, and the law of the view."""

from __future__ import annotations

from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticssync.plugin import Done, FieldValue, canonical_text
from ticssync.testing.bench import Bench
from ticssync.testing.samples import BODIES, OTHER_VALUES, STATUSES, TITLES, VALUES

TEXT_FIELDS: Final = ("title", "body")
JAPANESE: Final = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cc", "Cs")),
        st.sampled_from("\n\r \u3000\tがが髙﨑㈱㊙〜～＝=+@'\"0１𠮷🔒\u200d"),
    ),
    max_size=400,
)
"""Any text that a person may type, with the letters that break things among it often."""


class TextLaws:
    """Nasty text and the view."""

    def test_nasty_titles_come_back_as_they_were(self, bench: Bench) -> None:
        """Every title reads back as its view, and the view keeps it: nothing becomes ? or 12 or a formula."""
        drafts = {what: bench.draft(title=text) for what, text in TITLES.items()}
        refs = dict(zip(drafts, bench.create(*drafts.values()), strict=True))
        read = {what: bench.read(ref).fields["title"] for what, ref in refs.items()}

        assert read == {what: bench.tracker.view("title", text) for what, text in TITLES.items()}
        assert read == {what: canonical_text(text) for what, text in TITLES.items()}

    def test_nasty_bodies_come_back_as_they_were(self, bench: Bench) -> None:
        """Lines, blanks, markup and formulas in a body stay text."""
        bench.need("body")
        drafts = {what: bench.draft(body=text) for what, text in BODIES.items()}
        refs = dict(zip(drafts, bench.create(*drafts.values()), strict=True))
        read = {what: bench.read(ref).fields["body"] for what, ref in refs.items()}

        assert read == {what: bench.tracker.view("body", text) for what, text in BODIES.items()}
        assert {what: bench.tracker.view("body", text) for what, text in TITLES.items()} == {
            what: canonical_text(text) for what, text in TITLES.items()
        }

    def test_nasty_text_survives_an_update_too(self, bench: Bench) -> None:
        """A change sends text as a create does."""
        ref = bench.made()
        read = {}
        for what, text in TITLES.items():
            outcome = bench.put(ref, title=text)
            assert isinstance(outcome, Done), f"{what}: {outcome}"
            read[what] = bench.read(ref).fields["title"]

        assert read == {what: canonical_text(text) for what, text in TITLES.items()}

    def test_a_title_that_is_too_long_reads_back_as_its_view(self, bench: Bench) -> None:
        """However it is shortened, `view` says so beforehand, and no character is cut in two."""
        text = "𠮷髙﨑🔒" * 120
        ref = bench.made(title=text)
        read = bench.read(ref).fields["title"]

        assert read == bench.tracker.view("title", text)
        assert isinstance(read, str)
        assert "\ufffd" not in read
        assert not any("\ud800" <= char <= "\udfff" for char in read)

    def test_a_view_of_a_view_is_the_view(self, bench: Bench) -> None:
        """`view(view(v)) == view(v)` for every field and any text: else the host would write for ever."""
        names = [name for name in TEXT_FIELDS if bench.tracker.holds(name)]

        @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(text=JAPANESE)
        def law(text: str) -> None:
            for name in names:
                once = bench.tracker.view(name, text)
                assert bench.tracker.view(name, once) == once

        law()

    def test_a_view_of_a_view_is_the_view_for_every_field(self, bench: Bench) -> None:
        """The same for every value that a mapping may write, and for "empty"."""
        values: dict[str, list[FieldValue]] = {
            name: [VALUES[name], OTHER_VALUES[name], None] for name in VALUES
        }
        values |= {"status": list(STATUSES), "assignee": [*bench.site.people, "nobody-of-that-name", None]}
        cases = [(name, value) for name in values if bench.tracker.holds(name) for value in values[name]]
        once = {case: bench.tracker.view(*case) for case in cases}

        assert {(name, value): bench.tracker.view(name, seen) for (name, value), seen in once.items()} == once

    def test_what_was_read_is_its_own_view(self, bench: Bench) -> None:
        """A value that came from the tracker is in canonical form: compared with a view, it is equal."""
        task = bench.read(bench.create(bench.full_draft())[0])

        assert bench.views(task.fields) == dict(task.fields)

    def test_text_that_nobody_sees_makes_no_change(self, bench: Bench) -> None:
        """Line ends and trailing blanks are not a difference: no echo comes of them."""
        texts = ("一行目\n二行目", "一行目\r\n二行目\r\n", "一行目  \n二行目　\n\n")

        assert len({bench.tracker.view("body", text) for text in texts}) == 1
