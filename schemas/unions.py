"""Unions of JSON objects that are told apart by a key they have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Discriminator


def by_key(choices: Mapping[str, tuple[str, type[BaseModel]]], *, message: str) -> Discriminator:
    """A discriminator from a distinguishing key to the tag (without its angle brackets) and its model.

    Several keys may lead to one tag. An object whose keys lead to none, or to several, is refused
    with `message`.
    """
    tags = {key: f"<{tag}>" for key, (tag, _) in choices.items()}
    models = {model: f"<{tag}>" for tag, model in choices.values()}

    def recognise(value: Any) -> str | None:
        if isinstance(value, dict):
            found = {tag for key, tag in tags.items() if key in value}
            return found.pop() if len(found) == 1 else None
        return models.get(type(value))

    return Discriminator(recognise, custom_error_type="refused", custom_error_message=message)
