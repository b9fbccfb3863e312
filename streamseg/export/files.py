"""The files of an export: lines of JSON, compressed with gzip, readable only by their owner."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from streamseg.errors import ConfigurationError, MoveCode, StateMoveError
from streamseg.export.manifest import NAME, Manifest, Part
from streamseg.times import format_ms

_LEVEL = 1
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_OWNER_ONLY = 0o600
_OWNERS_FOLDER = 0o700
_NAMED = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z")


def new_folder(folder: Path) -> None:
    """Make the folder of an export. Raises ConfigurationError if it has files already or cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=_OWNERS_FOLDER)
        if any(folder.iterdir()):
            raise ConfigurationError(f"{folder} is not empty; name a new folder")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be used: {error.strerror}") from error


def write_file(path: Path, lines: Iterable[bytes]) -> Part:
    """Write a new file with these lines. Raises ConfigurationError if the disk refuses."""
    try:
        with os.fdopen(os.open(path, _NEW, _OWNER_ONLY), "wb") as file:
            digested = _Digested(file)
            count = 0
            # Without a name and a time, the same lines give the same bytes.
            with gzip.GzipFile("", "wb", _LEVEL, digested, mtime=0) as packed:
                for line in lines:
                    packed.write(line)
                    count += 1
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    return Part(file=path.name, size=digested.size, sha256=digested.digest.hexdigest(), lines=count)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise StateMoveError if a file of the export is missing or differs from what was written."""
    for part in manifest.files:
        path = folder / part.file
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise StateMoveError(
                MoveCode.EXPORT_INCOMPLETE, f"{path} cannot be read ({error.strerror}); use another export"
            ) from error
        if digest != part.sha256:
            raise StateMoveError(
                MoveCode.EXPORT_CHANGED,
                f"{path} is not as it was written: its SHA-256 differs; copy it again, or use another export",
            )


def read_lines(folder: Path, part: Part) -> Iterator[bytes]:
    """Yield the lines of a file, each with its line feed."""
    with gzip.open(folder / part.file, "rb") as file:
        yield from file


def new_name(at_ms: int) -> str:
    """Return the name of the folder of an export that is begun at `at_ms` (epoch ms): names sort by time."""
    return format_ms(at_ms).replace(":", "-")


def keep_newest(folder: Path, count: int) -> None:
    """Delete all exports in the folder but the `count` newest complete ones, and those that are not complete.
    Folders with other names stay. Raises ConfigurationError if one cannot be deleted."""
    exports = sorted(one for one in folder.iterdir() if _NAMED.fullmatch(one.name) and one.is_dir())
    complete = [one for one in exports if (one / NAME).exists()]
    for one in exports:
        if one not in complete[-count:]:
            try:
                shutil.rmtree(one)
            except OSError as error:
                raise ConfigurationError(f"{one} cannot be deleted: {error.strerror}") from error


class _Digested:
    """A file that is only written, and the digest of what was written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()
