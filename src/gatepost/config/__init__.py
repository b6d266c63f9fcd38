"""The configuration: one TOML file into frozen, typed settings.

In: `gatepost.toml`. Out: `Settings`, composed of the settings types that each room owns.
Not here: what an option means (documented where it is declared) and who obeys it.
"""

from gatepost.config.load import load_settings, parse_settings
from gatepost.config.settings import Settings

__all__ = ["Settings", "load_settings", "parse_settings"]
