"""The plugin host: loads the plugins that ticssync.yaml allows, and opens trackers and channels.

A plugin runs with the tokens of its tracker, so nothing is loaded but what `plugins:` names, besides our own
built-in channels, which come through the same door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

import pluggy
from pydantic import BaseModel, SecretStr, ValidationError

from ticssync import log
from ticssync.config import Config, TrackerPart
from ticssync.errors import Problem, UsageError, say
from ticssync.mapping import Mapping as TaskMapping
from ticssync.plugin import (
    API_VERSION,
    Memory,
    Notifier,
    NotifierKind,
    NotifierOpening,
    Opening,
    Table,
    TrackerDriver,
    TrackerKind,
    hookspecs,
)
from ticssync.plugin.kinds import nobody_else
from ticssync.store import Event
from ticssync.text import Text
from ticssync.yamlfile import Located, model_problems, nearest

GROUP: Final = "ticssync"
BUILTIN: Final = "ticssync.builtin"
KindT = TypeVar("KindT", TrackerKind, NotifierKind)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One installed plugin package and whether it was loaded."""

    name: str
    version: str
    allowed: bool
    trackers: tuple[str, ...] = ()
    notifiers: tuple[str, ...] = ()
    problem: str = ""


@dataclass
class Host:
    """What is loaded.  Made by `load_host`."""

    manager: pluggy.PluginManager
    plugins: tuple[Loaded, ...]
    trackers: Mapping[str, TrackerKind] = field(default_factory=dict)
    notifiers: Mapping[str, NotifierKind] = field(default_factory=dict)

    def tracker_settings(self, located: Located, part: TrackerPart) -> tuple[BaseModel | None, list[Problem]]:
        """The tracker's part of the file as its kind's model, or the problems with their places."""
        kind = self.trackers.get(part.kind)
        if kind is None:
            return None, [self._unknown_kind(located, part)]
        return _validated(located, kind.settings, part.settings, ("trackers", part.name))

    def _unknown_kind(self, located: Located, part: TrackerPart) -> Problem:
        waiting = next((one for one in self.plugins if not one.allowed and part.kind in _promised(one)), None)
        if waiting:
            fix = say("add {plugin} under plugins: in ticssync.yaml", plugin=waiting.name)
        else:
            near = nearest(part.kind, sorted(self.trackers))
            fix = (
                say("did you mean {near}?", near=near)
                if near
                else say("loaded kinds: {known}", known=", ".join(sorted(self.trackers)) or "-")
            )
        return located.problem(
            ("trackers", part.name, "kind"),
            say("no loaded plugin knows the kind {kind}", kind=part.kind),
            fix,
        )

    def open_tracker(
        self,
        config: Config,
        part: TrackerPart,
        mapping: TaskMapping,
        memory: Memory,
        clock: Callable[[], datetime],
        lang: str,
        before_write: Callable[[], None] = nobody_else,
    ) -> TrackerDriver:
        """Open one tracker.  Raises UsageError for wrong settings; what the driver raises passes."""
        settings, problems = self.tracker_settings(config.located, part)
        if settings is None:
            raise UsageError(
                say("the settings of tracker {name} are wrong", name=part.name), problems=problems
            )
        kind = self.trackers[part.kind]
        people = config.organisation.people
        table = Table(
            fields={name: rule.to for name, rule in mapping.fields.items()},
            statuses={remote: status.value for remote, status in mapping.statuses.items()},
            people={
                person.id: person.accounts[part.name]
                for person in people.values()
                if part.name in person.accounts
            },
            names={person.id: person.name for person in people.values()},
            labels=dict(mapping.texts),
            marker_place=mapping.marker,
            values=mapping.values,
            given=mapping.given,
        )
        opening = Opening(
            name=part.name, workspace=config.workspace, settings=settings, table=table, root=config.root, clock=clock,
            log=log.logger(tracker=part.name), text=Text(mapping.language if lang == "" else lang, _locales(kind)),
            memory=memory, company=config.company, before_write=before_write,
        )  # fmt: skip
        driver = _called(kind.open)(opening)
        assert isinstance(driver, TrackerDriver)
        return driver

    def open_notifier(self, config: Config, name: str, clock: Callable[[], datetime], lang: str) -> Notifier:
        """Open one channel of `notify:`."""
        kind = self.notifiers.get(name)
        if kind is None:
            near = nearest(name, sorted(self.notifiers))
            problem = config.located.problem(
                ("notify", name),
                say("no loaded plugin knows the channel {name}", name=name),
                say("did you mean {near}?", near=near) if near else "",
            )
            raise UsageError(say("the channel {name} is not known", name=name), problems=[problem])
        settings, problems = _validated(config.located, kind.settings, config.notify[name], ("notify", name))
        if settings is None:
            raise UsageError(say("the settings of channel {name} are wrong", name=name), problems=problems)
        channel = _called(kind.open)(NotifierOpening(settings, config.root, clock, Text(lang)))
        assert isinstance(channel, Notifier)
        return channel

    def tell(self, events: Iterable[Event]) -> None:
        """Tell the plugins what was committed, in its public form.  A plugin that fails here changes nothing."""
        for event in events:
            public = {"seq": event.seq, "at": event.at, "kind": event.kind, "subject": event.subject}
            for name, hear in self._hearers():
                try:
                    hear(event=public)
                except Exception:  # noqa: BLE001 - a listener that fails keeps no other from hearing
                    log.logger(plugin=name).exception("plugin failed", hook="ticssync_event")

    def _hearers(self) -> list[tuple[str, pluggy.HookCaller]]:
        """One caller per plugin that listens: with all in one call, one that raises would silence the others."""
        plugins = {name: plugin for name, plugin in self.manager.list_name_plugin() if plugin is not None}
        return [
            (
                name,
                self.manager.subset_hook_caller(
                    "ticssync_event", [other for other in plugins.values() if other is not plugin]
                ),
            )
            for name, plugin in plugins.items()
            if hasattr(plugin, "ticssync_event")
        ]

    def check(self, config: Config) -> list[Problem]:
        """Everything wrong with `trackers:` and `notify:`, all at once."""
        problems = []
        for part in config.trackers.values():
            problems += self.tracker_settings(config.located, part)[1]
        for name, raw in config.notify.items():
            kind = self.notifiers.get(name)
            if kind is None:
                problems.append(
                    config.located.problem(
                        ("notify", name),
                        say("no loaded plugin knows the channel {name}", name=name),
                        say("loaded channels: {known}", known=", ".join(sorted(self.notifiers))),
                    )
                )
            else:
                problems += _validated(config.located, kind.settings, raw, ("notify", name))[1]
        return problems


