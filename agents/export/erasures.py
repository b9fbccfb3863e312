"""Reads the erasures that came after an export."""

from __future__ import annotations

from pathlib import Path

from schemas.updates import ContactUpdate
from streamseg.errors import ConfigurationError, RejectedError
from streamseg.json_text import loads
from streamseg.records.messages import checked


def read_erasures(path: Path) -> list[tuple[str, bytes]]:
    """Return contact id and ContactUpdate of each line. Raises ConfigurationError, with the line's number,
    for a line that is not an erasure."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    return [_erasure(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _erasure(path: Path, number: int, line: bytes) -> tuple[str, bytes]:
    try:
        update = checked(ContactUpdate, loads(line))
    except (ValueError, RejectedError) as error:
        raise ConfigurationError(f"{path}, line {number}: not a ContactUpdate ({error})") from error
    if update.deleted is not True:
        raise ConfigurationError(f'{path}, line {number}: not an erasure; it needs "deleted": true')
    return update.contact_id, line
