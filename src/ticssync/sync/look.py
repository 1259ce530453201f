"""Reading one tracker for one cycle.  Nothing is written, neither there nor in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from ticssync import log
from ticssync.errors import TicssyncError, say
from ticssync.model.binding import BindingState
from ticssync.model.canonical import instant_text, parse_instant
from ticssync.model.key import Marker
from ticssync.model.task import RemoteRef, RemoteTask
from ticssync.plugin import (
    AuthLost,
    Fate,
    Fetched,
    Finding,
    NotSupported,
    Page,
    PreSend,
    Read,
    Repair,
    Throttled,
    Unavailable,
    Unsafe,
)
from ticssync.store.hub import HubTask
from ticssync.store.remote_ids import is_left
from ticssync.store.working import Intent
from ticssync.sync.hand_out import to_hand_out
from ticssync.sync.state import Known, Site
from ticssync.sync.storable import storable

AHEAD: Final = timedelta(hours=1)
"""So far the clocks of two machines on one store may differ without a look at everything each time."""


@dataclass
class Seen:
    """What one tracker showed.

    `read`: strongly read tasks by place; `fates`: bound tasks that are gone or hidden; `complete`: the listing
    held everything; `whole`: everything was asked for, though a lagging index may have left something out;
    `absent`: markers to make that are proven absent; `settled` and `waiting`: intents that are answered for, or
    still wait for a lagging index; `halfway`: tasks whose status stands on a way of ours that was cut off;
    `unsure`: tasks that did not show whether a note or file of ours, sent before, came to hang on them.
    """

    site: Site
    state: str = "ok"
    message: str = ""
    word_of: str = ""
    fix: str = ""
    acceptable: bool = False
    until: datetime | None = None
    holder: str = ""
    read: dict[RemoteRef, RemoteTask] = field(default_factory=dict)
    fates: dict[RemoteRef, Fate] = field(default_factory=dict)
    moved: dict[RemoteRef, RemoteRef] = field(default_factory=dict)
    complete: bool = False
    whole: bool = False
    absent: frozenset[str] = frozenset()
    cursor: str | None = None
    notices: Sequence[Finding] = ()
    repairs: Sequence[Repair] = ()
    settled: tuple[Intent, ...] = ()
    waiting: tuple[Intent, ...] = ()
    notes_found: tuple[Intent, ...] = ()
    halfway: frozenset[RemoteRef] = frozenset()
    unsure: frozenset[RemoteRef] = frozenset()

    @property
    def ok(self) -> bool:
        """Whether this cycle may go on with this tracker."""
        return self.state == "ok"


def look(
    site: Site,
    known: Known,
    need: Iterable[RemoteRef],
    make: Sequence[str],
    now: datetime,
    listed: Iterable[Page[RemoteTask]] | None = None,
) -> Seen:
    """Read what changed, what is doubtful, what is needed because something is to be written there, and
    whether the markers of tasks to make stand there already (no create without a look).

    `listed` is what a listing from the stored cursor on has shown already.
    """
    seen = Seen(site)
    with_errors(seen, lambda: _look(seen, known, frozenset(need), tuple(make), now, listed))
    return seen


def look_closer(seen: Seen, refs: Iterable[RemoteRef]) -> None:
    """Read these tasks as well; one that is gone or hidden counts only while the tracker knows who we are."""

    def fetch() -> None:
        answers = seen.site.driver.fetch(sorted(refs))
        _take(seen, answers)
        if any(answer.fate in (Fate.GONE, Fate.HIDDEN) for answer in answers.values()):
            _prove_identity(seen.site)

    with_errors(seen, fetch)


def with_errors(seen: Seen, do: Callable[[], object]) -> None:
    """Run, and turn the errors of the door into the tracker's state.  Anything else a driver raises is its
    own failure: it is reported as unavailable and stops no other tracker.  Our own errors pass."""
    try:
        do()
    except AuthLost as error:
        seen.state, seen.message = "credentials", str(error)
    except Throttled as error:
        seen.state, seen.message, seen.until = "unavailable", str(error), error.until
    except Unavailable as error:
        seen.state, seen.message, seen.until, seen.holder = (
            "unavailable",
            str(error),
            error.until,
            error.holder,
        )
    except Unsafe as error:
        seen.state, seen.message, seen.word_of, seen.fix, seen.acceptable = (
            "safety_stop",
            str(error),
            error.what,
            error.fix,
            error.acceptable,
        )
    except TicssyncError:
        raise
    except Exception as error:  # noqa: BLE001 - a plugin's bug must not stop the other trackers
        log.logger(tracker=seen.site.name).error("driver failed", exc_info=True)
        seen.state, seen.message = (
            "unavailable",
            say("the driver of {tracker} failed: {kind}", tracker=seen.site.name, kind=type(error).__name__),
        )


def _look(
    seen: Seen,
    known: Known,
    need: frozenset[RemoteRef],
    make: tuple[str, ...],
    now: datetime,
    pages: Iterable[Page[RemoteTask]] | None,
) -> None:
    site, driver = seen.site, seen.site.driver
    since, full_at = known.cursors.get(site.name, (None, None))
    if full_look_due(full_at, now) and not driver.caps.listing:
        since = None
    listed, index_only = _list(seen, driver.list_changed(since) if pages is None else pages)
    seen.whole = seen.complete or since is None
    bound = {
        one.ref
        for one in known.bindings
        if one.ref.tracker == site.name
        and one.state in (BindingState.LIVE, BindingState.LOST, BindingState.COPY)
    }
    need |= {_place(one) for one in known.intents.get(site.name, ()) if one.op == "status"}
    doubtful = (
        need | known.hot.get(site.name, frozenset()) | (bound - listed if seen.whole else frozenset())
    ) & _of(site.name, bound | need)
    # A listing need not show attachments: where files of ours are to hang, the task itself is looked at.
    files = _with_files(site.name, known)
    doubtful = (doubtful | index_only) - set(seen.read) | files
    left = {ref for ref in doubtful if is_left(ref.id)}
    doubtful -= left
    answers = driver.fetch(sorted(doubtful)) if doubtful else {}
    _take(seen, answers)
    told = {ref for ref, one in answers.items() if one.task is not None or one.fate is Fate.GONE}
    seen.unsure = files - told
    if any(fate in (Fate.GONE, Fate.HIDDEN) for fate in seen.fates.values()):
        _prove_identity(site)
    # It did not come along to where the tracker stands now: a driver could make nothing of such an id.
    seen.fates |= dict.fromkeys(left, Fate.GONE)
    _recover(seen, known, now)
    _before_making(seen, make)
    seen.notices, seen.repairs = driver.notices(), driver.repairs()


def _with_files(tracker: str, known: Known) -> frozenset[RemoteRef]:
    """Tasks on which a file waits to be hung, or may hang since an answer was lost.  None goes out without a look."""
    sent = {_place(one) for one in known.intents.get(tracker, ()) if one.op == "attach"}
    waiting = {
        one.ref
        for one in known.live(tracker)
        if to_hand_out(known.hub.get(one.key) or HubTask(one.key), one, known)[1]
    }
    return frozenset(sent | waiting)


def _before_making(seen: Seen, make: tuple[str, ...]) -> None:
    here = {task.marker for task in seen.read.values()}
    missing = [marker for marker in make if marker not in here]
    if seen.complete or not missing:
        seen.absent = frozenset(missing)
        return
    hits = seen.site.driver.find_by_marker(missing, PreSend())
    for tasks in hits.hits.values():
        seen.read |= {task.ref: storable(task) for task in tasks}
    seen.absent = frozenset(marker for marker in missing if not hits.hits.get(marker))


def _of(tracker: str, refs: Iterable[RemoteRef]) -> frozenset[RemoteRef]:
    return frozenset(ref for ref in refs if ref.tracker == tracker)


def full_look_due(full_at: str | None, now: datetime) -> bool:
    """Whether everything is to be asked for, not only what changed."""
    # By the stored time, never because a process started: a command must cost what a cycle costs.
    since = None if full_at is None else now - parse_instant(full_at)
    # A look in the future was made while this machine's clock ran ahead, and so was the cursor that it left.
    return since is None or since > timedelta(days=1) or since < -AHEAD


def _list(seen: Seen, pages: Iterable[Page[RemoteTask]]) -> tuple[set[RemoteRef], set[RemoteRef]]:
    listed: set[RemoteRef] = set()
    index_only: set[RemoteRef] = set()
    for page in pages:
        for task in page.items:
            listed.add(task.ref)
            if page.read is Read.STRONG:
                seen.read[task.ref] = storable(task)
            else:
                index_only.add(task.ref)
        seen.cursor, seen.complete = page.cursor, page.complete
    return listed, index_only


def _take(seen: Seen, answers: Mapping[RemoteRef, Fetched]) -> None:
    for ref, answer in answers.items():
        if answer.fate in (Fate.PRESENT, Fate.MOVED) and answer.task is not None:
            seen.read[answer.task.ref] = storable(answer.task)
            if answer.moved_to is not None and answer.moved_to != ref:
                seen.moved[ref] = answer.moved_to
        elif answer.fate in (Fate.GONE, Fate.HIDDEN):
            seen.fates[ref] = answer.fate


def _prove_identity(site: Site) -> None:
    """Absence counts only while the tracker knows who we are: an expired token answers 200 and nothing."""
    try:
        site.driver.whoami()
    except NotSupported:
        return


def _recover(seen: Seen, known: Known, now: datetime) -> None:
    """Find out what became of creates, notes and files whose answer was lost.  Where one may still be on its way it
    counts only when it is found."""
    intents, on_their_way = known.intents.get(seen.site.name, ()), known.on_their_way
    creates = [one for one in intents if one.op in ("create", "restore")]
    notes = [one for one in intents if one.op == "comment"]
    if creates:
        _recover_creates(seen, creates, now, on_their_way)
    if notes:
        _recover_notes(seen, notes, on_their_way)
    _recover_files(seen, [one for one in intents if one.op == "attach"], on_their_way)
    _recover_walks(seen, known, [one for one in intents if one.op == "status"])


def _recover_creates(
    seen: Seen, creates: Sequence[Intent], now: datetime, on_their_way: frozenset[str]
) -> None:
    here = {task.marker for task in seen.read.values() if task.marker}
    missing = [one for one in creates if one.marker not in here]
    settled = [one for one in creates if one.marker in here]
    waiting: list[Intent] = []
    if missing:
        hits = seen.site.driver.find_by_marker([one.marker for one in missing], PreSend(missing[0].presend))
        for tasks in hits.hits.values():
            seen.read |= {task.ref: storable(task) for task in tasks}
        for one in missing:
            shown = not hits.lag_s or now - parse_instant(one.at) > timedelta(seconds=hits.lag_s)
            answered = hits.hits.get(one.marker) or (shown and one.id not in on_their_way)
            (settled if answered else waiting).append(one)
    seen.settled, seen.waiting = tuple(settled), tuple(waiting)


def _recover_notes(seen: Seen, notes: Sequence[Intent], on_their_way: frozenset[str]) -> None:
    if not seen.site.driver.caps.comments:
        # There is no place where it could hang; it waits until a tracker has one.
        seen.settled = (*seen.settled, *notes)
        return
    refs = {one.id: _place(one) for one in notes}
    there = seen.site.driver.comments(sorted(set(refs.values())))
    seen.notes_found = tuple(
        one for one in notes if any(one.marker in comment.text for comment in there.get(refs[one.id], ()))
    )
    gone = {ref for ref, fate in seen.fates.items() if fate is Fate.GONE}
    told = [one for one in notes if refs[one.id] in there or refs[one.id] in gone]
    answered = [one for one in told if one.id not in on_their_way or one in seen.notes_found]
    # A task that did not tell its comments may hold the note: it is asked again, not written to again.
    seen.unsure |= {refs[one.id] for one in notes if one not in answered}
    seen.settled = (*seen.settled, *answered)


def _recover_files(seen: Seen, files: Sequence[Intent], on_their_way: frozenset[str]) -> None:
    """Whether the file hangs there is told by the task itself, which has just been read."""
    seen.unsure |= {_place(one) for one in files if one.id in on_their_way}
    seen.settled = (*seen.settled, *(one for one in files if _place(one) not in seen.unsure))


def _place(one: Intent) -> RemoteRef:
    return RemoteRef(one.tracker, str(one.payload["remote_id"]))


def _recover_walks(seen: Seen, known: Known, walks: Sequence[Intent]) -> None:
    """A status on a way through the workflow that we did not finish is nobody's edit: the way is gone on with.

    Where the mapping has no word for it, the task stands as it was agreed before the way began; the note of the way
    stays until another status is read, since that word alone tells whose it is.
    """
    answered = []
    for one in walks:
        ref = _place(one)
        task = seen.read.get(ref)
        stopped = (
            task is not None and task.raw_status in one.payload["path"] and task.changed_by_person is not True
        )
        if stopped:
            seen.halfway |= {ref}
        if task is not None and stopped and "status" not in task.fields:
            before, hub = known.base(ref).get("status"), known.hub.get(one.key)
            # Wanted back where it was: it is not there, so the way back is gone.
            back = hub is not None and hub.values.get("status") == before
            seen.read[ref] = replace(task, fields={**task.fields, "status": None if back else before})
        elif task is not None or ref in seen.fates:
            answered.append(one)
    seen.settled = (*seen.settled, *answered)


def ours(task: RemoteTask, workspace: str) -> Marker | None:
    """The marker of a task that belongs to this workspace; None for foreign or unmarked ones."""
    marker = Marker.parse(task.marker or "")
    return marker if marker is not None and marker.workspace == workspace else None


def moment(task: RemoteTask) -> str | None:
    """The tracker's time of the last change as UTC text."""
    return instant_text(task.updated_at) if task.updated_at else None
