"""Faults on the way to the trackers: HTTP, the driver for Redmine, the driver for workbooks."""

from __future__ import annotations

from typing import Final

from tests.planted.fault import Fault

HTTP: Final = "src/ticssync/plugin/http.py"
REDMINE: Final = "plugins/redmine/src/ticssync_redmine/"
WORKBOOK: Final = "plugins/sheets/src/ticssync_sheets/workbook/"

WEB: Final = ("tests/unit/plugin/test_http.py",)
CLIENT: Final = ("plugins/redmine/tests/test_client.py",)
CURSOR: Final = ("plugins/redmine/tests/test_cursor.py",)
QUIRKS: Final = "plugins/redmine/tests/test_quirks.py::"
TRACKER: Final = ("plugins/sheets/tests/test_tracker.py",)

OVER_HTTP: Final = (
    Fault(
        "http-write-repeated", "http", "A create whose answer is lost is sent again by itself: two issues.",
        HTTP, "if proxies or not never_connected(error):", "if proxies:", WEB,
    ),
    Fault(
        "http-no-time-limit", "http", "A server that never answers keeps ticssync waiting for ever.",
        HTTP, "wait = timeout or self._timeout", "wait = timeout", WEB, hangs=True,
    ),
    Fault(
        "http-retry-after-ignored", "http", "A tracker that asks for an hour's rest is called again after a minute.",
        HTTP, "until = retry_after(response.headers, voice.clock()) or voice.clock()", "until = voice.clock()", WEB,
    ),
    Fault(
        "http-date-ignored", "http", "A tracker that names a time is called again at once.",
        HTTP, "if value.isascii() and value.isdigit():", "if not value.isdigit():\n        return None\n    if value.isascii():", WEB,
    ),
    Fault(
        "http-redirect-followed", "http", "The key goes to whatever address the server names.",
        HTTP, "    session.get_redirect_target = _nowhere", "    session.max_redirects = 9", WEB,
    ),
    Fault(
        "http-page-is-data", "http", "The error page of a proxy counts as an empty project.",
        HTTP, 'response.json() if "json" in response.headers.get("Content-Type", "") else None',
        'response.json() if "json" in response.headers.get("Content-Type", "") else {}', WEB,
    ),
    Fault(
        "http-lost-write-is-nothing", "http", "A write that may have been carried out counts as not sent.",
        HTTP, "return Unavailable(why) if harmless else AnswerLost(why)", "return Unavailable(why)", WEB,
    ),
    Fault(
        "http-key-in-the-open", "http", "The key goes over the network for everybody to read.",
        HTTP, "if in_the_open(url) and not allowed:", "if in_the_open(url) and allowed is None:",
        (*WEB, "plugins/redmine/tests/test_settings.py"),
    ),
    Fault(
        "http-password-shown", "http", "A password that stands in an address is shown in a message.",
        HTTP, 'return urlsplit(url).netloc.rpartition("@")[2]', "return urlsplit(url).netloc", WEB,
    ),
    Fault(
        "http-login-page-is-outage", "http", "A key that was revoked looks like a server that is down.",
        HTTP, 'if "login" in target or "signin" in target:', "if not response:", WEB,
    ),
    Fault(
        "log-secret-in-text", "http", "A password stands in the log, inside another text.",
        "src/ticssync/log.py", "event[name] = MASK if secret else self.mask(value)", "event[name] = MASK if secret else value",
        ("tests/unit/log",),
    ),
    Fault(
        "log-secret-by-name", "http", "A token that nobody listed stands in the log under its name.",
        "src/ticssync/log.py", "secret = any(word in name.lower() for word in _SECRET_NAMES)", "secret = name in _SECRET_NAMES",
        ("tests/unit/log",),
    ),
)  # fmt: skip