def load_host(allowed: Iterable[str], *, everything: bool = False, extra: Iterable[Any] = ()) -> Host:
    """Load the allowed plugins, sorted by name.  `everything` is for `init`, before a file exists; `extra` are
    plugin objects handed in (tests, the kit).  Raises UsageError for a plugin that is not installed, does not
    load, has a misspelt hook, or claims a kind that another one has.
    """
    from importlib.metadata import entry_points

    manager = pluggy.PluginManager(hookspecs.NAME)
    manager.add_hookspecs(hookspecs)
    manager.register(import_module(BUILTIN), BUILTIN)
    wanted, loaded = set(allowed), []
    # Entry points come in no order: sorted, so that two machines load alike.
    for point in sorted(
        entry_points(group=GROUP), key=lambda one: (one.dist.name if one.dist else "", one.name)
    ):
        name, version = (point.dist.name, point.dist.version) if point.dist else (point.name, "")
        take = everything or name in wanted
        if take:
            _register(manager, name, point.load)
        loaded.append(Loaded(name, version, take))
    missing = sorted(wanted - {one.name for one in loaded})
    if missing:
        raise UsageError(
            say("plugins: {names} is not installed", names=", ".join(missing)),
            fix=say("pip install {names}", names=" ".join(missing)),
        )
    for number, plugin in enumerate(extra):
        manager.register(plugin, f"extra-{number}")
    manager.check_pending()
    return _described(manager, loaded)


