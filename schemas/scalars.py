"""Text, numbers and their unions. Each union gives one plain error instead of one error for every
alternative."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from schemas.paths import problem

# Every backslash belongs to the character after its run of backslashes: a literal dot, another character, or
# the end. So each text can be read in only one way. With several ways, a backtracking engine would try them
# all.
_STEP: Final = r"(\\*[^.\\]|\\+\.)+"
_PATH_PATTERN: Final = rf"^({_STEP}\.)*({_STEP}\\*|\\+)$"
_PATH: Final = re.compile(_PATH_PATTERN.removeprefix("^").removesuffix("$"))
_INDEX_PATTERN: Final = r"(^|[^\\])\[(-?[0-9]+|\*)?\]"
_INDEX: Final = re.compile(_INDEX_PATTERN)
_ID_PATTERN: Final = r"^[^|]+$"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class OneOf:
    """An annotation: any one of several core schemas, with a single message if none of them fits."""

    def __init__(self, *choices: CoreSchema, message: str, json_schema: JsonSchemaValue) -> None:
        self._choices = choices
        self._message = message
        self._json_schema = json_schema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(
            list(self._choices),
            mode="left_to_right",
            custom_error_type="refused",
            custom_error_message=self._message,
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return dict(self._json_schema)


TEXT: Final = core_schema.str_schema(strict=True)
INTEGER: Final = core_schema.int_schema(strict=True)
FLOAT: Final = core_schema.float_schema(strict=True, allow_inf_nan=False)
BOOLEAN: Final = core_schema.bool_schema(strict=True)


def by_value(number: int | float) -> int | float:
    """Return a JSON number as a number that compares as it is written. A large float becomes the integer that
    it is written as: 1e23 is 10**23, though the float nearest to that is a little less.

    The types name integers because compiled code makes a float of what is said to be one.

    >>> by_value(1e23) == 10**23, by_value(0.1)
    (True, 0.1)
    """
    if isinstance(number, float) and not -EXACT_FLOATS < number < EXACT_FLOATS:
        return int(Decimal(repr(number)))
    return number


def _path(text: str) -> str:
    if _PATH.fullmatch(text) is None:
        raise problem("has an empty step; write a literal dot as \\.")
    if _INDEX.search(text) is not None:
        raise problem(
            "a path does not step into lists; use elements to test the items of a list, "
            "or write a literal bracket as \\["
        )
    return text


def _element_path(text: str) -> str:
    return text and _path(text)


def _segment_id(text: str) -> str:
    # `|` separates segment and contact in the keys of segment-memberships: ids that contain it would collide.
    if "|" in text:
        raise problem("must not contain |")
    return text


def fits_address(name: str) -> bool:
    """Return whether an id or a name can be part of a URL. Clients remove `.` and `..` from URLs, and servers
    refuse control characters."""
    return name not in (".", "..") and _CONTROL.search(name) is None


NOT_IN_ADDRESSES: Final = "must not be . or .. nor have control characters, which no address can hold"
"""The message for an id or a name that `fits_address` refuses."""


BLANKS: Final = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""The characters of Unicode's White_Space. Python's `isspace` accepts four control characters more."""

LARGEST_COUNT: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact. The next integer can still be written exactly."""

EXACT_FLOATS: Final = 2**53
"""The least size from which on a float may be written as another integer than the one it is exactly."""

LONGEST_NAME: Final = 1_000
"""The longest id or name that users can give, in characters. Keys, rows, changes and requests repeat the
ids."""

NonEmptyText = Annotated[str, Field(min_length=1)]

SegmentId = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_NAME, json_schema_extra={"pattern": _ID_PATTERN}),
    AfterValidator(_segment_id),
]
"""A segment's id: any text without `|`."""

GroupText = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
"""The name of a group, which is the group's key too."""

_NO_INDEX: Final[dict[str, Any]] = {"not": {"pattern": _INDEX_PATTERN}}

PathText = Annotated[
    str,
    Field(min_length=1, json_schema_extra={"pattern": _PATH_PATTERN, **_NO_INDEX}),
    AfterValidator(_path),
]
"""A dotted path into nested objects, such as `order.amount`. A literal dot is written `\\.`; a bracket that
would look like an index is written `\\[`."""

ElementPath = Annotated[
    str,
    Field(json_schema_extra={"anyOf": [{"pattern": _PATH_PATTERN, **_NO_INDEX}, {"maxLength": 0}]}),
    AfterValidator(_element_path),
]
"""A path inside an element of a list; empty, it is the element itself."""

Number = Annotated[
    int | float, OneOf(INTEGER, FLOAT, message="must be a number", json_schema={"type": "number"})
]
"""An integer or a float, kept as it came. A boolean is not a number."""

TextOrNumber = Annotated[
    str | int | float,
    OneOf(
        TEXT, INTEGER, FLOAT, message="must be text or a number", json_schema={"type": ["string", "number"]}
    ),
]

Scalar = Annotated[
    str | int | float | bool,
    OneOf(
        TEXT,
        INTEGER,
        FLOAT,
        BOOLEAN,
        message="must be text, a number, true or false",
        json_schema={"type": ["string", "number", "boolean"]},
    ),
]
