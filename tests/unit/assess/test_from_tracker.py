"""Whose confirmation an entry of a tracker's history is, and what speaks against taking it."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from ticssync.assess.from_tracker import (
    Case,
    Claim,
    NotTaken,
    Sign,
    actor_of,
    confirmed_from,
    sign_of,
    source_of,
    who_confirms,
)
from ticssync.config.people import Organisation
from ticssync.mapping import Mapping
from ticssync.model.assessment import Act, ActKind
from ticssync.model.person import Person
from ticssync.model.task import RemoteRef
from ticssync.plugin import FieldChange

AT: Final = datetime(2026, 4, 1, 15, 30, tzinfo=timezone.utc)
TOKYO: Final = ZoneInfo("Asia/Tokyo")
REF: Final = RemoteRef("redmine", "12")
PEOPLE: Final = Organisation({"sato": Person("sato", "佐藤 花子", accounts={"redmine": "5", "jira": "900"})})
SIGN: Final = Sign("status", "status_id", "7", "7")


def entry(ident: str = "31", **changes: object) -> FieldChange:
    values = {"field": "status_id", "old": "5", "new": "7", "author": "5", "at": AT, "author_name": "佐藤"}
    return FieldChange(id=ident, **{**values, **changes})  # type: ignore[arg-type]


def act(kind: ActKind = ActKind.CONFIRM, *, at: datetime = AT, source: str = "", channel: str = "cli") -> Act:
    return Act(
        9, kind, "tics/T-14", "", "sato", "佐藤 花子", "manager", "hanako@pc", channel, date(2026, 4, 1), at,
        source=source,
    )  # fmt: skip


def said(case: Case) -> Claim | NotTaken | None:
    return who_confirms(case, PEOPLE, frozenset({"900"}), TOKYO)


def test_the_account_of_a_person_is_that_persons_claim_on_the_companys_day() -> None:
    """15:30 UTC is the next day in Tokyo."""
    assert said(Case(REF, entry(), (), confirmed=False)) == Claim("sato", date(2026, 4, 2))


def test_an_account_of_another_tracker_is_nobody() -> None:
    """`900` is sato's in Jira; here it is ours, and `6` is nobody's."""
    ours, nobody = (said(Case(REF, entry(author=one), (), confirmed=False)) for one in ("900", "6"))

    assert isinstance(ours, NotTaken)
    assert isinstance(nobody, NotTaken)
    assert "{redmine: 6}" in nobody.fix
    assert ours.why != nobody.why


def test_what_ticssync_wrote_because_it_was_confirmed_is_nothing_to_tell() -> None:
    """`on_confirm` writes the very status: no notice about our own account then."""
    assert said(Case(REF, entry(author="900"), (act(),), confirmed=True)) is None


def test_an_entry_is_taken_once_and_a_newer_one_is_another() -> None:
    taken = act(source=source_of(REF, entry()), channel="tracker", at=AT + timedelta(hours=1))
    newer = entry("32", at=AT + timedelta(minutes=1))

    assert said(Case(REF, entry(), (taken,), confirmed=False)) is None
    assert isinstance(said(Case(REF, newer, (taken,), confirmed=False)), Claim)


def test_a_tracker_that_got_another_name_has_the_same_entries() -> None:
    """`tracker rename` must not make a second act of what was taken under the old name."""
    taken = act(source=source_of(RemoteRef("old", "12"), entry()), channel="tracker")

    assert said(Case(REF, entry(), (taken,), confirmed=False)) is None
    assert confirmed_from(taken, REF)


def test_the_same_number_in_another_task_is_another_entry() -> None:
    """Histories count for themselves in some trackers."""
    assert source_of(REF, entry()) != source_of(RemoteRef("redmine", "13"), entry())
    assert confirmed_from(act(source=source_of(REF, entry())), REF)
    assert not confirmed_from(act(source=source_of(RemoteRef("redmine", "123"), entry())), REF)
    assert not confirmed_from(None, REF)


def test_an_act_of_a_person_after_the_entry_overtakes_it() -> None:
    later = [act(kind, at=AT + timedelta(seconds=1)) for kind in ActKind]
    earlier = [act(kind, at=AT - timedelta(seconds=1)) for kind in ActKind]

    assert [said(Case(REF, entry(), (one,), confirmed=False)) for one in later] == [None] * len(later)
    assert all(isinstance(said(Case(REF, entry(), (one,), confirmed=False)), Claim) for one in earlier)


def test_evidence_that_came_after_the_entry_was_not_confirmed_by_it() -> None:
    moments = (AT - timedelta(seconds=1), AT, AT + timedelta(seconds=1))
    found = [said(Case(REF, entry(), (), confirmed=False, touched_at=one)) for one in moments]

    assert [type(one) for one in found] == [Claim, Claim, NotTaken]


def test_no_entry_proves_nobody_and_says_so_unless_it_is_confirmed_otherwise() -> None:
    assert isinstance(said(Case(REF, None, (), confirmed=False)), NotTaken)
    assert said(Case(REF, None, (act(),), confirmed=True)) is None


def test_the_newest_entry_that_set_it_counts() -> None:
    """By its place in the history; other fields, other values and leaving the status are no confirmation."""
    left = entry("33", old="7", new="5")
    other = entry("34", field="priority_id", new="7")
    history = [entry("31"), entry("32", author="6"), left, other]

    found = SIGN.newest(history)
    assert found is not None
    assert found.id == "32"
    assert SIGN.newest([left, other]) is None


def mapping(**more: object) -> Mapping:
    fields = {"status": "status_id", "check": {"to": "cf_9", "owner": "tracker"}}
    return Mapping.model_validate(
        {"version": 1, "kind": "redmine", "fields": fields, "statuses": {"1": "todo", "7": "done"}, **more}
    )


def test_the_mapping_says_what_means_confirmed_in_the_trackers_own_words() -> None:
    by_status = sign_of(mapping(confirm_when={"status": "7"}))
    by_field = sign_of(mapping(confirm_when={"field": "cf_9", "value": "確認済"}))

    assert by_status == SIGN
    assert by_field == Sign("check", "cf_9", "確認済", "確認済")
    assert sign_of(mapping()) is None
    assert sign_of(mapping(confirm_when={"field": "cf_8", "value": "確認済"})) is None


def test_a_field_is_compared_as_it_is_read() -> None:
    """`values:` of the mapping says what the tracker's option 3 reads as."""
    sign = sign_of(mapping(confirm_when={"field": "cf_9", "value": "3"}, values={"check": {"3": "確認済"}}))

    assert sign is not None
    assert [sign.stands("7", {"check": one}) for one in ("確認済", "3", "未", None)] == [
        True,
        True,
        False,
        False,
    ]
    assert not sign.stands("3", {})


