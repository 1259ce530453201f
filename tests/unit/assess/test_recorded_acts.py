"""The order of acts is that of recording."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone

from ticssync.model.assessment import Act, ActKind
from ticssync.store import Store
from ticssync.store.acts import acts, record_act

NOW = datetime(2026, 11, 24, 3, tzinfo=timezone.utc)


def test_acts_stand_in_the_order_of_recording_not_of_the_days_that_people_give() -> None:
    """A return that is entered with an earlier day is still the last word."""
    confirmed = Act(
        0, ActKind.CONFIRM, "tics/T-14", "", "sato", "佐藤 花子", "manager", "admin@pc", "cli",
        date(2026, 11, 20), NOW,
    )  # fmt: skip
    returned = replace(confirmed, kind=ActKind.RETURN, on=date(2026, 1, 1), reason="名簿がない")
    store = Store.memory("k7m2q9wx4d", lambda: NOW)
    with store.write() as tx:
        for act in (confirmed, returned):
            record_act(tx, act)

        assert [act.kind for act in acts(tx, "tics/T-14")] == [ActKind.CONFIRM, ActKind.RETURN]