def _register(manager: pluggy.PluginManager, name: str, load: Callable[[], Any]) -> None:
    try:
        manager.register(load(), name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise UsageError(say("the plugin {name} does not fit: {why}", name=name, why=str(error))) from error
    except ImportError as error:
        raise UsageError(
            say("the plugin {name} does not load: {why}", name=name, why=str(error)),
            fix=say("install it again, or take it out of plugins:"),
        ) from error


def _described(manager: pluggy.PluginManager, loaded: list[Loaded]) -> Host:
    trackers: dict[str, TrackerKind] = {}
    notifiers: dict[str, NotifierKind] = {}
    described = []
    found = {name: plugin for name, plugin in manager.list_name_plugin() if plugin is not None}
    for one in [
        *loaded,
        *(
            Loaded(name, "", True)
            for name in found
            if name not in {item.name for item in loaded} and name != BUILTIN
        ),
    ]:
        plugin = found.get(one.name)
        own_trackers = _kinds(plugin, "ticssync_trackers") if plugin else ()
        own_notifiers = _kinds(plugin, "ticssync_notifiers") if plugin else ()
        _claim(trackers, own_trackers, one.name)
        _claim(notifiers, own_notifiers, one.name)
        described.append(
            Loaded(
                one.name,
                one.version,
                one.allowed,
                tuple(k.name for k in own_trackers),
                tuple(k.name for k in own_notifiers),
            )
        )
    _claim(notifiers, _kinds(found[BUILTIN], "ticssync_notifiers"), BUILTIN)
    return Host(manager, tuple(described), trackers, notifiers)


def _kinds(plugin: Any, hook: str) -> tuple[Any, ...]:
    # One plugin at a time: with manager.hook, one plugin that raises would abort the whole call.
    function = getattr(plugin, hook, None)
    return tuple(function()) if function else ()


def _claim(known: dict[str, KindT], kinds: Iterable[KindT], plugin: str) -> None:
    for kind in kinds:
        if kind.name in known:
            raise UsageError(
                say("two plugins claim the kind {kind}", kind=kind.name),
                fix=say("take one of them out of plugins: ({plugin})", plugin=plugin),
            )
        if kind.api > API_VERSION:
            raise UsageError(say("the plugin {plugin} needs a newer ticssync", plugin=plugin))
        known[kind.name] = kind


def _promised(plugin: Loaded) -> tuple[str, ...]:
    """Kinds that a plugin which was not loaded is known for, so that the message can name it."""
    return {
        "ticssync-sheets": ("workbook", "google-sheets"),
        "ticssync-redmine": ("redmine",),
        "ticssync-jira": ("jira",),
    }.get(plugin.name, ())


def _locales(kind: TrackerKind) -> tuple[Path, ...]:
    package = import_module(kind.open.partition(":")[0].partition(".")[0])
    folder = Path(str(package.__file__)).parent / "locale"
    return (folder,) if folder.is_dir() else ()


def _called(dotted: str) -> Callable[..., Any]:
    module, _, name = dotted.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


def _validated(
    located: Located, model: type[BaseModel], raw: Mapping[str, Any], prefix: tuple[str, ...]
) -> tuple[BaseModel | None, list[Problem]]:
    try:
        return model.model_validate(dict(raw)), []
    except ValidationError as error:
        return None, model_problems(located, error, prefix)


def secret_values(config: Config) -> tuple[str, ...]:
    """Every secret that the configuration holds, for the log's masker."""
    found = [config.store_password]
    for parts in (config.notify, {name: part.settings for name, part in config.trackers.items()}):
        for settings in parts.values():
            found += [
                _plain(value)
                for key, value in settings.items()
                if any(word in key for word in ("password", "token", "api_key", "secret"))
            ]
    return tuple(text for text in found if text)


def _plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
