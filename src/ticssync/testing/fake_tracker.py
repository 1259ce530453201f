"""A driver for the make-believe tracker.  It keeps the laws of the door and passes `TrackerContract`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from ticssync.plugin import (
    Change,
    Done,
    Draft,
    FieldValue,
    Outcome,
    OutFile,
    PreSend,
    Rejected,
    Unknown,
)
from ticssync.testing.fake_reader import FakeReader, capabilities, parts, sign
from ticssync.testing.wire import (
    AnswerLost,
    Edit,
    Issue,
    Refused,
    Upload,
    WireError,
)

ItemT = TypeVar("ItemT")


class FakeTracker(FakeReader):
    """One open connection to a `FakeServer`."""

    def presend(self) -> PreSend:
        """The highest number seen; raises Unavailable where writing is not possible now."""
        with self._asking():
            self.server.probe()
        return PreSend(str(max((one.number for one in self.server.issues()), default=0)))

    def create(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Each draft with its marker in one request."""
        return self._in_parts(drafts, self.server.behaviour.create_max, self._create_some)

    def update(self, changes: Sequence[Change]) -> list[Outcome]:
        """Each change in one request, but for the moves before the last of a longer way, and one for each file."""
        return self._in_parts(changes, self.server.behaviour.update_max, self._update_some)

    def write(
        self, drafts: Sequence[Draft], changes: Sequence[Change]
    ) -> tuple[list[Outcome], list[Outcome]]:
        """With `file_batch` one write of everything, repairs too; else creates, then updates."""
        behaviour = self.server.behaviour
        if not behaviour.file_batch:
            return super().write(drafts, changes)
        if not drafts and not changes and not behaviour.repairs:
            return [], []
        self._need_open()
        try:
            sent = [self._with_files(one) for one in changes]
            self.opening.before_write()
            made, changed = self.server.write(
                [self._draft(one) for one in drafts], [edit for edit, _ in sent]
            )
        except AnswerLost as error:
            if behaviour.loses_answers_as_outage:
                raise self._raised(error) from error
            return [Unknown(str(error)) for _ in drafts], [Unknown(str(error)) for _ in changes]
        except WireError as error:
            raise self._raised(error) from error
        behaviour.repairs.clear()
        return [self._outcome(one) for one in made], [
            _with_refused(self._outcome(one), no) for one, (_, no) in zip(changed, sent, strict=True)
        ]

    def _in_parts(
        self, items: Sequence[ItemT], size: int, do: Callable[[Sequence[ItemT]], list[Outcome]]
    ) -> list[Outcome]:
        """One outcome per item, in order.  An outage raises while nothing has happened; later it leaves the
        rest unknown, for what is done must be told."""
        self._need_open()
        outcomes: list[Outcome] = []
        for some in parts(items, size):
            try:
                outcomes += do(some)
            except AnswerLost as error:
                if self.server.behaviour.loses_answers_as_outage:
                    raise self._raised(error) from error
                outcomes += [Unknown(str(error)) for _ in some]
            except WireError as error:
                if not outcomes:
                    raise self._raised(error) from error
                return [*outcomes, *(Unknown(str(error)) for _ in items[len(outcomes) :])]
        return outcomes

    def _create_some(self, drafts: Sequence[Draft]) -> list[Outcome]:
        self.opening.before_write()
        return [self._outcome(one) for one in self.server.create([self._draft(draft) for draft in drafts])]

    def _update_some(self, changes: Sequence[Change]) -> list[Outcome]:
        early: dict[int, Outcome] = {
            number: said for number, one in enumerate(changes) if (said := self._before(one))
        }
        sent = [self._with_files(one) for number, one in enumerate(changes) if number not in early]
        self.opening.before_write()
        answers = self.server.update([edit for edit, _ in sent]) if sent else []
        later = (_with_refused(self._outcome(one), no) for one, (_, no) in zip(answers, sent, strict=True))
        return [early[number] if number in early else next(later) for number in range(len(changes))]

    def _with_files(self, change: Change) -> tuple[Edit, Mapping[str, str]]:
        """Hand the files in, a token each; then the one request that hangs them on goes with all the rest.  What
        was not taken is told by name."""
        uploads, refused = [], dict[str, str]()
        for file in change.files:
            answer = self._hand_in(file)
            if isinstance(answer, Refused):
                refused[file.name] = answer.words
            else:
                uploads.append(Upload(answer, file.name))
        return replace(self._edit(change), uploads=tuple(uploads)), refused

    def _hand_in(self, file: OutFile) -> str | Refused:
        return self.server.upload(file.path.read_bytes())

    def _before(self, change: Change) -> Outcome | None:
        """Compare where we must, then walk the moves before the last; an outcome where that ends it."""
        if self.caps.expected_version and change.expect and (stale := self._stale(change)):
            return Rejected((self.opening.text("{field} was changed in the meantime", field=stale),), stale)
        for step in change.status_path[:-1]:
            self.opening.before_write()
            answer = self.server.update([Edit(change.ref.id, {self._place("status"): step})])[0]
            if not isinstance(answer, Issue):
                return self._outcome(answer)
        return None

    def _stale(self, change: Change) -> str:
        found = self.server.fetch([change.ref.id])[change.ref.id]
        if not isinstance(found, Issue):
            return ""
        now = self.convert.decode(found).fields
        return next(
            (name for name, value in change.expect.items() if name in change.set and now.get(name) != value),
            "",
        )

    def _draft(self, draft: Draft) -> dict[str, FieldValue]:
        return self.convert.encode_all(draft.fields, draft.marker)

    def _edit(self, change: Change) -> Edit:
        fields = self.convert.encode_all(change.set, change.marker)
        if change.status_path:
            fields[self._place("status")] = change.status_path[-1]
        note = change.note
        text = (
            "" if note is None else note.text if note.marker in note.text else f"{note.text}\n\n{note.marker}"
        )
        return Edit(change.ref.id, fields, text)

    def _outcome(self, answer: Issue | WireError) -> Outcome:
        if isinstance(answer, Issue):
            task = self.convert.decode(answer)
            return Done(task.ref, task if self.server.behaviour.write_answers else None)
        if isinstance(answer, Refused):
            return Rejected((answer.words,), self._name(answer.field))
        return Rejected(
            (self.opening.text("the task is not there or not ours to change ({answer})", answer=str(answer)),)
        )

    def _name(self, place: str) -> str:
        return next((name for name, one in self.opening.table.fields.items() if one == place), "")


def _with_refused(outcome: Outcome, refused: Mapping[str, str]) -> Outcome:
    return replace(outcome, refused=refused) if isinstance(outcome, Done) and refused else outcome


__all__ = ["FakeTracker", "capabilities", "sign"]
