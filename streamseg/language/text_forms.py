"""The form in which two texts are compared: as they are, case-folded, normalised, or both."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from unicodedata import normalize

from schemas.scalars import BLANKS

TextForm = Callable[[str], str]

_RUNS: Final = re.compile(f"[{BLANKS}]+")


def text_form(*, ignore_case: bool, normalized: bool) -> TextForm:
    """Return a function that turns a text into the form in which it is compared."""
    if normalized:
        return _folded_and_normalized if ignore_case else _normalized
    return str.casefold if ignore_case else str


def _normalized(text: str) -> str:
    return single_spaces(text if text.isascii() else normalize("NFKC", text))


def _folded_and_normalized(text: str) -> str:
    # The result of case folding may not be in the form NFKC, so NFKC is applied again.
    folded = normalize("NFKC", text).casefold()
    return single_spaces(normalize("NFKC", folded))


def single_spaces(text: str) -> str:
    """Return the text without blanks at its ends, and with one space (U+0020) for every run of blanks inside.

    >>> single_spaces("\u3000a \t b ")
    'a b'
    """
    return _RUNS.sub(" ", text.strip(BLANKS))
