"""One pass over all trackers: look, decide, commit what was seen, write, commit what came of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from ticssync.errors import say
from ticssync.model.binding import Base
from ticssync.model.canonical import instant_text, parse_instant, plain
from ticssync.model.key import TaskKey
from ticssync.model.task import RemoteRef
from ticssync.store import Transaction, working
from ticssync.store import bindings as binding_rows
from ticssync.store import hub as hub_rows
from ticssync.store.fenced import ENDED
from ticssync.sync.actions import TrackerReport
from ticssync.sync.apply import Hands, apply, outgoing, route
from ticssync.sync.decide import Decision, decide, needed
from ticssync.sync.look import Seen, look, look_closer, with_errors
from ticssync.sync.merge import MISSING
from ticssync.sync.quiet import Listed, keep_quiet, leave_note, listings, nothing_new, reports_of
from ticssync.sync.record import note_written
from ticssync.sync.safety import safety_stop, word_for
from ticssync.sync.state import Display, Known, Site, Want, read_known

LONGEST_WAIT: Final = timedelta(days=31)
"""So long a tracker may be left alone at its own word."""


@dataclass(frozen=True, slots=True)
class Order:
    """What kind of pass: `only` keys (None = all), `read_only` writes nothing to trackers, `dry` nothing at all.

    `accept` is the word of a safety stop; `retry_refused` asks again for what was refused.
    """

    only: frozenset[TaskKey] | None = None
    read_only: bool = False
    dry: bool = False
    accept: str = ""
    retry_refused: bool = False


@dataclass
class Pass:
    """One pass in the making.

    `seens` is what was read, for whoever goes on from there; `keep` is called in the transaction that commits it
    (and moves the cursor on), with what must not be forgotten of it.
    """

    sites: Mapping[str, Site]
    wants: Mapping[TaskKey, Want]
    display: Display
    hands: Hands
    order: Order
    today: date
    now: Callable[[], datetime]
    reports: dict[str, TrackerReport] = field(default_factory=dict)
    seens: dict[str, Seen] = field(default_factory=dict)
    keep: Callable[[Transaction, Mapping[str, Seen]], None] = lambda _tx, _seens: None
    inputs: str = ""
    standing: str = ""
    accepted: set[str] = field(default_factory=set)

    @property
    def plain(self) -> bool:
        """Whether this is a pass as the daemon makes it: everything, written, nothing asked again."""
        return bool(self.inputs) and self.order == Order()


def run(this: Pass) -> dict[str, TrackerReport]:
    """Run the pass.  Each tracker's own state is in its report; one tracker's failure stops no other."""
    for name in this.sites:
        this.reports.setdefault(name, TrackerReport(name))
    listed = _quiet(this)
    if listed is None:
        return this.reports
    known = _known(this)
    seens = _look_everywhere(this, known, listed)
    this.seens.update(seens)
    decision = _decide(this, known, seens)
    for name, actions in decision.inbound.items():
        this.reports[name].actions += actions
    if this.order.dry:
        _preview(this, known, seens, decision)
    else:
        _commit(this, known, seens, decision)
        _write(this, known, seens, decision)
    standing = _still_refused(this, known)
    for name, seen in seens.items():
        _report(this.reports[name], seen, decision, known, standing)
        if not this.order.dry:
            this.reports[name].created_keys = _created(this, seen, decision)
    return this.reports


def remember(this: Pass) -> None:
    """Called when all that follows from a pass is done too: the next one may go by what this one found."""
    listing = any(site.driver.caps.listing for site in this.sites.values())
    if this.plain and this.seens and not listing:
        leave_note(this.hands.store, this.inputs, this.today, this.standing, this.seens, this.reports)


def _quiet(this: Pass) -> Mapping[str, Listed] | None:
    """None where nothing happened and all is told; else what was listed so far."""
    if not this.plain:
        return {}
    store = this.hands.store
    may_be, found = listings(store, this.sites, this.inputs, this.today, this.now())
    if not may_be or not nothing_new(store, found):
        return found
    keep_quiet(store, found)
    reports_of(store, found, this.reports)
    return None


def _still_refused(this: Pass, known: Known) -> Collection[working.Refusal]:
    """The refusals that this pass leaves open: those that it settled are told no more."""
    if this.order.dry:
        return known.refusals.values()
    with this.hands.store.read() as tx:
        return working.refusals(tx)


def _known(this: Pass) -> Known:
    with this.hands.store.read() as tx:
        known = read_known(tx, tuple(this.sites))
        this.standing = tx.standing()
    if this.order.retry_refused:
        # What a person left as it stands there was refused by no tracker.
        left = {key: one for key, one in known.refusals.items() if one.left}
        known = replace(known, refusals=left, retry=True)
    today = this.today.isoformat()
    return replace(
        known,
        ask_again=frozenset(name for name in this.sites if known.read_on.get(name) != today),
        on_their_way=frozenset(
            one.id for name, site in this.sites.items() for one in known.intents[name] if _on_its_way(this, site, one)
        ),
    )  # fmt: skip


def _on_its_way(this: Pass, site: Site, one: working.Intent) -> bool:
    """Whether this was sent so lately that the tracker may still be at it: another process may be frozen or gone, and
    our own may have waited for the answer in vain.  A file that was written to stands as it is, and its driver compares
    before it writes."""
    if site.driver.caps.file_batch:
        return False
    known = one.token in (ENDED, this.hands.token)
    longest_s = this.hands.request_s if known else this.hands.on_its_way_s
    return this.now() - parse_instant(one.at) < timedelta(seconds=longest_s)


def _look_everywhere(this: Pass, known: Known, listed: Mapping[str, Listed]) -> dict[str, Seen]:
    refs, make = needed(this.wants, this.sites, known, this.display)
    seens = {}
    for name, site in this.sites.items():
        before = listed.get(name)
        if before is not None and not before.seen.ok:
            seen = before.seen
        else:
            pages = before.pages if before is not None else None
            seen = _held_back(this, site) or look(site, known, refs, make[name], this.now(), pages)
        if seen.ok:
            _brake(this, seen, known)
        elif seen.state == "safety_stop" and seen.acceptable:
            this.reports[name].word = word_for(name, seen.word_of, known)
        seens[name] = seen
    return seens


def _decide(this: Pass, known: Known, seens: Mapping[str, Seen]) -> Decision:
    """What one tracker tells may ask for a write to a task of another that was not listed as changed: it is read
    too, so that one pass carries a change all the way.  Each round reads more, so there are no more than trackers."""
    decision = decide(this.wants, known, seens, this.display, this.now())
    for _ in range(len(seens) - 1):
        unread = {name: work.unread for name, work in decision.works.items() if work.unread}
        if not unread:
            break
        for name, refs in unread.items():
            look_closer(seens[name], refs)
            if seens[name].ok and name not in this.accepted:
                _brake(this, seens[name], known)
        decision = decide(this.wants, known, seens, this.display, this.now())
    return decision


def _held_back(this: Pass, site: Site) -> Seen | None:
    """A tracker that asked for time is left alone until then, however often we are called."""
    with this.hands.store.read() as tx:
        until = working.not_before(tx, site.name)
    # Nobody asks for more than a month: a later moment was noted while this machine's clock ran ahead.
    if until is None or not this.now() < parse_instant(until) <= this.now() + LONGEST_WAIT:
        return None
    seen = Seen(
        site,
        "unavailable",
        say("{tracker} asked to be left alone until {until}", tracker=site.name, until=until),
    )
    seen.until = parse_instant(until)
    return seen


def _brake(this: Pass, seen: Seen, known: Known) -> None:
    stop = safety_stop(seen, known)
    if stop is None:
        return
    if stop.word == this.order.accept and not this.order.dry:
        with this.hands.store.write() as tx:
            tx.append(
                "safety.accepted",
                seen.site.name,
                this.hands.by,
                {"word": stop.word, "message": str(stop.message)},
            )
        this.accepted.add(seen.site.name)
        return
    seen.state, seen.message = "safety_stop", stop.message
    this.reports[seen.site.name].word = stop.word


def _preview(this: Pass, known: Known, seens: Mapping[str, Seen], decision: Decision) -> None:
    for name, work in decision.works.items():
        site, report, seen = this.sites[name], this.reports[name], seens[name]
        _restrict(this, decision, name)
        refused: list[Any] = []

        def ask(site: Site = site, work: Any = work, refused: list[Any] = refused) -> None:
            refused.extend(route(site, work, known))

        with_errors(seen, ask)
        report.refusals += [
            {
                "task": str(one.binding.key),
                "key": one.binding.display_key,
                "field": "status",
                "wanted": one.set["status"],
                "why": str(why),
            }
            for one, why in refused
        ]
        if not this.order.read_only:
            lines = outgoing(site, work, seen.repairs)
            veto = this.hands.review(name, [line.plain() for line in lines]) if lines else None
            if veto:
                seen.state, seen.message = "safety_stop", veto
            else:
                report.actions += lines
            report.waiting += [str(key) for key in work.waiting]
        report.conflicts += [_conflict_line("", one) for one in decision.conflicts if name in one["values"]]


def _commit(this: Pass, known: Known, seens: Mapping[str, Seen], decision: Decision) -> None:
    """One transaction for all that was seen.  A pass that saw nothing new commits nothing."""
    if not _anything(this, known, seens, decision):
        return
    with this.hands.store.write() as tx:
        by = this.hands.by
        for fact in decision.facts:
            tx.append(fact.kind, fact.subject, by, fact.payload)
        _commit_hubs(tx, known, decision)
        _commit_bases(tx, known, seens, decision)
        _commit_conflicts(this, tx, decision)
        for (ref, name), (times, frozen) in decision.flips.items():
            working.put_flip(tx, ref, name, times, frozen)
        for name, seen in seens.items():
            _commit_tracker(this, tx, known, name, seen)
        this.keep(tx, seens)


def _commit_hubs(tx: Transaction, known: Known, decision: Decision) -> None:
    """What this pass changed of the hub, laid over what the store holds now: people's acts need no lease, and
    one that came in while we were looking must not be erased."""
    now = hub_rows.hub_tasks(tx)
    for key, new in decision.hubs.items():
        old, current = known.hub.get(key) or hub_rows.HubTask(key), now.get(key)
        hub_rows.put_hub(tx, new if current is None else _over(current, old, new))


def _over(current: hub_rows.HubTask, old: hub_rows.HubTask, new: hub_rows.HubTask) -> hub_rows.HubTask:
    changed = {
        name: value
        for name, value in new.values.items()
        if old.values.get(name, MISSING) != value
        and current.values.get(name, MISSING) == old.values.get(name, MISSING)
    }
    origins = {name: one for name, one in new.origins.items() if name in changed}
    consumed = {name for name, wish in old.wishes.items() if new.wishes.get(name) != wish}
    wishes = {
        name: wish
        for name, wish in current.wishes.items()
        if not (name in consumed and old.wishes[name] == wish)
    }
    wishes |= {name: wish for name, wish in new.wishes.items() if name not in old.wishes}
    return replace(
        current, values={**current.values, **changed}, origins={**current.origins, **origins}, wishes=wishes,
        rendered_hash=new.rendered_hash,
    )  # fmt: skip


def _anything(this: Pass, known: Known, seens: Mapping[str, Seen], decision: Decision) -> bool:
    if decision.facts or decision.hubs or decision.bases or decision.conflicts or decision.flips:
        return True
    return any(_tracker_news(this, known, name, seen) for name, seen in seens.items())


def _tracker_news(this: Pass, known: Known, name: str, seen: Seen) -> bool:
    if not seen.ok:
        return True
    moved = seen.cursor is not None and seen.cursor != known.cursors[name][0]
    return (
        moved
        or bool(seen.settled)
        or seen.site.memory.changed
        or known.read_on.get(name) != this.today.isoformat()
    )


def _commit_bases(tx: Transaction, known: Known, seens: Mapping[str, Seen], decision: Decision) -> None:
    now = {ref: base.fields for name in seens for ref, base in binding_rows.bases(tx, name).items()}
    for ref in {*decision.bases, *(ref for ref in decision.local if ref in known.bases)}:
        task = seens[ref.tracker].read.get(ref) if ref.tracker in seens else None
        # As with the hub: what a person agreed on while we were looking stays.
        read, old = decision.bases.get(ref, known.base(ref)), known.base(ref)
        fields = {
            **now.get(ref, {}),
            **{name: value for name, value in read.items() if old.get(name, MISSING) != value},
        }
        version = (
            task.version if task is not None else (known.bases[ref].version if ref in known.bases else None)
        )
        if ref in decision.bases or task is not None:
            local = {**fields, **decision.local.get(ref, {})}
            binding_rows.put_base(
                tx, ref, Base(fields, version), seen=fields, local={name: local[name] for name in fields}
            )


def _commit_conflicts(this: Pass, tx: Transaction, decision: Decision) -> None:
    number = len(working.conflicts(tx, open_only=False))
    for one in decision.conflicts:
        number += 1
        name = f"C-{number:04d}"
        tx.append(
            "conflict.opened",
            one["task"],
            this.hands.by,
            {"id": name, **{key: value for key, value in one.items() if key != "task"}},
        )
        for side in one["values"]:
            if side in this.reports:
                this.reports[side].conflicts.append(_conflict_line(name, one))


def _conflict_line(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": name, **{key: plain(value) for key, value in one.items()}}


def _commit_tracker(this: Pass, tx: Transaction, known: Known, name: str, seen: Seen) -> None:
    if not seen.ok:
        working.put_failure(tx, name, str(seen.message), seen.until)
        return
    working.clear_failure(tx, name)
    working.cool(tx, name, this.now())
    for intent in seen.settled:
        working.drop_intent(tx, intent.id)
    _commit_notes(this, tx, seen)
    _, full_at = known.cursors[name]
    if seen.cursor is not None:
        working.put_cursor(tx, name, seen.cursor, instant_text(this.now()) if seen.whole else full_at)
    if known.read_on.get(name) != this.today.isoformat():
        tx.append("tracker.read", name, this.hands.by, {"kind": seen.site.kind, "on": this.today.isoformat()})
    working.put_memory(tx, name, seen.site.memory.take())


def _commit_notes(this: Pass, tx: Transaction, seen: Seen) -> None:
    for intent in seen.notes_found:
        ref = RemoteRef(intent.tracker, str(intent.payload["remote_id"]))
        note_written(
            tx, intent.key, str(intent.payload["wish_at"]), str(intent.payload["text"]), ref, this.hands.by
        )


def _write(this: Pass, known: Known, seens: Mapping[str, Seen], decision: Decision) -> None:
    if this.order.read_only:
        return
    for name, work in decision.works.items():
        seen, report = seens[name], this.reports[name]
        if seen.notes_found:
            found = {(one.key, str(one.payload["wish_at"])) for one in seen.notes_found}
            work.updates[:] = [
                replace(one, note=None) if one.note and (one.binding.key, one.note.at) in found else one
                for one in work.updates
            ]
            work.updates[:] = [one for one in work.updates if one.anything]
        _restrict(this, decision, name)
        report.waiting += [str(key) for key in work.waiting]
        apply(seen, work, known, this.hands, report, this.now)


def _restrict(this: Pass, decision: Decision, name: str) -> None:
    only = this.order.only
    if only is not None:
        work = decision.works[name]
        work.creates[:] = [one for one in work.creates if one.key in only]
        work.updates[:] = [one for one in work.updates if one.binding.key in only]


def _report(
    report: TrackerReport, seen: Seen, decision: Decision, known: Known, standing: Collection[working.Refusal]
) -> None:
    driver = seen.site.driver
    report.requests = driver.requests
    report.notices = [
        {"id": one.id, "level": one.level.value, "message": one.message, "fix": one.fix}
        for one in seen.notices
    ]
    if not seen.ok:
        report.state, report.message, report.holder = seen.state, str(seen.message), seen.holder
        report.message_said = seen.message
        report.fix = seen.fix
        report.until = instant_text(seen.until) if seen.until else None
    touched = {str(line.task) for line in report.actions if line.action != "none"}
    live = [
        one
        for one in decision.identity.bindings.values()
        if one.ref.tracker == report.name and one.state.value == "live"
    ]
    report.unchanged = sum(1 for one in live if str(one.key) not in touched)
    report.notifications = _mails(report, decision) if driver.caps.notifies else 0
    _standing_troubles(report, decision, known)
    _copies(report, decision)
    shown = {(line["task"], line["field"]) for line in report.refusals}
    for one in standing:
        if one.tracker == report.name and not one.left and (str(one.key), one.field) not in shown:
            report.refusals.append(
                {
                    "task": str(one.key),
                    "key": "",
                    "field": one.field,
                    "wanted": plain(one.wanted),
                    "found": plain(one.found),
                    "why": one.why,
                }
            )


def _mails(report: TrackerReport, decision: Decision) -> int:
    """How many writes may send mail, at most: one per task made or changed (a note and the marker ride along),
    and one more for each further move of a status on its way through the workflow."""
    work = decision.works.get(report.name)
    if work is None:
        return 0
    sent = {str(line.task) for line in report.actions if line.direction == "out"} | set(report.waiting)
    made = sum(1 for one in work.creates if str(one.key) in sent)
    return made + sum(max(1, len(one.status_path)) for one in work.updates if str(one.binding.key) in sent)


def _created(this: Pass, seen: Seen, decision: Decision) -> list[dict[str, str]]:
    """What was made in this tracker: in this pass, or in an earlier one whose answer came only now."""
    name = seen.site.name
    lines = [
        (line.task, line.key, line.fields.get("title", (None, None))[1])
        for line in this.reports[name].actions
        if line.action in ("create", "restore") and line.direction == "out"
    ]
    for ref in decision.identity.adopted:
        if ref.tracker == name and ref in seen.read:
            task = seen.read[ref]
            lines.append((decision.identity.bindings[ref].key, task.key, task.fields.get("title")))
    if not lines:
        return []
    with this.hands.store.read() as tx:
        urls = {(one.key, one.display_key): one.url for one in binding_rows.bindings(tx, name)}
    return [
        {"task": str(task), "key": key, "url": urls.get((task, key), ""), "title": str(title or "")}
        for task, key, title in lines
    ]


def _copies(report: TrackerReport, decision: Decision) -> None:
    """Tasks that came to light in this pass and carry the marker of one that is bound already."""
    for ref in decision.identity.copies:
        if ref.tracker == report.name:
            one = decision.identity.bindings[ref]
            message = say(
                "{copy} carries the marker of {task}: it is a copy, and is not synced",
                copy=one.display_key,
                task=str(one.key),
            )
            fix = say("look at both in the tracker; keep what is needed, then delete or close the copy there")
            report.notices.append({"id": "copy", "level": "warn", "message": message, "fix": fix})


def _standing_troubles(report: TrackerReport, decision: Decision, known: Known) -> None:
    """What an earlier pass found and nobody has settled yet, and tasks that stand where no route leads."""
    told = {line["id"] for line in report.conflicts}
    for one in known.conflicts:
        if report.name in one.values and one.id not in told:
            line = {"task": str(one.key), "field": one.field, "owner": one.owner, "base": plain(one.base)}
            report.conflicts.append(
                {"id": one.id, **line, "values": plain(one.values), "taken": plain(one.taken), "at": one.at}
            )
    for binding in decision.identity.bindings.values():
        if binding.role == "old" and binding.ref.tracker == report.name and binding.state.value == "live":
            message = say(
                "{task} still stands in {tracker}, where no route leads any more",
                task=str(binding.key),
                tracker=report.name,
            )
            fix = say(
                "ticssync task drop {task} --tracker {tracker}", task=str(binding.key), tracker=report.name
            )
            report.notices.append({"id": "old_place", "level": "warn", "message": message, "fix": fix})
