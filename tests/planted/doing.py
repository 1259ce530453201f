"""Faults in what the engine does: sending, recording, committing, the quiet pass."""

from __future__ import annotations

from typing import Final

from tests.planted.engine import DEATHS, DOUBLES, LAGGING, MEANWHILE, PASSES
from tests.planted.fault import Fault

APPLY: Final = "src/ticssync/sync/apply.py"
RECORD: Final = "src/ticssync/sync/record.py"
CYCLE: Final = "src/ticssync/sync/cycle.py"
QUIET: Final = "src/ticssync/sync/quiet.py"
GIVEN: Final = ("tests/unit/sync/test_given_along.py", "tests/faults/test_given_along_faults.py")
STILL: Final = ("tests/unit/sync/test_quiet.py",)

SENDING: Final = (
    Fault(
        "apply-no-intent", "apply", "A create whose answer is lost is forgotten, and the task is made twice.",
        APPLY, "add_intents(tx, [*intents, *given], hands.token)", "add_intents(tx, given, hands.token)",
        (*DOUBLES, *DEATHS),
    ),
    Fault(
        "apply-note-without-intent", "apply", "A note whose answer is lost is written twice.",
        APPLY, "add_intents(tx, [*intents, *given], hands.token)", "add_intents(tx, intents, hands.token)",
        ("tests/unit/sync/test_acts_and_passes.py", *GIVEN),
    ),
    Fault(
        "apply-no-lease-check", "apply", "A process that was frozen and replaced wakes up and writes everything once more.",
        APPLY, "    hands.guard()\n", "", ("tests/unit/sync/test_nothing_after_the_lease.py",),
    ),
    Fault(
        "apply-veto-ignored", "apply", "What a plugin vetoed is written all the same.",
        APPLY, "veto = hands.review(site.name, [line.plain() for line in lines]) if lines else None", "veto = None", PASSES,
    ),
    Fault(
        "apply-adopted-meanwhile", "apply", "A task that a person adopted a moment ago is made a second time.",
        APPLY, "creates = [one for one in creates if one.key not in taken]", "creates = list(creates)",
        ("tests/unit/app/test_adopt.py",),
    ),
    Fault(
        "apply-damaged-file-sent", "apply", "Another file than the one that was given goes out to the tracker.",
        APPLY, 'locker.verify(file.sha256) if locker else "missing"', '"ok" if locker else "missing"', GIVEN[:1],
    ),
    Fault(
        "apply-wait-forgotten", "apply", "A tracker that asked for an hour's rest is called again by the next pass.",
        APPLY, "put_failure(tx, site.name, str(seen.message), seen.until)",
        "put_failure(tx, site.name, str(seen.message), None)", PASSES,
    ),
    Fault(
        "apply-expectation-dropped", "apply", "A row that a colleague changed in the meantime is written over.",
        APPLY, "expect = {name: one.before[name] for name in one.set if name in one.before}", "expect: dict[str, Any] = {}",
        MEANWHILE,
    ),
    Fault(
        "apply-first-way-only", "apply", "A status that is several moves away is set by one move that is not allowed.",
        APPLY, "kept = replace(update, status_path=path)", "kept = replace(update, status_path=path[-1:])",
        (*PASSES, "tests/faults/test_cut_off_ways.py"),
    ),
    Fault(
        "path-endless", "apply", "A status is carried through any number of moves, each with a mail.",
        "src/ticssync/sync/path.py", "MAX_HOPS: Final = 4", "MAX_HOPS: Final = 40", ("tests/property/test_plan.py",),
    ),
    Fault(
        "record-base-not-read-back", "record", "A status that was silently refused comes back as a colleague's edit and undoes ours.",
        RECORD, "            base[name] = found\n", "            base[name] = wanted\n", PASSES,
    ),
    Fault(
        "record-quicker-person-lost", "record", "A colleague who was quicker than our read is overwritten without a trace.",
        RECORD, "            # A third value: a person was quicker than our read.\n            base[name] = wanted\n",
        "            base[name] = found\n", MEANWHILE,
    ),
    Fault(
        "record-quicker-person-at-create", "record", "An edit made in the second after a create is never taken in.",
        RECORD, "        else:\n            base[name] = wanted\n    return base\n\n\ndef _into_hub",
        "    return base\n\n\ndef _into_hub",
        MEANWHILE,
    ),
    Fault(
        "record-unknown-settled", "record", "A create whose answer was lost counts as settled, and is sent again.",
        RECORD, "        # Unknown: the intent stays, the next cycle finds out.\n",
        '        working.drop_intent(tx, intent or "")\n', (*DOUBLES, *DEATHS),
    ),
    Fault(
        "record-hot-forgotten", "record", "What a lagging search still shows of a task that we just wrote is taken for an edit.",
        RECORD, "working.set_hot(tx, done, hot_until)", "working.set_hot(tx, [], hot_until)",
        LAGGING,
    ),
    Fault(
        "record-note-stays", "record", "A note is written into the task by every pass.",
        RECORD, "hub_rows.put_hub(tx, hub_rows.without_note(hub, at))", "hub_rows.put_hub(tx, hub)", PASSES,
    ),
    Fault(
        "record-dropped-file-is-there", "record", "A file that the tracker silently dropped counts as handed out.",
        RECORD, "if not hangs_there(task, file):", "if task is None:", GIVEN[:1],
    ),
    Fault(
        "record-refusal-untold", "record", "What the tracker refused is told once and stands nowhere.",
        RECORD, '    tx.append("refusal.opened", str(key), by, payload)\n', "", PASSES,
    ),
)  # fmt: skip

