"""ticssync: the criteria of a certification scheme as tasks in the tracker that a company already uses.

The version is a constant, not a package look-up: `ticssync --version` must not pay for importlib.metadata.
"""

from typing import Final

__all__ = ["__version__"]
__version__: Final = "0.1.0"
