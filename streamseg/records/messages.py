"""Functions that check a message of another program: its size, its JSON and its fields. Every fault raises
RejectedError.

These functions check the shape of a message. Its content is checked where it is used.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from schemas.paths import first_error, join_path
from schemas.wire import WireModel
from streamseg.errors import Code, RejectedError
from streamseg.nesting import read_json

Message = TypeVar("Message")
Model = TypeVar("Model", bound=WireModel)


def read_message(value: bytes, *, limit_bytes: int) -> Any:
    """Return the JSON value in a record's bytes. Raises RejectedError for bytes that are longer than
    `limit_bytes`, are not JSON or are nested too deep."""
    if len(value) > limit_bytes:
        raise too_large(limit_bytes)
    return read_json(value)


def too_large(limit_bytes: int) -> RejectedError:
    """Return the refusal of a message that is longer than `limit_bytes`."""
    return RejectedError(Code.TOO_LARGE, f"longer than {limit_bytes} bytes; make it smaller")


def checked(model: type[Model], body: Any, *, at: str = "") -> Model:
    """Return a JSON value as a message of a model. `at` is the path of the value in the whole message.

    Raises RejectedError with the path of the field at fault."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise _refusal(error, at) from error


def checked_by(adapter: TypeAdapter[Message], body: Any) -> Message:
    """Return the same as `checked` for a message that may have one of several shapes."""
    try:
        return adapter.validate_python(body)
    except ValidationError as error:
        raise _refusal(error, "") from error


def _refusal(error: ValidationError, at: str) -> RejectedError:
    path, message = first_error(error)
    return RejectedError(Code.INVALID_SCHEMA, message, join_path(at, path))
