"""Reading and writing JSON text. Integers of any size keep their value.

orjson reads integers beyond 64 bits as floats, which rounds them, and cannot write them. They are rare. A
text that may have one is read a second time with the slower reader of the standard library. Text that
streamseg writes for itself begins with a blank if it has one, so the text does not have to be searched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import orjson

Json = dict[str, Any]
"""A JSON object."""

_AS_ZERO: Final = bytes(ord("0") if byte in b"-0123456789" else ord(" ") for byte in range(256))
# An integer beyond 64 bits has at least 20 characters, including its sign. So among every fifth character of
# the text there are four of its characters in a row. Timestamps never have that many.
_EVERY: Final = 5
_SAMPLE: Final = b"0" * 4
_LONG: Final = b"0" * 20
_OWN_LONG: Final = b" "
_LEAST, _LARGEST = -(2**63), 2**64 - 1


def loads(data: bytes) -> Any:
    """Return the value of a JSON text. Raises orjson.JSONDecodeError, also for numbers beyond a double's
    range."""
    value = orjson.loads(data)
    # `find` is used because `in` takes twice as long here.
    if data[::_EVERY].translate(_AS_ZERO).find(_SAMPLE) >= 0 and _LONG in data.translate(_AS_ZERO):
        try:
            return json.loads(data)
        except RecursionError:
            # The standard library reads fewer levels than orjson. What is nested so deep is refused anyway.
            return value
    return value


def dumps(value: Any, *, option: int = 0) -> bytes:
    """Return the text of a JSON value, however deep it is nested. `option` is one of orjson's: sorted keys,
    indentation, a line feed at the end."""
    try:
        return orjson.dumps(value, option=option)
    except TypeError:
        if option:
            return _standard(value, option)
        return b"".join(_pieces(value))


def dumps_own(value: Any) -> bytes:
    """Return the text of a JSON value for `loads_own`."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return b"".join((_OWN_LONG, *_pieces(value)))


def loads_own(data: bytes) -> Any:
    """Return the value of a text that `dumps_own` made."""
    return json.loads(data) if data.startswith(_OWN_LONG) else orjson.loads(data)


def loads_broken(line: bytes) -> Any:
    """Return the value of a JSON text. Text that is not valid Unicode (half a surrogate pair, bytes that are
    not UTF-8) and numbers beyond a double's range are accepted; an integer of more than 20 characters is read
    as null. Raises ValueError for any other fault."""
    text = line.decode("utf-8", "surrogateescape")
    try:
        return json.loads(text, parse_constant=_refuse, parse_int=_short_integer)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _short_integer(text: str) -> int | None:
    # To read an integer takes a time that grows with the square of its length.
    return int(text) if len(text) <= 20 else None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _standard(value: Any, option: int) -> bytes:
    indented = bool(option & orjson.OPT_INDENT_2)
    text = json.dumps(
        value,
        ensure_ascii=False,
        sort_keys=bool(option & orjson.OPT_SORT_KEYS),
        indent=2 if indented else None,
        separators=(",", ": ") if indented else (",", ":"),
    )
    end = "\n" if option & orjson.OPT_APPEND_NEWLINE else ""
    return f"{text}{end}".encode()


def _pieces(value: Any) -> Iterable[bytes]:
    # A stack of the values that are still to be written, with the text between them as bytes.
    waiting: list[Any] = [value]
    while waiting:
        piece = waiting.pop()
        if isinstance(piece, dict):
            members = [one for name, item in piece.items() for one in (b",", orjson.dumps(name), b":", item)]
            waiting += [b"}", *reversed(members[1:]), b"{"]
        elif isinstance(piece, (list, tuple)):
            items = [one for item in piece for one in (b",", item)]
            waiting += [b"]", *reversed(items[1:]), b"["]
        elif isinstance(piece, bytes):
            yield piece
        elif isinstance(piece, int) and not _LEAST <= piece <= _LARGEST:
            yield str(piece).encode()
        else:
            yield orjson.dumps(piece)
