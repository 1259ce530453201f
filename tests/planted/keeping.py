"""Faults in what is kept: store, lease, locker, evidence, and what is collected from the trackers."""

from __future__ import annotations

from typing import Final

from tests.planted.fault import Fault

EVENTS: Final = "src/ticssync/store/events.py"
STORE: Final = "src/ticssync/store/store.py"
LEASE: Final = "src/ticssync/store/lease.py"
LOCKER: Final = "src/ticssync/store/locker.py"
HAND_IN: Final = "src/ticssync/evidence/hand_in.py"
RULES: Final = "src/ticssync/evidence/rules.py"
FROM_TRACKER: Final = "src/ticssync/evidence/from_tracker.py"

CHAIN: Final = ("tests/unit/store/test_chain.py", "tests/unit/bundle/test_verify.py")
LEASES: Final = ("tests/unit/app/test_leases_and_daemon.py",)
LOCKING: Final = ("tests/unit/evidence/test_locker.py",)
TAKING: Final = ("tests/unit/evidence/test_take.py",)
COLLECTING: Final = ("tests/unit/evidence/test_from_tracker.py", "tests/unit/app/test_collect.py")
TRUST: Final = (
    "tests/system/test_bad_input.py::test_a_store_that_cannot_be_trusted_stops_every_command_with_exit_5",
)
LAW: Final = ("tests/system/test_store_law.py",)

STORING: Final = (
    Fault(
        "store-payload-without-salt", "store", "Who sees the log without a withheld payload can guess what it said.",
        EVENTS, 'hashlib.sha256((salt + payload).encode("utf-8"))', 'hashlib.sha256(payload.encode("utf-8"))', ("tests/unit/store/test_commitments.py",),
    ),
    Fault(
        "store-link-not-hashed", "store", "Events can be cut out of the log, and the rest still seems whole.",
        EVENTS, "parts = (prev, str(seq), at,", 'parts = ("", str(seq), at,', ("tests/unit/store/test_commitments.py",),
    ),
    Fault(
        "store-link-not-verified", "store", "A log out of two logs passes for one.",
        EVENTS, "if event.prev_hash != prev:", "if not event.prev_hash:", ("tests/unit/store/test_chain.py", "tests/unit/store/test_commitments.py"),
    ),
    Fault(
        "store-changed-payload-passes", "store", "What an event says can be rewritten afterwards.",
        EVENTS, 'event.payload_hash != payload_hash(event.salt or "", event.payload)', "not event.payload_hash", ("tests/unit/store/test_commitments.py",),
    ),
    Fault(
        "store-erase-breaks-chain", "store", "Erasing a person's data makes the whole log look forged.",
        STORE, ".values(payload=None, salt=None, claimed_by=None)",
        '.values(payload=None, salt=None, claimed_by=None, payload_hash="")', ("tests/system/test_store_law.py",),
    ),
    Fault(
        "store-two-writers", "store", "Of two processes that write at once one loses its work without an error.",
        "src/ticssync/store/connection.py", 'else "IMMEDIATE"', 'else "DEFERRED"', ("tests/unit/store/test_writers_wait_for_each_other.py",),
    ),
    Fault(
        "store-head-not-locked", "store", "On PostgreSQL two processes write events of the same number, and one fails.",
        STORE, "where(table.c.workspace_id == self.workspace).with_for_update()", "where(table.c.workspace_id == self.workspace)",
        ("tests/unit/store/test_both_stores.py",), server=True,
    ),
    Fault(
        "store-commit-not-on-disk", "store", "After a power cut the store has forgotten what it had sent.",
        "src/ticssync/store/connection.py", "PRAGMA synchronous=FULL", "PRAGMA synchronous=OFF", ("tests/unit/store/test_writers_wait_for_each_other.py",),
    ),
    Fault(
        "store-of-another-company", "store", "The store of another workspace is opened and filled.",
        STORE, "if found and self.workspace not in found:", "if found and not self.workspace:",
        TRUST,
    ),
    Fault(
        "store-of-a-newer-version", "store", "An older ticssync writes into the store of a newer one.",
        STORE, "if revision > schema.REVISION:", "if revision > schema.REVISION and not revision:",
        TRUST,
    ),
    Fault(
        "store-upgraded-without-copy", "store", "An upgrade that goes wrong leaves no store to go back to.",
        "src/ticssync/store/migrate.py", "    if file is not None:\n        _copy(", "    if file is None:\n        _copy(",
        ("tests/unit/store/test_migration.py",),
    ),
    Fault(
        "store-unreadable-undoes", "store", "A file server that is away for a night undoes confirmations.",
        "src/ticssync/store/projection.py", 'if "withdrawn" in (data["to"], data["from"]) else {}', 'if data["to"] else {}',
        ("tests/unit/evidence/test_what_touches_proof.py",),
    ),
    Fault(
        "store-review-undoes", "store", "A second look at a piece of evidence undoes the confirmation that rests on it.",
        "src/ticssync/store/projection.py", "connection.execute(update(table).where(*where).values(payload=payload))",
        "connection.execute(update(table).where(*where).values(payload=payload, seq=event.seq))",
        ("tests/unit/evidence/test_what_touches_proof.py",),
    ),
    Fault(
        "store-busy-is-damage", "store", "While another process writes, the store is called damaged.",
        "src/ticssync/store/connection.py", 'if "locked" in lowered or "busy" in lowered:', 'if "busy!" in lowered:',
        ("tests/unit/store/test_what_a_database_says.py",),
    ),
    Fault(
        "lease-token-not-raised", "lease", "A process that lost the lease cannot be told from the one that holds it.",
        LEASE, "_token(tx) + 1", "_token(tx)", LEASES,
    ),
    Fault(
        "lease-lost-unseen", "lease", "Whoever lost the lease goes on sending.",
        LEASE, "\n    if current is None or current.token != lease.token:", "\n    if current is None:", LEASES,
    ),
    Fault(
        "lease-beat-of-a-loser", "lease", "Whoever lost the lease keeps it alive under its own name.",
        LEASE, "        if current is None or current.token != lease.token:\n            raise lost(current)\n        moved",
        "        if current is None:\n            raise lost(current)\n        moved", LEASES,
    ),
    Fault(
        "lease-other-host-robbed", "lease", "The daemon of another machine is taken for dead, and both write.",
        LEASE, "return (same_host and not alive(current.holder.pid)) or lapsed(current)",
        "return not alive(current.holder.pid) or lapsed(current)", ("tests/unit/store/test_lease_lapses.py",),
    ),
    Fault(
        "lease-never-lapses", "lease", "After the other machine broke down nobody ever takes over.",
        LEASE, "or lapsed(current)", "or (same_host and lapsed(current))", ("tests/unit/store/test_lease_lapses.py",),
    ),
    Fault(
        "lease-unknown-to-drivers", "lease", "A process that lost the lease in the middle of a batch makes the rest of it too.",
        "src/ticssync/host.py", "memory=memory, company=config.company, before_write=before_write,",
        "memory=memory, company=config.company,", ("tests/unit/app/test_leases_and_daemon.py", "tests/unit/app/test_leasing.py"),
    ),
    Fault(
        "lease-given-back-for-another", "lease", "A process that lost the lease takes it from the new holder when it ends.",
        LEASE, "if current is not None and current.token == lease.token:", "if current is not None:", LEASES,
    ),
)  # fmt: skip