IN_REDMINE: Final = (
    Fault(
        "redmine-page-left-out", "driver redmine", "At the edge of every hundredth issue one is never seen.",
        f"{REDMINE}paging.py", 'asked[BY_NUMBER] = f">={after + 1}"', 'asked[BY_NUMBER] = f">={after + 2}"',
        ("plugins/redmine/tests/test_paging.py",),
    ),
    Fault(
        "redmine-first-page-only", "driver redmine", "Of a thousand issues the first hundred are read.",
        f"{REDMINE}paging.py", "last = _total(answer, issues) <= len(issues)", "last = bool(issues) or not issues",
        ("plugins/redmine/tests/test_paging.py",),
    ),
    Fault(
        "redmine-shift-unseen", "driver redmine", "While people work, an old Redmine leaves issues out of a listing.",
        f"{REDMINE}paging.py", 'if not issues or int(issues[0]["id"]) != after:', "if not issues:",
        ("plugins/redmine/tests/test_paging.py",),
    ),
    Fault(
        "redmine-time-zone", "driver redmine", "Redmine's times are read nine hours off, and changes are missed.",
        f"{REDMINE}convert.py", 'text.replace("Z", "+00:00")', 'text.replace("Z", "+09:00")',
        ("plugins/redmine/tests/test_convert.py", "plugins/redmine/tests/test_client.py"),
    ),
    Fault(
        "redmine-private-notes", "driver redmine", "A private note is handed on as a public one.",
        f"{REDMINE}convert.py", 'private=bool(one.get("private_notes", False))', "private=False",
        ("plugins/redmine/tests/test_convert.py",),
    ),
    Fault(
        "redmine-version-by-second", "driver redmine", "Two edits within one second: the second one is never seen.",
        f"{REDMINE}convert.py", "return f\"{issue.get('updated_on') or ''} {stands}\"", "return f\"{issue.get('updated_on') or ''}\"",
        ("plugins/redmine/tests/test_convert.py",),
    ),
    Fault(
        "redmine-unknown-is-empty", "driver redmine", "A person who is not in ticssync.yaml looks like nobody.",
        f"{REDMINE}convert.py", "if value is None and found is not None and self._coded(name, place):", "if value is not found is None:",
        ("plugins/redmine/tests/test_convert.py",),
    ),
    Fault(
        "redmine-status-by-position", "driver redmine", "Of several statuses that stand for done the last one is written, not the mapping's first.",
        "src/ticssync/plugin/kinds.py",
        "for remote, known in self.statuses.items():", "for remote, known in reversed(self.statuses.items()):",
        ("plugins/redmine/tests/test_convert.py",),
    ),
    Fault(
        "redmine-subject-not-cut", "driver redmine", "A long title is refused, and its task is never made.",
        f"{REDMINE}convert.py", "SUBJECT_MAX: Final = 255", "SUBJECT_MAX: Final = 2550",
        ("plugins/redmine/tests/test_convert.py",),
    ),
    Fault(
        "redmine-text-below-lost", "driver redmine", "What people wrote below our part of a description is deleted.",
        f"{REDMINE}block.py", "        return inner + after\n", "        return inner\n", ("plugins/redmine/tests/test_block.py",),
    ),
    Fault(
        "redmine-text-above-lost", "driver redmine", "What stood in a company's own issue is deleted when it is adopted.",
        f"{REDMINE}block.py", '("", before[ours:]) if ours else (before if before.strip() else "", "")',
        '("", before[ours:]) if ours else ("", "")', ("plugins/redmine/tests/test_block.py",),
    ),
    Fault(
        "redmine-hidden-is-deleted", "driver redmine", "An issue that our role may not see counts as deleted.",
        f"{REDMINE}asking.py", "403: Fate.HIDDEN}", "403: Fate.GONE}", CLIENT,
    ),
    Fault(
        "redmine-stranger-believed", "driver redmine", "A revoked key shows an empty project, and it is believed.",
        f"{REDMINE}asking.py", "if proved is None or", "if proved and", CLIENT,
    ),
    Fault(
        "redmine-archived-is-empty", "driver redmine", "An archived project counts as one without issues.",
        f"{REDMINE}asking.py", "if answer.status in (403, 404):\n            self.me()", "if answer.status == 0:\n            self.me()", CLIENT,
    ),
    Fault(
        "redmine-key-from-netrc", "driver redmine", "A line in ~/.netrc overrides the key, and another account writes.",
        f"{REDMINE}client.py", "self._session.auth = KeyAuth(key)", 'self._session.headers["X-Redmine-API-Key"] = key', CLIENT,
    ),
    Fault(
        "redmine-short-download", "driver redmine", "A file that came short is handed on as whole.",
        f"{REDMINE}reading.py", "if attachment.size and size != attachment.size:", "if attachment.size and size > attachment.size:",
        ("plugins/redmine/tests/test_client.py",),
    ),
    Fault(
        "redmine-future-cursor", "driver redmine", "A clock that once ran ahead hides every change for as long as it was ahead.",
        f"{REDMINE}reading.py", "if since is not None and since > self.opening.clock() + timedelta(days=1):",
        "if since is not None and since is cursor:", CURSOR,
    ),
    Fault(
        "redmine-no-overlap", "driver redmine", "An edit that is committed a second later than another is never seen.",
        f"{REDMINE}reading.py", "OVERLAP: Final = timedelta(seconds=10)", "OVERLAP: Final = timedelta(seconds=0)",
        CURSOR,
    ),
    Fault(
        "redmine-passed-over-filter", "driver redmine", "A search that Redmine did not understand takes foreign issues for ours.",
        f"{REDMINE}reading.py", "matching = [issue for issue in issues if self.convert.marker_of(issue) in wanted]",
        "matching = list(issues)", (f"{QUIRKS}test_a_filter_that_redmine_passes_over_finds_no_wrong_issue",), server=True,
    ),
    Fault(
        "redmine-closed-issues", "driver redmine", "An issue that somebody closes is never read as done.",
        f"{REDMINE}reading.py", 'params: dict[str, Any] = {"status_id": "*", "include": "attachments"}\n        if since',
        'params: dict[str, Any] = {"include": "attachments"}\n        if since',
        (f"{QUIRKS}test_closed_issues_are_listed_too",), server=True,
    ),
    Fault(
        "redmine-other-projects", "driver redmine", "The issues of all projects are read, and their people's work is touched.",
        f"{REDMINE}reading.py",
        'params["updated_on"] = f">={since:%Y-%m-%dT%H:%M:%SZ}"\n        path = f"/projects/{self.settings.project}/issues.json"',
        'params["updated_on"] = f">={since:%Y-%m-%dT%H:%M:%SZ}"\n        path = "/issues.json"',
        CURSOR,
    ),
    Fault(
        "redmine-way-not-read-back", "driver redmine", "A move that Redmine silently refuses is taken for done, and the way goes on.",
        f"{REDMINE}writing.py", "if found is None or found.raw_status != status:", "if found is None:",
        ("plugins/redmine/tests/test_workflow.py",),
    ),
    Fault(
        "redmine-one-wrong-field", "driver redmine", "One wrong field keeps all others from being written.",
        f"{REDMINE}writing.py", "        if len(parts) < 2:\n", "        if len(parts) < 20:\n", CLIENT,
    ),
    Fault(
        "redmine-made-but-failed", "driver redmine", "A create that fails inside after it made the issue is sent again.",
        f"{REDMINE}writing.py", "        if hits:\n            return Unknown(", "        if not draft:\n            return Unknown(", CLIENT,
    ),
    Fault(
        "redmine-lost-create-rejected", "driver redmine", "A create whose answer is lost counts as rejected.",
        f"{REDMINE}writing.py", "                return self._without_assignee(draft, body, answer)\n        except AnswerLost as error:\n            return Unknown(str(error))",
        "                return self._without_assignee(draft, body, answer)\n        except AnswerLost as error:\n            return Rejected((str(error),))",
        CLIENT,
    ),
    Fault(
        "redmine-starts-today", "driver redmine", "Every new issue begins today, and one that is due earlier is refused.",
        f"{REDMINE}writing.py", 'given.setdefault("start_date", "")', "given = dict(given)",
        (f"{QUIRKS}test_a_new_issue_begins_on_no_day_unless_one_is_sent",), server=True,
    ),
    Fault(
        "redmine-old-description", "driver redmine", "What a colleague wrote below our part while we were busy is written over.",
        f"{REDMINE}asking.py", "return at is not None and self.opening.clock() - at > OLD", "return at is None",
        ("plugins/redmine/tests/test_description.py",), server=True,
    ),
    Fault(
        "redmine-no-lease-check", "driver redmine", "Issues are made by a process whose place another one has taken.",
        f"{REDMINE}client.py", "            self._before_write()\n", "            pass\n", CLIENT,
    ),
    Fault(
        "redmine-rights-of-yesterday", "driver redmine", "A status that our role may not set any more is tried for ever.",
        f"{REDMINE}workflow.py", "KEPT: Final = timedelta(days=1)", "KEPT: Final = timedelta(days=10000)",
        ("plugins/redmine/tests/test_workflow.py",),
    ),
)  # fmt: skip

