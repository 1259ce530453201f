"""Faults in the rules: mapping, days and reminders, what a bundle proves, who may confirm, links, places, secrets."""

from __future__ import annotations

from typing import Final

from tests.planted.fault import Fault

LOAD: Final = "src/ticssync/mapping/load.py"
RENDER: Final = "src/ticssync/mapping/render.py"
DUTIES: Final = "src/ticssync/deadlines/duties.py"
CALENDAR: Final = "src/ticssync/deadlines/calendar.py"
REMIND: Final = "src/ticssync/deadlines/remind.py"
REMINDERS: Final = "src/ticssync/deadlines/reminders.py"
VERIFY: Final = "src/ticssync/bundle/verify.py"
ASSESS: Final = "src/ticssync/assess/"

MAPPINGS: Final = (
    "tests/unit/mapping/test_templates.py",
    "tests/unit/mapping/test_compare.py",
    "tests/system/test_bad_input.py",
)
DAYS: Final = ("tests/unit/deadlines/test_duties.py", "tests/unit/deadlines/test_calendar.py")
MAIL: Final = ("tests/unit/deadlines/test_remind.py", "tests/unit/deadlines/test_reminders.py")
PROOF: Final = ("tests/unit/bundle/test_verify.py",)
EXPORT: Final = ("tests/unit/bundle/test_export.py",)
CONFIRM: Final = (
    "tests/unit/assess/test_rules.py",
    "tests/unit/assess/test_from_tracker.py",
    "tests/unit/app/test_tracker_acts.py",
)

MAPPING: Final = (
    Fault(
        "mapping-unknown-key", "mapping", "A mistyped key in the mapping file is passed over in silence.",
        "src/ticssync/mapping/schema.py", 'model_config = ConfigDict(extra="forbid", frozen=True)',
        'model_config = ConfigDict(extra="ignore", frozen=True)', ("tests/unit/mapping/test_keys.py",),
    ),
    Fault(
        "mapping-reaches-into-values", "mapping", "A mapping file from somebody else reaches into the program.",
        RENDER, "tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Call))", "tree.find_all((nodes.Getitem, nodes.Call))", MAPPINGS,
    ),
    Fault(
        "mapping-unknown-name", "mapping", "A mistyped name in a template is noticed only in the middle of a sync.",
        RENDER, "for name in sorted(names - set(TEMPLATE_NAMES)):", "for name in sorted(names & set()):", MAPPINGS,
    ),
    Fault(
        "mapping-two-in-one-place", "mapping", "Two fields go to one place and write over each other in every pass.",
        LOAD, "if rule.to in taken:", "if rule.to in ():", MAPPINGS,
    ),
    Fault(
        "mapping-no-word-for-done", "mapping", "No status of the tracker means done, and nothing is ever reported.",
        LOAD, "        if needed not in known:\n", "        if needed is None:\n", MAPPINGS,
    ),
    Fault(
        "mapping-unknown-item", "mapping", "An override of an item that does not exist has no effect, and nobody says so.",
        LOAD, "if item_ids and item not in item_ids:", "if item is None:", MAPPINGS,
    ),
    Fault(
        "mapping-long-title", "mapping", "A title that is too long for one tracker is never the same in two.",
        RENDER, "TITLE_MAX: Final = 255", "TITLE_MAX: Final = 2550", ("tests/unit/mapping/test_rendered.py",),
    ),
    Fault(
        "mapping-status-is-ours", "mapping", "What members report as done is set back by ticssync.",
        "src/ticssync/mapping/schema.py", '"status": FieldOwner.MERGE', '"status": FieldOwner.TICSSYNC',
        ("tests/system/test_workbook_sync.py", *MAPPINGS),
    ),
    Fault(
        "mapping-due-on-a-free-day", "mapping", "A task falls due on a Sunday.",
        RENDER, "facts.target_day(anchor + timedelta(days=rule.days)).isoformat()", "(anchor + timedelta(days=rule.days)).isoformat()",
        ("tests/unit/mapping/test_rendered.py",),
    ),
    Fault(
        "mapping-confirm-field-of-ours", "mapping", "What a confirmer sets in the tracker is written over before it is read.",
        LOAD, '    elif mapping.owner(name) is FieldOwner.TICSSYNC:\n        yield located.problem(\n            ("confirm_when", "field"),',
        '    elif mapping.owner(name) is None:\n        yield located.problem(\n            ("confirm_when", "field"),',
        ("tests/unit/app/test_tracker_acts.py",),
    ),
)  # fmt: skip

