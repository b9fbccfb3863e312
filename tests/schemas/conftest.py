"""Refusals as the engine reports them: the path and the message of the first error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.paths import first_error

Refusal = Callable[[Any, object], tuple[str, str]]


@pytest.fixture(scope="session")
def refusal() -> Refusal:
    """A function from a type and a value to the path and message by which the value is refused."""

    def refuse(kind: Any, value: object) -> tuple[str, str]:
        with pytest.raises(ValidationError) as caught:
            TypeAdapter(kind).validate_python(value)
        return first_error(caught.value)

    return refuse