def test_the_account_is_shown_as_the_tracker_shows_it_on_one_line() -> None:
    """A line feed in a name must not break the chain of the log."""
    assert actor_of("redmine", entry(author_name="髙﨑\n㈱\x00🔒")) == "髙﨑 ㈱\ufffd🔒 (5)@redmine"
    assert actor_of("redmine", entry(author_name="")) == "5@redmine"


INSTANTS: Final = st.integers(-3, 3).map(lambda hours: AT + timedelta(hours=hours))
ACTS: Final = st.builds(
    lambda kind, at, ours: act(kind, at=at, channel="tracker" if ours else "cli", source="tracker:x" if ours else ""),
    st.sampled_from(list(ActKind)), INSTANTS, st.booleans(),
)  # fmt: skip
CASES: Final = st.builds(
    lambda author, acts, confirmed, touched: Case(REF, entry(author=author), acts, confirmed, touched),
    st.sampled_from(["5", "6", "900"]), st.lists(ACTS, max_size=3), st.booleans(), st.none() | INSTANTS,
)  # fmt: skip


def test_only_a_known_person_who_had_the_last_word_makes_a_claim() -> None:
    """Whatever else is so.  All three answers are met, and in no case does taking it twice claim again."""
    met: Counter[str] = Counter()

    @settings(max_examples=300, deadline=None)
    @given(CASES)
    def run(case: Case) -> None:
        found = said(case)
        met[type(found).__name__] += 1
        if isinstance(found, Claim):
            assert case.entry is not None
            assert case.entry.author == "5"
            assert not case.evidence_changed
            assert all(one.at < AT for one in case.acts if one.channel != "tracker")
            taken = act(source=source_of(REF, case.entry), channel="tracker")
            assert said(Case(REF, case.entry, [*case.acts, taken], confirmed=True)) is None

    run()

    assert min(met[name] for name in ("Claim", "NotTaken", "NoneType")) > 10
