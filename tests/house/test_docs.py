"""Documents are tested like code: links lead somewhere, examples load, commands exist."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import click
import pluggy
import pytest
from _pytest.mark import ParameterSet

from ticssync.cli import root as command_line
from ticssync.plugin import hookspecs

ROOT = Path(__file__).resolve().parents[2]
READMES = ["README.md", "README.en.md", "CONTRIBUTING.md", "CHANGELOG.md"]
PAGES = [*(ROOT / name for name in READMES), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced example and where it stands."""

    page: str
    kind: str
    text: str


def blocks(*kinds: str) -> list[Block]:
    """Examples of these kinds in all pages."""
    return [
        Block(page.relative_to(ROOT).as_posix(), kind, text)
        for page in PAGES
        for kind, text in FENCE.findall(page.read_text(encoding="utf-8"))
        if kind in kinds
    ]


def name(block: Block) -> str:
    """How a block is shown in a test's name."""
    return f"{block.page}:{block.text.split(chr(10), 1)[0][:30]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path):
    """A relative link names a file that is there."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [
        link.split("#")[0] for link in LINK.findall(text) if "://" not in link and not link.startswith("#")
    ]

    assert [target for target in targets if target and not (page.parent / target).exists()] == []


def test_every_page_can_be_reached():
    """Whoever starts at the index or at a README finds every page."""
    seen: set[Path] = set()
    waiting = [ROOT / "docs" / "index.md", ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        found = LINK.findall(page.read_text(encoding="utf-8"))
        waiting += [page.parent / link.split("#")[0] for link in found if "://" not in link]

    assert {page.resolve() for page in PAGES} - seen - {ROOT / "CHANGELOG.md"} == set()


def test_examples_say_what_they_are():
    """An example without a kind is an example that nobody checks."""
    known = {"console", "yaml", "toml", "json", "python", "text"}

    assert [name(block) for block in blocks(*("", "bash", "sh", "shell")) if block.kind not in known] == []


@pytest.mark.parametrize("block", blocks("yaml"), ids=name)
def test_a_configuration_example_is_right(block: Block, tmp_path: Path):
    """What a page shows as ticssync.yaml is read without a problem."""
    from ticssync.config.schema import ConfigFile
    from ticssync.yamlfile import read_yaml, validate

    file = tmp_path / "ticssync.yaml"
    file.write_text(block.text, encoding="utf-8")
    located = read_yaml(file)
    if "workspace" in located.value:
        assert validate(located, ConfigFile)[1] == []


@pytest.mark.parametrize("block", blocks("toml", "json"), ids=name)
def test_a_data_example_is_readable(block: Block):
    """TOML and JSON examples parse."""
    assert (tomllib.loads if block.kind == "toml" else json.loads)(block.text)


@pytest.mark.parametrize("block", blocks("python"), ids=name)
def test_a_python_example_runs(block: Block):
    """Examples run as they stand; hooks in them are hooks that this version has."""
    module = ModuleType("example")
    exec(compile(block.text, block.page, "exec"), module.__dict__)
    if "@hookimpl" in block.text:
        manager = pluggy.PluginManager(hookspecs.NAME)
        manager.add_hookspecs(hookspecs)
        manager.register(module)
        manager.check_pending()


def typed() -> Iterator[tuple[str, str]]:
    """(page, line) of every command in an example."""
    for block in blocks("console"):
        yield from ((block.page, line) for line in block.text.splitlines() if line.startswith("ticssync "))


def mentioned() -> Iterator[tuple[str, str]]:
    """(page, words) of every command in running text."""
    for page in PAGES:
        text = FENCE.sub("", page.read_text(encoding="utf-8"))
        found = re.findall(r"`(ticssync [^`\n]+)`", text)
        yield from ((page.relative_to(ROOT).as_posix(), words) for words in found)


def once(lines: Iterator[tuple[str, str]]) -> list[ParameterSet]:
    """Each line of a page once, shown as it is written."""
    return [pytest.param(*line, id=":".join(line)) for line in dict.fromkeys(lines)]


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that a line calls, and the words that are left for it."""
    command: click.Command = command_line
    context = click.Context(command)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            raise AssertionError(f"there is no command {words[0]}")
        command, words = found, words[1:]
    return command, words


@pytest.mark.parametrize(("page", "line"), once(mentioned()))
def test_a_command_in_the_text_exists(page: str, line: str):
    """Commands and options that a sentence names are there."""
    command, words = find(shlex.split(line)[1:])
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}

    assert [word for word in words if word.startswith("--") and word.split("=")[0] not in options] == []
