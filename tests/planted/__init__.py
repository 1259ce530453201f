"""Planted faults: the product is broken on purpose in many small ways, one at a time, and the suite must notice.

`python -m tests.planted` runs it; `FAULTS` (in `faults`) is the list, as data.  A fault that nobody notices is the
find: a test is missing.
"""
