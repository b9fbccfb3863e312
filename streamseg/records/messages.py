"""Reading a message that others wrote: its size, its JSON, its fields. Every fault in one is a RejectedError.

What a message says, beyond its shape, is judged where it is used.
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
    """The JSON value in a record's bytes. Raises RejectedError for what is longer than that, not JSON or
    nested too deep."""
    if len(value) > limit_bytes:
        raise RejectedError(Code.TOO_LARGE, f"longer than {limit_bytes} bytes; make it smaller")
    return read_json(value)


def checked(model: type[Model], body: Any, *, at: str = "") -> Model:
    """A JSON value as a message of that model. `at` is where the value stands in what was sent.

    Raises RejectedError with the path of the field at fault."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise _refusal(error, at) from error


def checked_by(adapter: TypeAdapter[Message], body: Any) -> Message:
    """As `checked`, of messages of several shapes."""
    try:
        return adapter.validate_python(body)
    except ValidationError as error:
        raise _refusal(error, "") from error


def _refusal(error: ValidationError, at: str) -> RejectedError:
    path, message = first_error(error)
    return RejectedError(Code.INVALID_SCHEMA, message, join_path(at, path))
