"""Faults in what the engine decides: merge, plan, identity, look and recovery, safety."""

from __future__ import annotations

from typing import Final

from tests.planted.fault import Fault

MERGE: Final = "src/ticssync/sync/merge.py"
PLAN: Final = "src/ticssync/sync/plan.py"
DECIDE: Final = "src/ticssync/sync/decide.py"
IDENTITY: Final = "src/ticssync/sync/identity.py"
LOOK: Final = "src/ticssync/sync/look.py"
SAFETY: Final = "src/ticssync/sync/safety.py"

PASSES: Final = ("tests/unit/sync/test_cycle.py", "tests/unit/sync/test_acts_and_passes.py")
MERGING: Final = ("tests/property/test_merge.py", "tests/unit/sync/test_cycle.py")
DEATHS: Final = ("tests/unit/sync/test_cycle.py", "tests/faults/test_engine_faults.py")
NEWEST: Final = (
    "tests/property/test_merge.py::test_the_newest_edit_of_a_person_wins_where_every_time_is_known",
)
ANY_ORDER: Final = (
    "tests/property/test_merge.py::test_where_times_tell_the_edits_apart_the_order_of_the_sides_does_not_matter",
)
FEWER: Final = ("tests/unit/sync/test_fewer_statuses.py",)
MEANWHILE: Final = ("tests/unit/sync/test_people_meanwhile.py",)
APART: Final = ("tests/unit/sync/test_gone_or_hidden.py",)
LAGGING: Final = ("tests/unit/sync/test_lagging_search.py",)
DOUBLES: Final = ("tests/unit/sync/test_doubles.py",)
MASSES: Final = ("tests/unit/sync/test_mass_changes.py",)
HISTORIES: Final = ("tests/unit/sync/test_cycle.py", "tests/property/test_machine.py")

