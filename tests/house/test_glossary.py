"""The glossary holds the words that the product shows."""

import re
from pathlib import Path

from ticssync.model.person import Role
from ticssync.model.state import LABEL, LATE_LABEL, PILE_LABEL, Pile, State

DOCS = Path(__file__).resolve().parents[2] / "docs"
GLOSSARY = (DOCS / "reference" / "glossary.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", GLOSSARY, flags=re.MULTILINE)


def test_states_are_spelled_as_in_the_product():
    """Code, Japanese and English of every state, in the order of the table."""
    assert [(state.value, LABEL[state].ja, LABEL[state].en) for state in State] == ROWS


def test_piles_and_late_are_there():
    """The three piles and the flag."""
    piles = [PILE_LABEL[pile] for pile in (Pile.CONFIRMED, Pile.WAITING, Pile.OPEN)]

    assert [words.ja for words in (*piles, LATE_LABEL) if f"**{words.ja}** {words.en}" not in GLOSSARY] == []


def test_every_role_has_its_word():
    """The closed list of roles."""
    assert [role.value for role in Role if f"| {role.value} |" not in GLOSSARY] == []


def test_the_page_on_states_has_all_of_them():
    """Managers read about every state that they can meet, in the order that decides."""
    page = (DOCS / "explanation" / "states.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| (.+?) \| .+? \| .+? \|$", page, flags=re.MULTILINE)[1:]

    assert shown == [LABEL[state].ja for state in State]
