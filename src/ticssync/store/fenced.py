"""The store in the hands of a lease's holder: nothing of a pass is written once another process has taken over.

A process may be frozen at any line and wake up an hour later.  Each of its transactions therefore looks at the token
first, under the same lock under which the token is given to the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from sqlalchemy import select, update

from ticssync.model.canonical import instant_text
from ticssync.store import schema
from ticssync.store.lease import Lease, lost, read_lease
from ticssync.store.store import Store, Transaction

ENDED: Final = 0
"""The token of an intent whose sender has come to its end in order: none of its requests is on its way any more."""


class Fenced(Store):
    """The same store for as long as the lease is held.  Reading needs no lease."""

    def __init__(self, store: Store, lease: Lease) -> None:
        super().__init__(store.engine, store.workspace, store.where, store.clock, salt=store.salt)
        self.bare: Store = store.bare if isinstance(store, Fenced) else store
        self.lease = lease

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """As of the store.  Raises LeaseLostError before anything is written where the lease is another's by now."""
        with self.bare.write() as tx:
            current = read_lease(tx)
            if current is None or current.token != self.lease.token:
                raise lost(current)
            yield tx


def sender_ended(store: Fenced) -> None:
    """What this holder sent and was not answered for is on its way no longer: the next one need not wait for it."""
    _change(store, store.lease.token, {"token": ENDED})


def count_from_here(store: Fenced, token: int, moment: datetime) -> None:
    """What the holder with this token sent counts as sent at this moment (aware UTC): its own clock may differ from
    ours, and how long a request can be on its way is measured by ours."""
    _change(store, token, {"at": instant_text(moment)})


def _change(store: Fenced, token: int, values: dict[str, object]) -> None:
    table = schema.intent
    sent = (table.c.workspace_id == store.workspace, table.c.token == token)
    with store.read() as tx:
        if tx.connection.execute(select(table.c.id).where(*sent).limit(1)).first() is None:
            return
    with store.write() as tx:
        tx.connection.execute(update(table).where(*sent).values(values))
