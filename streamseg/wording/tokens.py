"""Names, values, durations and times in the form that a sentence uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from schemas.durations import duration_ms
from streamseg.catalogue.labels import BUILT_IN_NAMES, Label, Language
from streamseg.times import MAX_MS, MIN_MS, format_ms
from streamseg.wording import terms

_PLAIN: Final = re.compile(r"[A-Za-z一-鿿](?:[A-Za-z0-9_一-鿿.@-]*[A-Za-z0-9_一-鿿])?")
_WORDS: Final = re.compile(r"[A-Za-z0-9_一-鿿.@-]+")
_BRACES: Final = re.compile(r"\{\w+\}")
_ESCAPES: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_QUOTES: Final[Mapping[Language, tuple[str, str]]] = {"zh": ("“", "”"), "en": ('"', '"')}
_DURATION: Final = re.compile(
    r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]*")
_ZEROS: Final = re.compile(r"^0+(?=\d)")
_DURATION_UNITS: Final = ("week", "day", "hour", "minute", "second")


def filled(label: Label, language: Language, **pieces: object) -> str:
    """Return a template with its braces filled in. Chinese has no blank beside a bracket."""
    template = label.of(language)
    if language == "zh":
        for name, piece in pieces.items():
            text = str(piece)
            if text.endswith("）"):
                template = template.replace(f"{{{name}}} ", f"{{{name}}}")
            if text.startswith("（"):
                template = template.replace(f" {{{name}}}", f"{{{name}}}")
    return template.format(**pieces)


@cache
def _reserved(language: Language) -> frozenset[str]:
    """Return the words that sentences use themselves: a name or value that is one of them must be quoted.

    Display names count only as a whole: an event `open` cannot be confused with "form open".
    """
    names = (terms.ATTRIBUTES, terms.EVENTS, terms.PROPERTIES, BUILT_IN_NAMES)
    words = {label.of(language) for table in names for label in table.values()}
    for label in _labels(table for table in vars(terms).values() if table not in names):
        words.update(_WORDS.findall(_BRACES.sub(" ", label.of(language))))
    return frozenset(one.casefold() for one in words)


def _labels(values: Iterable[Any]) -> Iterator[Label]:
    for value in values:
        if isinstance(value, Label):
            yield value
        elif isinstance(value, Mapping):
            yield from _labels(value.values())
        elif isinstance(value, tuple):
            yield from _labels(value)


def quoted(text: str, language: Language) -> str:
    """Return a text in quotation marks. Quotation marks, backslashes and unprintable characters in it are
    escaped."""
    opening, closing = _QUOTES[language]
    return opening + "".join(_escaped(one, (opening, closing)) for one in text) + closing


def _escaped(character: str, marks: tuple[str, str]) -> str:
    if character in marks:
        return "\\" + character
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def word(text: str, language: Language) -> str:
    """Return a name or a text: unquoted if it cannot be taken for anything else, else quoted."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _reserved(language):
        return text
    return quoted(text, language)


def value(operand: Any, language: Language) -> str:
    """Return an operand: text (quoted if it could be taken for something else), a number, true or false, or a
    list."""
    if isinstance(operand, str):
        return word(operand, language)
    if isinstance(operand, bool):
        return (terms.TRUE if operand else terms.FALSE).of(language)
    if isinstance(operand, list):
        return f"[{terms.SEPARATOR.of(language).join(value(item, language) for item in operand)}]"
    return number(operand)


def number(operand: float) -> str:
    """Return a JSON number as it is written."""
    return repr(operand)


def percent(share: float) -> str:
    """Return a share as a percentage, exact in decimal."""
    return format((Decimal(repr(share)) * 100).normalize(), "f")


def instant(bound: str | float, language: Language) -> str:
    """Return a timestamp as it is written. Epoch milliseconds are followed by the readable time."""
    if isinstance(bound, str):
        return bound
    if not isinstance(bound, int) or not MIN_MS <= bound <= MAX_MS:
        return number(bound)
    return filled(terms.INSTANT, language, number=bound, time=format_ms(bound))


def duration(text: str, language: Language) -> str:
    """Return the length of an ISO 8601 duration, without its sign."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration")
    parts = [
        counted(_ZEROS.sub("", amount), unit, language)
        for amount, unit in zip(match.groups()[1:], _DURATION_UNITS, strict=True)
        if amount is not None
    ]
    return " ".join(parts)


def counted(amount: str, unit: str, language: Language) -> str:
    """Return a number of units, such as "7 days"."""
    plural = "s" if language == "en" and amount != "1" else ""
    return f"{amount} {terms.UNITS[unit].of(language)}{plural}"


def offset(text: str, language: Language) -> str:
    """Return a signed duration as an instant relative to now."""
    offset_ms = duration_ms(text)
    if offset_ms == 0:
        return terms.NOW.of(language)
    label = terms.AGO if offset_ms < 0 else terms.AHEAD
    return filled(label, language, length=duration(text, language))


def joined(pieces: list[str], every: bool, language: Language) -> str:
    """Return pieces joined by AND (`every`) or OR. Chinese has no blanks beside its brackets."""
    joiner = (terms.ALL if every else terms.ANY).of(language)
    text = pieces[0]
    for piece in pieces[1:]:
        before = "" if text.endswith("）") else " "
        after = "" if piece.startswith("（") else " "
        text += f"{before}{joiner}{after}{piece}"
    return text


def bracketed(text: str, language: Language) -> str:
    return filled(terms.BRACKETS, language, what=text)


def zone(name: str, language: Language) -> str:
    """Return an IANA timezone name."""
    return name if _ZONE.fullmatch(name) else quoted(name, language)
