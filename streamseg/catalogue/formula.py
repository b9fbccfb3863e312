"""What a definition asks for, with nothing around it: name, group and shares leave memberships alone."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from schemas.definitions import FORMULA
from streamseg.catalogue.decision import Json
from streamseg.json_text import dumps


def same_conditions(one: Json, other: Json) -> bool:
    """Whether two definitions of a segment ask for the same, so that one's memberships stand for both."""
    return _formula(one) == _formula(other)


def same_json(one: Any, other: Any) -> bool:
    """Whether two values are written alike, key order aside: in Python true equals 1, in JSON it does not."""
    return _canonical(one) == _canonical(other)


def formula_digest(definition: Json) -> str:
    """The same for the same conditions: SHA-256 in hexadecimal."""
    return hashlib.sha256(_formula(definition)).hexdigest()


def _formula(definition: Json) -> bytes:
    return _canonical([definition.get(key) for key in FORMULA])


def _canonical(value: Any) -> bytes:
    return dumps(value, option=orjson.OPT_SORT_KEYS)