FILING: Final = (
    Fault(
        "locker-damage-passes", "locker", "Damaged bytes in the locker pass for the evidence that was handed in.",
        LOCKER, 'return "ok" if hash_of(stream).sha256 == sha256 else "changed"', 'return "ok" if hash_of(stream) else ""',
        LOCKING,
    ),
    Fault(
        "locker-kept-unverified", "locker", "Good bytes that are handed in again do not replace damaged ones.",
        LOCKER, "state = self.verify(kept.sha256)", 'state = "ok" if target.exists() else "missing"', LOCKING,
    ),
    Fault(
        "locker-damage-overwritten", "locker", "Damaged bytes are written over, and nobody can look into what happened.",
        LOCKER, 'target.replace(target.with_name(f"{target.name}.damaged-{secrets.token_hex(4)}"))', "target.unlink()", LOCKING,
    ),
    Fault(
        "locker-any-name", "locker", "A hash out of a foreign file leads to any file of the machine.",
        LOCKER, "if not _HASH.fullmatch(sha256):", "if not sha256:", LOCKING,
    ),
    Fault(
        "locker-writable", "locker", "Evidence in the locker can be changed by a slip in an editor.",
        LOCKER, "part.chmod(0o400)", "part.chmod(0o600)", LOCKING,
    ),
    Fault(
        "evidence-same-name-overwritten", "evidence", "Two files of one name: the second overwrites the first.",
        HAND_IN, 'target.open("xb").close()', 'target.open("ab").close()', TAKING,
    ),
    Fault(
        "evidence-changed-while-read", "evidence", "A file that is being saved is kept half old and half new.",
        HAND_IN, "if not _unchanged(candidate, os.fstat(stream.fileno())):", "if not candidate:", TAKING,
    ),
    Fault(
        "evidence-strictest-rule", "evidence", "The bytes of a file that must stay in the house are kept for another item.",
        HAND_IN, 'copies = all(item.data["keep_mode"]', 'copies = any(item.data["keep_mode"]', TAKING,
    ),
    Fault(
        "evidence-twice", "evidence", "A file that is taken again after a crash counts as a second proof.",
        HAND_IN, 'return "" if held_already(tx, piece, today, never_left=never_left) else _add(tx, piece, by)',
        "return _add(tx, piece, by)", (*TAKING, "tests/unit/evidence/test_crash.py"),
    ),
    Fault(
        "evidence-last-day", "evidence", "Evidence counts as expired on its last good day.",
        RULES, "as_of <= item.valid_until", "as_of < item.valid_until", ("tests/unit/evidence/test_rules.py",),
    ),
    Fault(
        "evidence-withdrawn-counts", "evidence", "Evidence that was withdrawn still proves something.",
        RULES, "if not item.withdrawn and item.kind != REMARK]", "if item.kind != REMARK]", ("tests/unit/evidence/test_rules.py",),
    ),
    Fault(
        "evidence-remark-counts", "evidence", "A thank-you in the tracker counts as proof.",
        RULES, "if not item.withdrawn and item.kind != REMARK]", "if not item.withdrawn]", ("tests/unit/evidence/test_rules.py",),
    ),
    Fault(
        "evidence-month-end", "evidence", "Evidence of 31 January with one month's period is refused with an error.",
        RULES, "min(dated_on.day, calendar.monthrange(year, month + 1)[1])", "dated_on.day", ("tests/unit/evidence/test_rules.py",),
    ),
    Fault(
        "evidence-reviewed-by-oneself", "evidence", "Who handed a piece in can review it.",
        RULES, "return bool(item.reviewed_by) and item.reviewed_by != item.handed_in_by", "return bool(item.reviewed_by)",
        ("tests/unit/evidence/test_rules.py",),
    ),
    Fault(
        "evidence-open-file-taken", "evidence", "A file that somebody has open in Excel is taken in half finished.",
        "src/ticssync/evidence/scan.py", "if _is_open(file) or not _at_rest(look, found):", "if not _at_rest(look, found):",
        ("tests/unit/evidence/test_scan.py",),
    ),
    Fault(
        "evidence-link-followed", "evidence", "A link in the drop folder hands in any file of the machine.",
        "src/ticssync/evidence/scan.py", "if not stat.S_ISREG(status.st_mode):", "if stat.S_ISDIR(status.st_mode):",
        ("tests/unit/evidence/test_scan.py",),
    ),
    Fault(
        "evidence-program-taken", "evidence", "A program that looks like a document is kept and passed on to the auditor.",
        "src/ticssync/evidence/flags.py", "Flag.EXECUTABLE, Flag.DOUBLE_EXTENSION}", "Flag.EXECUTABLE}",
        ("tests/unit/evidence/test_flags.py", "tests/unit/evidence/test_scan.py"),
    ),
    Fault(
        "collect-private-notes", "collect", "A private note becomes evidence that the auditor reads.",
        FROM_TRACKER, "        and (collects.private_notes or not one.private)\n", "", COLLECTING[:1],
    ),
    Fault(
        "collect-our-own-notes", "collect", "What ticssync wrote itself comes back as evidence.",
        FROM_TRACKER, "        and not is_ours(one, own_ids)\n", "", COLLECTING[:1],
    ),
    Fault(
        "collect-cut-off-file", "collect", "A file that was cut off on its way is kept as evidence.",
        FROM_TRACKER, "return size < file.size", "return size < 0", ("tests/unit/app/test_collect.py::test_a_file_that_comes_in_part_or_not_at_all_is_not_taken",),
    ),
    Fault(
        "collect-file-gone-by-listing", "collect", "A file that a listing leaves out is reported as deleted.",
        "src/ticssync/app/collect.py", "if any(gone for _, gone in changes):", "if not tasks:", ("tests/unit/app/test_collect.py::test_a_listing_without_the_file_proves_nothing",),
    ),
    Fault(
        "collect-not-kept-due", "collect", "After a crash what people attached is never taken in.",
        "src/ticssync/app/collect.py", "                    collected.put_due(tx, name, refs)\n", "                    pass\n",
        ("tests/unit/app/test_collect_crash.py",),
    ),
    Fault(
        "collect-any-own-name", "collect", "A file of a colleague is passed over because its name looks like ours.",
        "src/ticssync/app/fetch_file.py", "return bool(wanted) and _download(site, ref, file, hash_of).sha256.startswith(wanted)",
        "return bool(wanted)", ("tests/unit/app/test_collect.py::test_a_file_with_such_a_name_and_other_bytes_is_a_person_s",),
    ),
    Fault(
        "given-name-is-a-path", "collect", "The name of a file that is handed out leads out of its folder.",
        "src/ticssync/sync/hand_out.py", 'safe = _FORBIDDEN.sub("_", name.strip())', "safe = name.strip()",
        ("tests/unit/sync/test_given_along.py",),
    ),
)  # fmt: skip

FAULTS: Final = (*STORING, *FILING)