REMINDING: Final = (
    Fault(
        "deadlines-month-end", "deadlines", "A certificate of 31 August has its report due on the 28th.",
        CALENDAR, "min(day.day, last)", "min(day.day, 28)", DAYS,
    ),
    Fault(
        "deadlines-one-day-late", "deadlines", "Every reminder comes a day late.",
        DUTIES, "duty.due_on - timedelta(days=days)", "duty.due_on - timedelta(days=days - 1)", DAYS,
    ),
    Fault(
        "deadlines-target-after", "deadlines", "A report that is due on a Sunday is asked for on the Monday after.",
        DUTIES, "target_on=calendar.working_day_before(duty.due_on)", "target_on=calendar.working_day_after(duty.due_on)", DAYS,
    ),
    Fault(
        "deadlines-on-holidays", "deadlines", "Reminders go out on public holidays, when nobody reads them.",
        CALENDAR, "return not self.is_public_holiday(day)", "return True", DAYS,
    ),
    Fault(
        "deadlines-submitted-nags", "deadlines", "A report that was submitted goes on being asked for.",
        DUTIES, "if record is not None and record.state is not DutyState.OPEN:", "if record is not None and record.state is None:", DAYS,
    ),
    Fault(
        "deadlines-overdue-silent", "deadlines", "What is overdue is no longer mentioned.",
        DUTIES, "    if due_on >= today:\n        return\n", "    if due_on != today:\n        return\n", DAYS,
    ),
    Fault(
        "deadlines-never-climbs", "deadlines", "What is weeks overdue never reaches the president.",
        DUTIES, "climbs=late > DAILY_FOR", "climbs=False", DAYS,
    ),
    Fault(
        "deadlines-fiscal-year", "deadlines", "April belongs to the fiscal year before.",
        CALENDAR, "day.month >= self.fiscal_year_start", "day.month > self.fiscal_year_start", ("tests/unit/deadlines/test_fiscal_year.py",),
    ),
    Fault(
        "deadlines-era", "deadlines", "A day of the first year of an era belongs to the era before.",
        CALENDAR, "        if day >= first:\n", "        if day.year > first.year:\n", DAYS,
    ),
    Fault(
        "deadlines-default-as-confirmed", "deadlines", "A date that nobody confirmed is shown as confirmed.",
        DUTIES, "Basis.CONFIRMED if certificate.rules_confirmed else Basis.DEFAULT", "Basis.CONFIRMED", DAYS,
    ),
    Fault(
        "reminders-without-claim", "reminders", "Two processes send the same reminder.",
        REMIND, "    if not claimed:\n", "    if claimed is None:\n", ("tests/unit/deadlines/test_two_at_once.py",),
    ),
    Fault(
        "reminders-claim-always", "reminders", "Two processes both claim the same reminder, and both send it.",
        "src/ticssync/store/notices.py", "if any(standing.get(row.key) != seen.get(row.key) for row in rows):", "if not rows:", MAIL,
    ),
    Fault(
        "reminders-maybe-taken", "reminders", "A mail whose answer was lost is sent again under another name: two mails.",
        REMIND, "if not error.maybe_taken and not what.repeats:", "if not what.repeats:", MAIL,
    ),
    Fault(
        "reminders-no-catching-up", "reminders", "What fell due while the machine was off is never told.",
        REMINDERS, "            if step.on > today:\n", "            if step.on != today:\n", MAIL,
    ),
    Fault(
        "reminders-claim-for-ever", "reminders", "A process that died while sending takes its reminder with it.",
        REMINDERS, "CLAIM_TIMEOUT: Final = timedelta(minutes=15)", "CLAIM_TIMEOUT: Final = timedelta(days=15000)", MAIL,
    ),
    Fault(
        "reminders-dry-run-sends", "reminders", "A dry run sends mail.",
        REMIND, "        if dry_run:\n", "        if dry_run is None:\n", MAIL,
    ),
    Fault(
        "reminders-two-mails-a-day", "reminders", "People get a mail for each thing instead of one a day.",
        REMINDERS, "if person.id in had_today:", "if person.id in ():", MAIL,
    ),
    Fault(
        "reminders-login-storm", "reminders", "A wrong mail password is tried for every person until the account is locked.",
        REMIND, "        elif result.credentials:\n", "        elif result.credentials is None:\n", MAIL,
    ),
    Fault(
        "reminders-successor-again", "reminders", "Who takes over a role is told again of everything that was told before.",
        REMINDERS, "or (duty.id, role, step.name) in self.by_role", "or role in self.by_role", MAIL,
    ),
    Fault(
        "reminders-other-name-at-a-repeat", "reminders", "A repeated mail has another Message-ID, and stands in the inbox twice.",
        REMINDERS, "digests.append(Digest(notices[0].person, today, notices, identity, rows))",
        'digests.append(Digest(notices[0].person, today, notices, f"<{now:%H%M%S}.{identity[1:]}", rows))', MAIL,
    ),
    Fault(
        "reminders-nobody-reached", "reminders", "Where the manager has no mail address nobody is told.",
        REMINDERS, 'dict.fromkeys(filter(None, (role, next_role(role), "executive", "admin")))', "(role,)", MAIL,
    ),
)  # fmt: skip

