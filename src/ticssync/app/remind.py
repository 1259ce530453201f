"""`remind`: one pass over the reminder ledger, over every channel of `notify:`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ticssync.app.deadlines import current_duties
from ticssync.app.leasing import leased, under
from ticssync.app.workspace import Workspace
from ticssync.deadlines.digest import Letterhead, digest
from ticssync.deadlines.remind import RemindResult, remind_json, remind_pass
from ticssync.deadlines.reminders import Digest, Recipients
from ticssync.errors import UsageError, say
from ticssync.model.person import Person, Role
from ticssync.plugin import Message
from ticssync.store.bindings import bindings


@dataclass
class Reminded:
    """What the pass did; `credentials`: the mail server refused who we are."""

    plain: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"sent": [], "skipped": [], "failed": []}
    )
    credentials: bool = False

    @property
    def exit_code(self) -> int:
        """4 where the login was refused, 3 where the channel failed, else 0."""
        return 4 if self.credentials else 3 if self.plain["failed"] else 0


def remind(workspace: Workspace, today: date | None = None, *, dry_run: bool = False) -> Reminded:
    """Send what is due.  With `today` it is a dry run unless mail goes to a folder.

    The first channel of `notify:` that the file names is used: reminders are claimed once, so a second
    channel would have nothing left to say.
    """
    config = workspace.config
    if not config.notify:
        raise UsageError(
            say("ticssync.yaml names no way to reach people"),
            fix=say("add notify: {{mail: …}} or notify: {{folder: {{path: outbox}}}}"),
        )
    name = next(iter(config.notify))
    dry = dry_run or (today is not None and name != "folder")
    day = today or workspace.today
    if dry:
        return _pass(workspace, name, day, dry=True)
    with workspace.store.read() as tx:
        workspace.check_place(tx)
    with leased(workspace) as lease:
        return _pass(under(workspace, lease), name, day, dry=False)


def _pass(workspace: Workspace, name: str, day: date, *, dry: bool) -> Reminded:
    config = workspace.config
    organisation = config.organisation

    def holders(role: str, criterion: str | None, on: date) -> Sequence[Person]:
        return organisation.holders(Role(role), (criterion or "").rpartition("/")[2], on)

    letterhead = Letterhead(config.workspace, config.company, _reply_to(workspace), _places(workspace))
    moment = workspace.now.astimezone(workspace.zone)

    def compose(what: Digest) -> Message:
        return digest(what, letterhead, workspace.text, moment)

    notifier = workspace.host.open_notifier(config, name, workspace.around.clock, workspace.around.lang)
    try:
        result: RemindResult = remind_pass(
            workspace.store, notifier, day, duties=current_duties(workspace, day), recipients=Recipients(holders, organisation.people),
            compose=compose, channel=name, domain=_domain(workspace, name), dry_run=dry,
        )  # fmt: skip
    finally:
        notifier.close()
    return Reminded(remind_json(result, workspace.text), result.credentials)


def _reply_to(workspace: Workspace) -> Person | None:
    """A person, not a machine: named by the channel, else the first admin or manager with an address."""
    organisation, day = workspace.config.organisation, workspace.today
    for settings in workspace.config.notify.values():
        named = settings.get("reply_to")
        if isinstance(named, str) and named in organisation.people:
            return organisation.people[named]
    people = [*organisation.holders(Role.ADMIN, "", day), *organisation.holders(Role.MANAGER, "", day)]
    return next((one for one in people if one.mail), None)


def _places(workspace: Workspace) -> dict[str, str]:
    """Duty id → where the work is done."""
    with workspace.store.read() as tx:
        found = [one for one in bindings(tx) if one.state.value == "live" and one.role == "main"]
    return {f"{one.key.criterion}/task_due/{one.due}": one.url for one in found if one.due and one.url}


def _domain(workspace: Workspace, name: str) -> str:
    sender = str(workspace.config.notify[name].get("from", ""))
    domain = sender.rpartition("@")[2].rstrip("> ")
    return domain if domain.isascii() and "." in domain else "ticssync.invalid"
