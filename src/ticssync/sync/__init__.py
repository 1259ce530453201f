"""The sync engine: look → decide (merge, plan: pure) → commit what was seen → write → commit what came of it.

The store is the hub, each tracker a spoke.  Work is never queued: it follows from what is there, so that a
process killed at any line is repaired by the next cycle.  What cannot be repeated (a create, a note) has its
intent committed before it is sent.
"""
