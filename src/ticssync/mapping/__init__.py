"""Mapping files: from a criterion to a task in one kind of tracker."""

from ticssync.mapping.load import find_mapping, load_mapping
from ticssync.mapping.render import Facts, Rendered, render_task
from ticssync.mapping.schema import DueRule, FieldOwner, Mapping, json_schema

__all__ = [
    "DueRule",
    "Facts",
    "FieldOwner",
    "Mapping",
    "Rendered",
    "find_mapping",
    "json_schema",
    "load_mapping",
    "render_task",
]
