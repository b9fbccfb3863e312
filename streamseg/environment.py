"""The search for environment variables that look like settings but are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from streamseg.settings import BatchWindow, Settings

PREFIX = "STREAMSEG_"

# Variables of the commands that call a worker, of the scripts and of the tests.
_OTHERS = ("API_URL", "API_TOKEN", "ACCOUNT", "LANG", "TOKENS_DIR")
_OTHER_PREFIXES = ("KAFKA_", "TEST_")


def unknown_variables(names: Iterable[str]) -> list[str]:
    """Return a sentence about each of these variable names that begins with `STREAMSEG_` but is not a
    setting, with the setting that was probably meant."""
    known = set(_known())
    return [
        _sentence(name, known)
        for name in sorted(name.upper() for name in names)
        if name.startswith(PREFIX)
        and name not in known
        and not name.removeprefix(PREFIX).startswith(_OTHER_PREFIXES)
    ]


def _known() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        yield f"{PREFIX}{name.upper()}"
        if field.annotation is BatchWindow:
            for part in BatchWindow.model_fields:
                yield f"{PREFIX}{name.upper()}__{part.upper()}"
    for name in _OTHERS:
        yield f"{PREFIX}{name}"


def _sentence(name: str, known: Iterable[str]) -> str:
    # The names are compared without the prefix, which would make any two of them similar.
    settings = sorted(one.removeprefix(PREFIX) for one in known)
    nearest = get_close_matches(name.removeprefix(PREFIX), settings, n=1, cutoff=0.7)
    meant = f"did you mean {PREFIX}{nearest[0]}?" if nearest else "see docs/settings.md for those that are"
    return f"{name} is not a setting and is not read; {meant}"