COMMITTING: Final = (
    Fault(
        "cycle-wait-ignored", "cycle", "Every new process calls a tracker that asked to be left alone.",
        CYCLE, "seen = _held_back(this, site) or look(", "seen = look(", PASSES[:1],
    ),
    Fault(
        "cycle-settled-meanwhile-lost", "cycle", "What a person settled while a pass was looking is undone by it.",
        CYCLE, "        and current.values.get(name, MISSING) == old.values.get(name, MISSING)\n", "", PASSES,
    ),
    Fault(
        "cycle-newer-wish-lost", "cycle", "An act that came in while a pass was looking is never carried out.",
        CYCLE, "if not (name in consumed and old.wishes[name] == wish)", "if name not in consumed", PASSES,
    ),
    Fault(
        "cycle-read-only-writes", "cycle", "A pass that was only to read writes.",
        CYCLE, "    if this.order.read_only:\n        return\n", "", ("tests/unit/sync/test_one_pass_at_a_time.py",),
    ),
    Fault(
        "cycle-only-ignored", "cycle", "A pilot with three items makes all forty-six tasks.",
        CYCLE, "    if only is not None:\n", "    if only is not None and not only:\n",
        ("tests/unit/app/test_quiet_start.py", *PASSES),
    ),
    Fault(
        "cycle-one-failure-stops-all", "cycle", "A driver that fails takes the other trackers with it.",
        "src/ticssync/sync/look.py", "    except Exception as error:  # noqa: BLE001 - a plugin's bug must not stop the other trackers\n",
        "    except ZeroDivisionError as error:\n", ("tests/unit/sync/test_one_pass_at_a_time.py",),
    ),
    Fault(
        "quiet-edit-passed-over", "quiet", "A colleague's edit is not taken in, because nothing seems to have happened.",
        QUIET, "known[task.ref.tracker].get(task.ref) == task.version", "task.ref in known[task.ref.tracker]", STILL,
    ),
    Fault(
        "quiet-act-passed-over", "quiet", "What the office decided is not written, because nothing seems to have happened.",
        QUIET, 'same = start.note.get("inputs") == inputs and start.note.get("standing") == standing',
        'same = start.note.get("inputs") == inputs', STILL,
    ),
    Fault(
        "quiet-mapping-passed-over", "quiet", "A changed mapping has no effect until something else happens.",
        QUIET, 'same = start.note.get("inputs") == inputs and start.note.get("standing") == standing',
        'same = start.note.get("standing") == standing', STILL,
    ),
    Fault(
        "quiet-new-day-passed-over", "quiet", "On a new day the tasks are not looked at.",
        QUIET, 'or start.note.get("today") != today.isoformat()', "or not today", ("tests/unit/sync/test_quiet_day.py",),
    ),
)  # fmt: skip

FAULTS: Final = (*SENDING, *COMMITTING)
