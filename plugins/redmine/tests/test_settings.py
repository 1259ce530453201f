"""What ticssync.yaml says of a Redmine, and what is said where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugins.redmine.tests.desk import KEY, URL
from pydantic import ValidationError

from ticssync.text import Text
from ticssync.yamlfile import Located, model_problems
from ticssync_redmine.settings import RedmineSettings


def said(lang: str = "ja", **given: object) -> list[str]:
    """The problems of these settings as the host shows them."""
    located = Located({}, "ticssync.yaml", {}, ())
    with pytest.raises(ValidationError) as found:
        RedmineSettings(**{"url": URL, "project": "tics", **given})  # type: ignore[arg-type]
    problems = model_problems(located, found.value, ["trackers", "factory"])
    return [Text(lang).said(one.message) for one in problems]


@pytest.mark.parametrize(
    "url",
    [
        URL,
        f"{URL}/",
        f" {URL} ",
        f"{URL}/projects/tics/issues",
        f"{URL}/projects",
        f"{URL}/issues/12",
        f"{URL}/issues?query_id=3",
    ],
)
def test_what_the_browser_shows_is_taken(url: str):
    """Any page's address becomes the address of the Redmine."""
    assert RedmineSettings(url=url, project="tics").url == URL


def test_a_redmine_below_a_path():
    found = RedmineSettings(url="https://www.example.test/redmine/projects/tics", project="tics")

    assert found.url == "https://www.example.test/redmine"


@pytest.mark.parametrize(
    "project",
    [
        "tics",
        " tics ",
        f"{URL}/projects/tics",
        f"{URL}/projects/tics/issues?set_filter=1",
        "/projects/tics/settings",
    ],
)
def test_the_project_s_address_will_do(project: str):
    assert RedmineSettings(url=URL, project=project).project == "tics"


@pytest.mark.parametrize(
    "project", ["技術情報", "Tics", "", "a b", "../users", "tics?key=1", f"{URL}/projects/"]
)
def test_a_name_is_no_identifier(project: str):
    """What could not stand in an address is told; the value is not repeated."""
    (one,) = said(project=project)

    assert one.startswith("trackers.factory.project")
    assert "技術情報" not in one


@pytest.mark.parametrize("url", ["redmine.example.test", "ftp://redmine.example.test", "", "https://"])
def test_a_wrong_address_is_told_in_japanese(url: str):
    (one,) = said(url=url)

    assert one.startswith("trackers.factory.url: ")
    assert "https://" in one
    assert any("ぁ" <= char <= "ん" for char in one)


def test_a_password_in_the_address_is_refused_and_not_repeated():
    (one,) = said(url="https://name:himitsu@redmine.example.test")

    assert "himitsu" not in one
    assert "パスワード" in one


def test_a_key_in_the_open_wants_a_word():
    """http:// only where somebody says so, or on this machine."""
    (one,) = said(url="http://redmine.example.test")

    assert "allow_insecure: true" in one
    assert RedmineSettings(url="http://redmine.example.test", project="tics", allow_insecure=True)
    assert RedmineSettings(url="http://127.0.0.1:3000", project="tics")


def test_several_problems_come_at_once():
    assert len(said(url="x", project="X", colour="red")) == 3


def test_the_key_shows_nowhere():
    found = RedmineSettings(url=URL, project="tics", api_key=KEY)  # type: ignore[arg-type]

    assert KEY not in f"{found!r} {found} {found.model_dump()} {found.model_dump_json()}"
    assert found.api_key.get_secret_value() == KEY


def test_a_problem_with_the_key_does_not_repeat_it():
    with pytest.raises(ValidationError) as found:
        RedmineSettings(url="x", project="tics", api_key=KEY)  # type: ignore[arg-type]

    assert KEY not in str(found.value)


def test_the_authority_s_file_is_a_path():
    assert RedmineSettings(url=URL, project="tics", ca_file="ca.pem").ca_file == Path("ca.pem")  # type: ignore[arg-type]
