"""The fields of a class, in the compiled form as in the plain one: compiled classes have no `__slots__`."""

from __future__ import annotations


def field_names(kind: type) -> set[str]:
    """The names of a class's public fields and properties."""
    return {name for name in dir(kind) if not name.startswith("_") and not callable(getattr(kind, name))}
