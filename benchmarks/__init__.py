"""Measurements against the physical minimum: ratios within one run, on one machine."""