DECIDING: Final = (
    Fault(
        "merge-loser-dropped", "merge", "Two people change one field in two trackers: one value is gone without a word.",
        MERGE, "losers = {name: value for name, value, _, _ in candidates if value != winner[1]}",
        "losers = {name: value for name, value, _, _ in candidates[:0]}", MERGING,
    ),
    Fault(
        "merge-oldest-wins", "merge", "The older of two edits counts, and the newer one is undone.",
        MERGE, "newest = max(at", "newest = min(at", NEWEST,
    ),
    Fault(
        "merge-values-not-views", "merge",
        "A tracker that knows fewer statuses seems to change the status back in every pass.",
        MERGE, "return old if old is not MISSING and self.view(old) == self.read else self.read",
        "return self.read", FEWER,
    ),
    Fault(
        "merge-without-base", "merge", "What the office decided is taken for outdated by every tracker that was not touched.",
        MERGE, "self.base is not MISSING and self.read != self.base", "self.base is not MISSING", PASSES[1:],
    ),
    Fault(
        "merge-unbased-pushed", "merge", "After the store was lost, values that differ are written over instead of shown.",
        MERGE, "    if unbased is not None:\n        return unbased\n", "", (*MERGING, "tests/unit/app/test_adopt.py"),
    ),
    Fault(
        "merge-automation-beats-person", "merge", "An automation of the tracker wins over the person who edited before it.",
        MERGE, "[one for one in candidates if one[3] is not False] or list(candidates)", "list(candidates)", ANY_ORDER,
    ),
    Fault(
        "merge-tracker-before-time", "merge", "Whoever sits in the main tracker wins, however old the edit is.",
        MERGE, "if all(at is not None for _, _, at, _ in candidates):", "if not candidates:", NEWEST,
    ),
    Fault(
        "plan-values-not-views", "plan", "A tracker with fewer statuses is written to, with mail to people, in every pass.",
        PLAN, "if shown == found[name] or", "if value == found[name] or", (*FEWER, "tests/property/test_plan.py"),
    ),
    Fault(
        "plan-refused-for-ever", "plan", "A field that was refused once is never written again, whatever happens to it there.",
        PLAN, "refusal.wanted == wanted and refusal.found == found", "refusal.wanted == wanted",
        MEANWHILE,
    ),
    Fault(
        "plan-refused-again", "plan", "What the tracker refuses is sent again in every pass, with a mail each time.",
        PLAN, "return refusal is not None and refusal.wanted == wanted and", "return refusal is None and not wanted and",
        PASSES,
    ),
    Fault(
        "plan-held-written", "plan", "A field that waits for a person's decision is written over meanwhile.",
        PLAN, "if name not in found or name in held:", "if name not in found:",
        ("tests/property/test_plan.py", *PASSES, "tests/unit/app/test_adopt.py"),
    ),
    Fault(
        "plan-generation", "plan", "A restored task carries the marker of the deleted one, and is taken for it.",
        PLAN, "max(taken, default=0) + 1", "max(taken, default=1)",
        DOUBLES,
    ),
    Fault(
        "plan-copy-keeps-marker", "plan", "A copied task keeps our marker for ever.",
        PLAN, "if refusal is None and not seen.site.driver.caps.file_batch:",
        "if refusal is not None and not seen.site.driver.caps.file_batch:", APART,
    ),
    Fault(
        "plan-rejected-create-again", "plan", "A task that the tracker rejects is sent again in every pass.",
        PLAN, "if refusal is None or refusal.wanted != create.fingerprint:", "if create.fingerprint:",
        ("tests/unit/sync/test_given_along.py", *PASSES),
    ),
    Fault(
        "freeze-never", "plan", "An automation that answers each write makes ticssync write, and mail, without end.",
        PLAN, "FREEZE_AFTER: Final = 3", "FREEZE_AFTER: Final = 300", PASSES,
    ),
    Fault(
        "freeze-at-once", "plan", "A colleague who corrects a field once finds it frozen.",
        PLAN, "FREEZE_AFTER: Final = 3", "FREEZE_AFTER: Final = 0", PASSES,
    ),
    Fault(
        "freeze-window", "plan", "A field that people change now and then is frozen after some weeks.",
        DECIDE, "timedelta(hours=1)", "timedelta(days=1000)", MEANWHILE,
    ),
    Fault(
        "overwritten-not-kept", "plan", "What a person wrote into a field of ours is written over and nowhere kept.",
        DECIDE, 'if spoke.site.owners.get(name) == "ticssync" and shown.get(name) != new',
        'if spoke.site.owners.get(name) == "ticssync" and shown.get(name) == new', PASSES,
    ),
    Fault(
        "identity-strangers-marker", "identity", "A task of another company's workspace is taken for ours and written over.",
        LOOK, "return marker if marker is not None and marker.workspace == workspace else None", "return marker",
        (*PASSES, "tests/unit/app/test_places.py"),
    ),
    Fault(
        "identity-foreign-taken-back", "identity", "A task that another workspace has taken over is taken back from it.",
        IDENTITY, "return marker is not None and marker.workspace != known.workspace", "return False", PASSES,
    ),
    Fault(
        "identity-highest-id", "identity", "Of a task and its copy the copy counts, and the original is let go.",
        IDENTITY, "key=lambda one: (len(one.ref.id), one.ref.id)):", "key=lambda one: (len(one.ref.id), one.ref.id), reverse=True):",
        DOUBLES,
    ),
    Fault(
        "identity-copy-live", "identity", "A copied task is bound as a second one of the same criterion.",
        IDENTITY, '_bind(identity, task, marker, "main", BindingState.COPY)',
        '_bind(identity, task, marker, "main", BindingState.LIVE)', PASSES,
    ),
    Fault(
        "identity-deleted-made-again", "identity", "A task that somebody deleted on purpose is made again by itself.",
        IDENTITY, "HOLDING = (BindingState.LIVE, BindingState.LOST, BindingState.TOMB)",
        "HOLDING = (BindingState.LIVE, BindingState.LOST)", PASSES,
    ),
    Fault(
        "identity-hidden-is-deleted", "identity", "A task that is hidden for a while counts as deleted.",
        IDENTITY, "BindingState.TOMB if fate is Fate.GONE else BindingState.LOST", "BindingState.TOMB", APART,
    ),
    Fault(
        "identity-out-of-scope-kept", "identity", "A task whose item left the scope goes on being written.",
        IDENTITY, "and one.key not in wants", "and one.key in ()", PASSES,
    ),
)  # fmt: skip

