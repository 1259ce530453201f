"""ticssync.yaml: read with places, checked, secrets filled in from outside."""

from ticssync.config.load import Config, TrackerPart, load_config
from ticssync.config.people import Organisation, organisation
from ticssync.config.schema import ConfigFile

__all__ = ["Config", "ConfigFile", "Organisation", "TrackerPart", "load_config", "organisation"]
