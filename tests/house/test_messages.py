"""Neither language misses a sentence."""

from pathlib import Path

import pytest
from tools.messages import Domain, domains, extract, places, problems, update


@pytest.mark.parametrize("domain", domains(), ids=lambda domain: domain.name)
def test_the_catalogue_is_complete(domain: Domain):
    """Every message of the code has a Japanese one with the same places, none in doubt, all compiled."""
    lines = problems(domain)

    assert not lines, "\n".join(lines)


@pytest.fixture
def package(tmp_path: Path) -> Domain:
    """A small package with an empty catalogue."""
    source = tmp_path / "thing"
    (source / "store").mkdir(parents=True)
    return Domain("thing", source, source / "locale", plain_text=("store",))


def write(domain: Domain, text: str, name: str = "module.py") -> Domain:
    """Put a file into the package."""
    (domain.source / name).write_text(text, encoding="utf-8")
    return domain


def test_a_message_over_several_lines_is_one(package: Domain):
    """Adjacent literals are joined as Python joins them."""
    write(package, 'say(\n    "{file} is "\n    "not a workbook",\n    file=name,\n)\n')

    assert extract(package).messages.keys() == {"{file} is not a workbook"}


def test_all_spellings_of_a_message_are_found(package: Domain):
    """Called plainly, on self, on an opening, either branch of a choice."""
    write(
        package, 'text("a")\nself.text("b", x=1)\nopening.text("c")\nself._text("d")\ntr("e" if x else "f")\n'
    )

    assert extract(package).messages.keys() == set("abcdef")


def test_text_in_the_store_is_sql(package: Domain):
    """In the store `text` is SQLAlchemy's: only `say` is a message there."""
    write(package, 'text("SELECT 1")\nsay("the store is newer")\n', "store/x.py")

    assert extract(package).messages.keys() == {"the store is newer"}


def test_templates_are_read(package: Domain):
    """A Jinja template's calls and filters are messages too."""
    write(package, '<h1>{{ text("Due") }}</h1>{% if x %}{{ "Late"|t }}{% endif %}', "page.html.j2")

    assert extract(package).messages.keys() == {"Due", "Late"}


def test_an_f_string_is_a_fault(package: Domain):
    """What is filled in before translation can never be translated."""
    write(package, 'say(f"{name} is missing")\n')

    assert extract(package).faults == ["thing/module.py:1: an f-string cannot be translated; use {places}"]


def test_what_is_missing_is_named(package: Domain):
    """A message without Japanese, and one whose places differ, are both reported."""
    write(package, 'say("{a} is due")\nsay("late")\n')
    update(package, {"{a} is due": "{b}の期限です"})

    assert problems(package) == ["without Japanese: 'late'", "other places: '{a} is due' → '{b}の期限です'"]


def test_a_stale_catalogue_is_named(package: Domain):
    """Code that moved on is noticed, and so is a compiled file that did not follow."""
    update(write(package, 'say("one")\n'), {"one": "一"})
    write(package, 'say("two")\n')
    package.mo.unlink()

    assert problems(package) == [
        "not in the catalogue: 'two'",
        "no longer in the code: 'one'",
        "the .mo is older than the .po",
    ]


def test_known_translations_are_kept(package: Domain):
    """An update fills what is empty and touches nothing that is there; twice gives the same bytes."""
    update(write(package, 'say("one")\n'), {"one": "一"})
    first = package.po.read_bytes(), package.mo.read_bytes()
    update(package, {"one": "壱"})

    assert (package.po.read_bytes(), package.mo.read_bytes()) == first
    assert problems(package) == []


def test_places_ignore_formats():
    """`{n:,}` and `{n}` are the same place."""
    assert places("{n:,} of {person.name}") == {"n", "person"}
