"""Unions of JSON objects, told apart by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Discriminator

Keys = str | tuple[str, ...]


def by_key(choices: Mapping[Keys, tuple[str, type[BaseModel]]], *, message: str) -> Discriminator:
    """Return a discriminator that chooses a model by its distinguishing key.

    `choices` maps a key to the tag (without its angle brackets) and the model. Several keys may lead to one
    tag. A tuple of keys, all of which must be present, takes precedence over a single key. An object whose
    keys lead to no tag or to several is refused with `message`.
    """
    tags = {
        frozenset((keys,) if isinstance(keys, str) else keys): f"<{tag}>"
        for keys, (tag, _) in choices.items()
    }
    models = {model: f"<{tag}>" for tag, model in choices.values()}

    def recognise(value: Any) -> str | None:
        if isinstance(value, dict):
            found = [keys for keys in tags if keys <= value.keys()]
            closest = {tags[keys] for keys in found if not any(keys < others for others in found)}
            return closest.pop() if len(closest) == 1 else None
        return models.get(type(value))

    return Discriminator(recognise, custom_error_type="refused", custom_error_message=message)
