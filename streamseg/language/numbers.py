"""Exact decimal numbers: 0.1 is exactly a tenth.

A JSON float stands for the shortest decimal that is read as this float; this is also how it is written.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from math import isinf

from schemas.scalars import BLANKS

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NONZERO = re.compile(r"[+-]?[0.]*[1-9]")
_INTEGER_DIGITS = 18
# The precision is the greatest one that Decimal has, so sums and products of decimals are exact.
_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)


def exact(value: float | str | Decimal) -> Decimal:
    """Return a JSON number, or a result of `number_in_text` or `compact`, as an exact decimal."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def number_in_text(text: str) -> Decimal | None:
    """Return the number that a text without the blanks at its ends is; None if it is not a number or is
    beyond a double's range.

    >>> number_in_text(" +1.50e2 "), number_in_text("1,5"), number_in_text("1e400")
    (Decimal('150'), None, None)
    """
    text = text.strip(BLANKS)
    if _NUMBER.fullmatch(text) is None:
        return None
    if _NONZERO.match(text) is None:
        return Decimal(0)
    size = abs(float(text))
    return None if size == 0 or isinf(size) else Decimal(text)


def compact(number: Decimal) -> int | float | str:
    """Return the JSON number that is written as this decimal, or the decimal's text if there is none. Equal
    numbers give equal values."""
    if number.adjusted() < _INTEGER_DIGITS and number == number.to_integral_value():
        return int(number)
    as_float = float(number)
    if exact(as_float) == number:
        return as_float
    return int(number) if number == number.to_integral_value() else str(number.normalize(_EXACT))


def exact_sum(one: Decimal, other: Decimal) -> Decimal:
    """Return the exact sum."""
    return _EXACT.add(one, other)


def exact_product(one: Decimal, other: int) -> Decimal:
    """Return the exact product."""
    return _EXACT.multiply(one, Decimal(other))


def parse_sum(text: str) -> Decimal:
    """Return a sum that was kept as text: a decimal, or numerator/denominator in a state before layout 5."""
    numerator, _, denominator = text.partition("/")
    if not denominator:
        return Decimal(numerator)
    # The sum is one of decimals, so the denominator divides a power of ten.
    digits, scale, rest = 0, 1, int(denominator)
    while scale % rest:
        scale, digits = scale * 10, digits + 1
    return (Decimal(int(numerator) * (scale // rest))).scaleb(-digits, _EXACT)