PROVING: Final = (
    Fault(
        "verify-hash-not-compared", "bundle verify", "A document in the bundle was exchanged, and the check says all is well.",
        VERIFY, "if name in seen and seen[name].sha256 != named[name]", "if name in seen and not named[name]", PROOF,
    ),
    Fault(
        "verify-added-file", "bundle verify", "A file that somebody added to the bundle passes as part of it.",
        VERIFY, "        if name not in listed:\n", "        if name in ():\n", PROOF,
    ),
    Fault(
        "verify-missing-file", "bundle verify", "A file that was taken out of the bundle is not missed.",
        VERIFY, "gone = sorted({*named, *_REQUIRED} - there)", "gone = sorted({*_REQUIRED} - there)", PROOF,
    ),
    Fault(
        "verify-foreign-key", "bundle verify", "A bundle that somebody else signed counts as the company's.",
        VERIFY, "if expected is not None and expected.strip() != fingerprint:", "if expected is not None and not fingerprint:", PROOF,
    ),
    Fault(
        "verify-authentic-without-comparison", "bundle verify", "A bundle counts as authentic although nobody compared the key.",
        VERIFY, "return fingerprint, None if expected is None else True, []", "return fingerprint, True, []", PROOF,
    ),
    Fault(
        "verify-signature-unchecked", "bundle verify", "A bundle with forged manifests passes.",
        "src/ticssync/bundle/sign.py", "            wrong.append(path)\n", "            wrong += []\n", PROOF,
    ),
    Fault(
        "verify-log-cut-off", "bundle verify", "The end of the log was cut off, and nobody sees it.",
        VERIFY, "    if not anchored:\n", "    if anchored is None:\n", PROOF,
    ),
    Fault(
        "verify-bytes-behind", "bundle verify", "Something hidden behind the end of the ZIP passes.",
        "src/ticssync/bundle/archive.py", "or _size(archive.stream) != start + len(tail):", "or start < 0:", PROOF,
    ),
    Fault(
        "verify-bomb", "bundle verify", "A bundle of some kilobytes fills the disk of whoever checks it.",
        "src/ticssync/bundle/archive.py", "if info.file_size > _RATIO * info.compress_size + _FREE:", "if info.file_size < 0:", PROOF,
    ),
    Fault(
        "verify-leaves-the-folder", "bundle verify", "A file in a bundle lands outside of its folder when it is unpacked.",
        "src/ticssync/bundle/archive.py", 'if not is_safe_path(info.filename) or "\\0" in info.orig_filename:',
        'if "\\0" in info.orig_filename:', PROOF,
    ),
    Fault(
        "bundle-without-class", "bundle export", "A document that nobody released leaves the house.",
        "src/ticssync/bundle/snapshot.py", "        if not self.evidence_class:\n            return NO_CLASS\n", "", EXPORT,
    ),
    Fault(
        "bundle-name-without-class", "bundle export", "The name of a document that nobody released is shown to the auditor.",
        "src/ticssync/bundle/snapshot.py", "return bool(self.evidence_class)\n\n    def expired_on", "return True\n\n    def expired_on", EXPORT,
    ),
    Fault(
        "bundle-log-tells", "bundle export", "The log in the bundle tells what was held back.",
        "src/ticssync/bundle/documents.py", 'row |= {"payload": None, "salt": None}', "row |= {}", EXPORT,
    ),
    Fault(
        "bundle-changed-original", "bundle export", "A document that is changed while the bundle is being written goes in as if it were not.",
        "src/ticssync/bundle/write.py", "    if seen.hexdigest() != part.sha256:\n", "    if not seen:\n", EXPORT,
    ),
    Fault(
        "bundle-key-overwritten", "bundle export", "The signing key is written over, and earlier bundles can no longer be matched.",
        "src/ticssync/bundle/keys.py", "os.O_WRONLY | os.O_CREAT | os.O_EXCL |", "os.O_WRONLY | os.O_CREAT | os.O_TRUNC |",
        ("tests/unit/bundle/test_keys.py",),
    ),
    Fault(
        "bundle-key-readable", "bundle export", "Everybody on the machine can sign in the company's name.",
        "src/ticssync/bundle/keys.py", 'getattr(os, "O_BINARY", 0), 0o600', 'getattr(os, "O_BINARY", 0), 0o644',
        ("tests/unit/bundle/test_keys.py",),
    ),
)  # fmt: skip

