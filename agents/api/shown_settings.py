"""The settings in force, as administrators may see them: without secrets."""

from __future__ import annotations

from typing import Final

from streamseg.json_text import Json
from streamseg.settings import Settings

HIDDEN: Final = ("sasl_password",)
"""Settings whose values are hidden: it is shown only whether they are set."""


def shown_settings(settings: Settings) -> Json:
    """Return name -> value of all settings; of a hidden one the text `set`, or None."""
    shown: Json = settings.model_dump(mode="json")
    for name in HIDDEN:
        shown[name] = "set" if getattr(settings, name) else None
    return shown
