"""The store: one company's memory.  SQLite by default, the same schema on PostgreSQL; `:memory:` in tests."""

from ticssync.store.events import By, Event
from ticssync.store.store import Store, Transaction

__all__ = ["By", "Event", "Store", "Transaction"]
