"""The progress of an import, in a small file beside the input, so that an interrupted import can continue."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import orjson

from streamseg.errors import ConfigurationError

_LAYOUT: Final = 1


@dataclass(frozen=True, slots=True)
class ImportState:
    """The parameters and the progress of an import.

    digest    SHA-256 of the input, hexadecimal
    line      the last line that was sent or rejected; 0 means none
    accepted  the number of ids that the API accepted so far
    """

    url: str
    segment_id: str
    column: str | None
    remove: bool
    digest: str
    line: int = 0
    accepted: int = 0


def state_path(source: Path) -> Path:
    """Return the path of the state file for an import of `source`."""
    return source.with_name(f"{source.name}.import.json")


def digest(source: Path) -> str:
    """Return the SHA-256 of a file. Raises ConfigurationError if it cannot be read."""
    try:
        with source.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ConfigurationError(f"{source} cannot be read: {error.strerror}") from error


def resume(source: Path, fresh: ImportState) -> ImportState:
    """Return the state from which to continue: that of an interrupted import with the same parameters, else
    `fresh`.

    Raises ConfigurationError if the interrupted import had other parameters or its state file cannot be read.
    """
    path = state_path(source)
    try:
        kept = orjson.loads(path.read_bytes())
        if kept.pop("layout") != _LAYOUT:
            raise ValueError("another layout")
        state = ImportState(**kept)
    except FileNotFoundError:
        return fresh
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigurationError(f"{path} cannot be read; begin again with --restart") from error
    for name in ("url", "segment_id", "column", "remove", "digest"):
        if getattr(state, name) != getattr(fresh, name):
            what = "the file has changed" if name == "digest" else f"it had another {name}"
            raise ConfigurationError(
                f"an import of {source.name} was interrupted, but {what} since; begin again with --restart"
            )
    return state


def keep(source: Path, state: ImportState) -> None:
    """Write the state atomically. Raises ConfigurationError if the folder cannot be written."""
    path = state_path(source)
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_bytes(orjson.dumps({"layout": _LAYOUT, **asdict(state)}))
        new.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error


def forget(source: Path) -> None:
    """Remove the state, because the import is complete or begins again."""
    state_path(source).unlink(missing_ok=True)
