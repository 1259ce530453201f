"""Names inside a bundle fit every system."""

from hypothesis import given
from hypothesis import strategies as st

from ticssync.bundle.naming import (
    BUDGET,
    FOLDER_MAX,
    PATH_MAX,
    bundle_name,
    is_reserved,
    is_safe_path,
    safe_extension,
    short_name,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(
    st.lists(
        TEXT | st.sampled_from(["CON", "con", "nul", "T-1", "t-1", "が", "か\u3099", "a" * 300]), max_size=12
    )
)
def test_short_names_are_safe_and_unique_whatever_the_case(texts):
    taken = set()

    names = [short_name(text, 11, taken) for text in texts]

    assert len({name.lower() for name in names}) == len(texts)
    assert all(is_safe_path(name) and len(name) <= 11 and not is_reserved(name) for name in names)


@given(TEXT, TEXT)
def test_a_folder_name_always_leaves_room_for_the_longest_path(company, purpose):
    name = bundle_name(company, purpose, "0123456789abcdef")

    assert is_safe_path(name)
    assert len(name) <= FOLDER_MAX
    assert 2 * (len(name) + 1) + PATH_MAX <= BUDGET


def test_a_japanese_company_reads_company_and_an_ascii_one_keeps_its_name():
    assert (
        bundle_name("株式会社小出精密", "renewal-2028", "1a2b3c4d5e") == "TICS-company-renewal-2028-1a2b3c4d"
    )
    assert bundle_name("Koide Inc.", "first", "1a2b3c4d5e") == "TICS-Koide-Inc-first-1a2b3c4d"


def test_what_would_run_by_a_click_is_stored_as_text_or_bin():
    names = [
        "a.HTML",
        "a.svg",
        "a.ps1",
        "x.exe",
        "x.lnk",
        "x.xlsm",
        "noext",
        "書類.PDF",
        "a.tar.gz",
        "fdp.\u202eexe",
    ]

    assert [safe_extension(name) for name in names] == [
        "txt",
        "txt",
        "txt",
        "bin",
        "bin",
        "bin",
        "bin",
        "pdf",
        "bin",
        "bin",
    ]


def test_paths_that_leave_the_folder_or_cannot_exist_on_windows_are_not_safe():
    for path in [
        "../a",
        "/a",
        "a//b",
        "a/../b",
        "C:/a",
        "a\\b",
        "a/",
        "",
        "con",
        "x/NUL.txt",
        "a.",
        "é",
        "a" * 101,
    ]:
        assert not is_safe_path(path), path