CONFIRMING: Final = (
    Fault(
        "confirm-own-account", "confirm", "ticssync's own account confirms, and nobody did.",
        f"{ASSESS}from_tracker.py", "    if entry.author in own_ids:\n", "    if entry.author in ():\n", CONFIRM,
    ),
    Fault(
        "confirm-after-new-evidence", "confirm", "A confirmation counts for evidence that came after it.",
        f"{ASSESS}from_tracker.py", "    if case.evidence_changed:\n", "    if case.evidence_changed is None:\n", CONFIRM,
    ),
    Fault(
        "confirm-taken-again", "confirm", "A confirmation that was taken back comes back with the next sync.",
        f"{ASSESS}from_tracker.py", "if _taken(case, entry) or _overtaken(case.acts, entry.at):", "if _overtaken(case.acts, entry.at):", CONFIRM,
    ),
    Fault(
        "confirm-older-than-return", "confirm", "What was returned counts as confirmed, by an older entry in the tracker.",
        f"{ASSESS}from_tracker.py", "if _taken(case, entry) or _overtaken(case.acts, entry.at):", "if _taken(case, entry):", CONFIRM,
    ),
    Fault(
        "confirm-consultant", "confirm", "A consultant confirms the company's own work.",
        f"{ASSESS}rules.py", "    if Role.CONSULTANT in roles:\n", "    if Role.CONSULTANT in ():\n", CONFIRM,
    ),
    Fault(
        "confirm-anybody", "confirm", "A member without the role confirms.",
        f"{ASSESS}rules.py", "    if not set(roles) & {*DECIDES, *NEVER}:\n", "    if roles is None:\n", CONFIRM,
    ),
    Fault(
        "confirm-without-paper", "confirm", "Anybody at the office's keyboard confirms in the president's name.",
        f"{ASSESS}rules.py", "is_on_behalf(request.channel, request.person, actor_person) and not request.proof",
        "is_on_behalf(request.channel, request.person, actor_person) and request.proof is None", CONFIRM,
    ),
    Fault(
        "confirm-own-work-hidden", "confirm", "Who confirms their own work is not shown to have done so.",
        f"{ASSESS}rules.py", "self_confirmed=own and request.kind in _HAS_END", "self_confirmed=False", CONFIRM,
    ),
    Fault(
        "confirm-nothing-to-confirm", "confirm", "A criterion without evidence is confirmed.",
        f"{ASSESS}rules.py", "if request.kind is ActKind.CONFIRM and not confirmable:", "if request.kind is None:", CONFIRM,
    ),
    Fault(
        "confirm-tomorrow", "confirm", "A confirmation is dated into the future.",
        f"{ASSESS}rules.py", "    if request.on > today:\n", "    if request.on == today.max:\n", CONFIRM,
    ),
    Fault(
        "confirm-foreign-sheet", "confirm", "A sheet that was made for somebody else confirms.",
        "src/ticssync/app/sheets.py", 'if not any(event.data.get("person") == answers.person for event in exported):', "if not exported:",
        ("tests/unit/app/test_sheet_origin.py",),
    ),
    Fault(
        "confirm-sheet-twice", "confirm", "A sheet that is taken in twice undoes what was decided in between.",
        "src/ticssync/app/sheets.py", "    if _source(answers, answer) in done:\n", "    if done is None:\n",
        ("tests/unit/app/test_sheet_shows_what_it_showed.py",),
    ),
    Fault(
        "confirm-what-was-not-shown", "confirm", "A signature counts for evidence that the sheet did not show.",
        "src/ticssync/app/sheets.py", "    if facts_digest(row) != answer.digest:\n", "    if not answer.digest:\n",
        ("tests/unit/app/test_sheet_shows_what_it_showed.py",),
    ),
    Fault(
        "confirm-mirror-undoes", "confirm", "A part of several that was confirmed makes the whole criterion confirmed.",
        "src/ticssync/model/state.py", "    if len(decided) < len(found):\n", "    if not decided:\n", ("tests/unit/model_state",),
    ),
    Fault(
        "state-stale-tracker", "confirm", "What was read weeks ago is shown as the state of today.",
        "src/ticssync/model/state.py", "return not facts.read_since_as_of or facts.evidence_state", "return facts.evidence_state",
        ("tests/unit/model_state", "tests/unit/app/test_days_that_count.py"),
    ),
)  # fmt: skip

