"""Messages in the reader's language, with the language handed in.

Messages in the code are English; `locale/ja` holds the Japanese ones.  Both are complete: a test compares.
"""

from ticssync.text._catalog import Text, mark

__all__ = ["Text", "mark"]