LOOKING: Final = (
    Fault(
        "look-whoami-skipped", "look", "An expired login shows nothing, and all tasks count as deleted.",
        LOOK, "if any(fate in (Fate.GONE, Fate.HIDDEN) for fate in seen.fates.values()):", "if not seen.site:", HISTORIES,
    ),
    Fault(
        "look-absent-is-deleted", "look", "A task that a listing happens to leave out counts as deleted.",
        LOOK, "    if any(fate in (Fate.GONE, Fate.HIDDEN) for fate in seen.fates.values()):",
        "    seen.fates |= {ref: Fate.GONE for ref in bound - listed if seen.whole}\n"
        "    if any(fate in (Fate.GONE, Fate.HIDDEN) for fate in seen.fates.values()):",
        APART,
    ),
    Fault(
        "look-index-believed", "look", "What a lagging search shows is taken for the truth, and edits are lost.",
        LOOK, "if page.read is Read.STRONG:", "if page.read:", LAGGING,
    ),
    Fault(
        "look-never-whole", "look", "A task that vanished is never noticed, because only changes are asked for.",
        LOOK, "> timedelta(days=1)", "> timedelta(days=10000)",
        (*PASSES, "tests/unit/sync/test_quiet.py"),
    ),
    Fault(
        "look-no-search-before-create", "look", "A store out of an old backup makes every task a second time.",
        LOOK, "if seen.complete or not missing:", "if seen.complete or missing:", DOUBLES,
    ),
    Fault(
        "recover-settle-window", "recover",
        "A create whose answer was lost is sent again before a lagging search can show it: two tasks.",
        LOOK, "timedelta(seconds=hits.lag_s)", "timedelta(seconds=hits.lag_s / 10)",
        DOUBLES,
    ),
    Fault(
        "recover-creates-forgotten", "recover", "What became of a create whose answer was lost is never asked.",
        LOOK, "    if creates:\n", "    if creates is None:\n", (*DOUBLES, *DEATHS),
    ),
    Fault(
        "recover-note-unseen", "recover", "A note whose answer was lost stands in the task twice.",
        LOOK, "one for one in notes if any(one.marker in comment.text for comment in there.get(refs[one.id], ()))",
        "one for one in notes[:0]", ("tests/unit/sync/test_acts_and_passes.py", "tests/faults/test_given_along_faults.py"),
    ),
    Fault(
        "recover-note-silent-task", "recover", "A task that did not tell its notes gets the same note once more.",
        LOOK, "[one for one in notes if refs[one.id] in there or refs[one.id] in gone]", "list(notes)",
        ("tests/unit/sync/test_given_along.py", "tests/unit/sync/test_acts_and_passes.py", "tests/faults/test_given_along_faults.py"),
    ),
    Fault(
        "recover-file-silent-task", "recover", "A task that did not show its files gets the same file once more.",
        LOOK, "seen.unsure = files - told", "seen.unsure = frozenset()",
        ("tests/unit/sync/test_given_in_silence.py",),
    ),
    Fault(
        "recover-own-way-is-an-edit", "recover", "A way through the workflow that broke off is taken for a colleague's decision.",
        LOOK, "            seen.halfway |= {ref}\n", "            seen.halfway |= set()\n", ("tests/faults/test_cut_off_ways.py",),
    ),
    Fault(
        "recover-persons-status-is-ours", "recover", "A colleague who sets the status half-way is written over.",
        LOOK, 'one.payload["path"] and task.changed_by_person is not True', 'one.payload["path"]', ("tests/faults/test_cut_off_ways.py",),
    ),
)  # fmt: skip

STOPPING: Final = (
    Fault(
        "safety-gone-share", "safety", "Hundreds of tasks vanish at once, and nobody is asked.",
        SAFETY, "GONE_SHARE: Final = 0.3", "GONE_SHARE: Final = 3.0", PASSES[:1],
    ),
    Fault(
        "safety-gone-least", "safety", "One deleted task stops a small project.",
        SAFETY, "GONE_LEAST: Final = 5", "GONE_LEAST: Final = 1", MASSES,
    ),
    Fault(
        "safety-wiped", "safety", "Somebody empties a field in all tasks by a bulk edit, and it is taken in.",
        SAFETY, 'wiped = owner != "ticssync" and value in (None, "", ())', "wiped = False",
        MASSES,
    ),
    Fault(
        "safety-same-share", "safety", "A bulk edit of our own field in all tasks is written over without a question.",
        SAFETY, "SAME_SHARE: Final = 0.8", "SAME_SHARE: Final = 8.0", MASSES,
    ),
    Fault(
        "safety-word-reusable", "safety", "A word that accepted one accident accepts the next one too.",
        SAFETY, "digest([tracker, plain(what), known.accepted])", "digest([tracker, plain(what)])", PASSES[:1],
    ),
    Fault(
        "safety-any-word", "safety", "Any word accepts a safety stop.",
        "src/ticssync/sync/cycle.py", "if stop.word == this.order.accept and not this.order.dry:",
        "if this.order.accept and not this.order.dry:", MASSES,
    ),
)  # fmt: skip

FAULTS: Final = (*DECIDING, *LOOKING, *STOPPING)