KEEPING_APART: Final = (
    Fault(
        "links-second-line", "links", "Two criteria are linked to one task, and each writes over the other.",
        "src/ticssync/app/links.py", "            if place in seen:\n", "            if place is None:\n", ("tests/unit/app/test_links.py",),
    ),
    Fault(
        "links-broken-file", "links", "A slip in links.yaml makes every adopted task a second time.",
        "src/ticssync/app/links.py", "    found, problems = read_links(file)\n    if problems:\n", "    found, problems = read_links(file)\n    if found and problems:\n",
        ("tests/unit/app/test_links.py", "tests/unit/app/test_adopt.py"),
    ),
    Fault(
        "links-number", "links", "An issue called 0123 is looked for as 83.",
        "src/ticssync/app/links.py", '"id": Quoted(link.id)', '"id": int(link.id, 10) if link.id.isdigit() else link.id',
        ("tests/unit/app/test_links.py",),
    ),
    Fault(
        "links-unreachable-tracker", "links", "While a tracker is down its adopted tasks are made a second time.",
        "src/ticssync/app/first_links.py", "        del result.sites[site.name]\n", "", ("tests/unit/app/test_adopt.py",),
    ),
    Fault(
        "links-foreign-marker", "links", "The task of another workspace is adopted, and both write it.",
        "src/ticssync/app/adopted.py", "    if marker.workspace != workspace:\n", "    if not marker.workspace:\n", ("tests/unit/app/test_adopt.py",),
    ),
    Fault(
        "links-during-create", "links", "While a create is under way a task is adopted, and there are two.",
        "src/ticssync/app/adopted.py", "if not any(intent.key == one.key and intent.op in MAKING for intent in sent):", "if one.key:",
        ("tests/unit/app/test_adopt.py",),
    ),
    Fault(
        "places-network-drive", "places", "The store lies on a network drive, and two machines damage it.",
        "src/ticssync/app/places.py", 'return kind if kind in NETWORK else ""', 'return ""',
        ("tests/system/test_bad_input.py::test_a_folder_on_a_mounted_share_is_a_network_drive_and_its_neighbour_is_not",),
    ),
    Fault(
        "places-copied-folder", "places", "A copied folder goes on with the first one's tasks.",
        "src/ticssync/store/projection.py", "connection.execute(delete(table).where(table.c.workspace_id == workspace))",
        "connection.execute(delete(table).where(table.c.workspace_id == workspace + '-'))",
        ("tests/unit/app/test_places.py",),
    ),
    Fault(
        "secrets-unknown-name", "secrets", "A mistyped variable leaves a tracker without its key, in silence.",
        "src/ticssync/config/secrets.py", "problems += list(_unknown(source, part, name, filled[part]))", "problems += []",
        ("tests/unit/config/test_secrets.py", "tests/unit/app/test_secrets_folder.py"),
    ),
    Fault(
        "secrets-value-shown", "secrets", "A secret stands in the message about a wrong variable.",
        "src/ticssync/config/secrets.py", "            place=name,\n", '            place=f"{name}={environ[name]}",\n',
        ("tests/unit/config/test_secrets.py",),
    ),
)  # fmt: skip

FAULTS: Final = (*MAPPING, *REMINDING, *PROVING, *CONFIRMING, *KEEPING_APART)