IN_WORKBOOKS: Final = (
    Fault(
        "workbook-row-by-number", "driver workbook", "After a sort of some columns a value lands on another task.",
        f"{WORKBOOK}sorting.py", "                marked.setdefault(str(known), []).append(row)\n",
        "                same = (m for m, f in self._past.latest.items() if number_in(f) == number_in(row.fields))\n"
        "                marked.setdefault(next(same, str(known)), []).append(row)\n", TRACKER,
    ),
    Fault(
        "workbook-stale-copy", "driver workbook", "An older copy that is saved over the workbook undoes everybody's work.",
        f"{WORKBOOK}judge.py", "stale = serial is not None and past.last is not None and serial < past.last", "stale = False", TRACKER,
    ),
    Fault(
        "workbook-stale-copy-base", "driver workbook", "Of an older copy the old values count as fresh edits.",
        f"{WORKBOOK}judge.py", "fingerprint(value) in untouched.get(name, ())", "fingerprint(value) in ()", TRACKER,
    ),
    Fault(
        "workbook-lock-ignored", "driver workbook", "The workbook is written while a colleague has it open.",
        f"{WORKBOOK}source.py", "for lock in find_locks(self.path, self._clock()) if not lock.stale]",
        "for lock in find_locks(self.path, self._clock()) if lock.stale is None]", TRACKER,
    ),
    Fault(
        "workbook-lock-for-ever", "driver workbook", "A lock that Excel left behind in a crash stops the sync for ever.",
        f"{WORKBOOK}locks.py", "OLD: Final = timedelta(hours=24)", "OLD: Final = timedelta(days=24000)", TRACKER,
    ),
    Fault(
        "workbook-quicker-person", "driver workbook", "A save that comes in while we write is lost.",
        f"{WORKBOOK}files.py", "        if read_file(path) != before:\n", "        if before is None and read_file(path) is not None:\n",
        ("plugins/sheets/tests/test_files.py",),
    ),
    Fault(
        "workbook-unproven", "driver workbook", "A workbook that was written wrong replaces the good one.",
        f"{WORKBOOK}tracker.py", "            prove(state.reading if state else None, reading, made)\n", "",
        ("plugins/sheets/tests/test_files.py",),
    ),
    Fault(
        "workbook-no-backup", "driver workbook", "There is no earlier state to go back to.",
        f"{WORKBOOK}files.py", "            _back_up(path, before, serial)\n", "            pass\n", (*TRACKER, "plugins/sheets/tests/test_files.py"),
    ),
    Fault(
        "workbook-strangers-file", "driver workbook", "The workbook of another workspace is written into.",
        f"{WORKBOOK}judge.py", "if found and names.workspace not in found:", "if found is None:", TRACKER,
    ),
    Fault(
        "workbook-copy-is-the-task", "driver workbook", "A row that a colleague copied and changed becomes the task.",
        f"{WORKBOOK}sorting.py", "original = max(rows,", "original = min(rows,", TRACKER,
    ),
    Fault(
        "workbook-gone-is-new", "driver workbook", "A workbook that was moved away is made anew, without anybody's entries.",
        f"{WORKBOOK}source.py", "if raw is None and self._history.last is not None:", "if raw is None and not self.path.name:", TRACKER,
    ),
    Fault(
        "workbook-unreadable-is-empty", "driver workbook", "A cell that cannot be read for once loses what stood there.",
        f"{WORKBOOK}history.py", "{**before.get(marker, {}), **fields}", "dict(fields)", TRACKER,
    ),
    Fault(
        "workbook-formula-run", "driver workbook", "A title that begins with = becomes a formula in everybody's Excel.",
        "src/ticssync/tables/write.py", "            sheet.write_string(row, column, str(value), style)\n",
        '            (sheet.write_formula if str(value).startswith("=") else sheet.write_string)(row, column, str(value), style)\n',
        TRACKER,
    ),
    Fault(
        "workbook-persons-formula", "driver workbook", "A formula that a colleague put into our column is written over.",
        f"{WORKBOOK}plan.py", "refused = {name: task.locked[name] for name in wanted if name in task.locked}",
        "refused = {name: task.locked[name] for name in wanted if name in ()}", TRACKER,
    ),
    Fault(
        "workbook-changed-row", "driver workbook", "A cell that a colleague changed after we looked is written over.",
        f"{WORKBOOK}plan.py", "if name in task.fields and task.fields[name] != view(name, value, names):",
        "if name in task.fields and not names:", TRACKER,
    ),
    Fault(
        "workbook-no-lease-check", "driver workbook", "The workbook is written by a process whose place another one has taken.",
        f"{WORKBOOK}tracker.py", "            self._opening.before_write()\n", "            self._opening.clock()\n", TRACKER,
    ),
    Fault(
        "workbook-two-of-one-name", "driver workbook", "Of two colleagues of one name the first gets the work.",
        f"{WORKBOOK}names.py", "name if plain.count(same_text(name)) == 1 else", "name if plain else",
        ("plugins/sheets/tests/test_convert.py",),
    ),
    Fault(
        "workbook-1904", "driver workbook", "In a workbook from a Mac every date is four years off.",
        f"{WORKBOOK}edit.py", "date1904=reading.date1904", "date1904=False", TRACKER,
    ),
)  # fmt: skip

FAULTS: Final = (*OVER_HTTP, *IN_REDMINE, *IN_WORKBOOKS)
