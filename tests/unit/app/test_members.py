"""Members of a project as people of ticssync.yaml."""

from ticssync.app.members import Member, as_people, likely_owner, members


def test_a_plain_name_becomes_the_id_and_any_other_the_account():
    found = members({"5": "太郎 山田", "6": "Hanako Sato", "712020:ab-cd": "髙﨑 誠"}, "factory", ())

    assert [one.person for one in found] == ["p5", "hanako_sato", "p712020abcd"]
    assert as_people(found, "factory")["p5"] == {"name": "太郎 山田", "accounts": {"factory": "5"}}


def test_who_was_named_beforehand_keeps_that_id():
    """The same account under two ids would make its tasks nobody's."""
    sets = (("people.yamada.name", "山田 太郎"), ("people.yamada.accounts.factory", "5"), ("people.p6.name", "他人"))  # fmt: skip

    assert [one.person for one in members({"5": "太郎 山田", "6": "花子"}, "factory", sets)] == [
        "yamada",
        "p6_",
    ]


def test_two_of_the_same_name_are_two_people():
    assert [one.person for one in members({"1": "Abe", "2": "Abe"}, "x", ())] == ["abe", "p2"]


def test_the_account_of_ticssync_itself_is_proposed_last():
    own, other = Member("bot", "ticssync", "1"), Member("p2", "花子", "2")

    assert likely_owner([own, other], "1") == other
    assert likely_owner([own], "1") == own
    assert likely_owner([], "1") is None
