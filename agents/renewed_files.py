"""Certificates and passwords in files that are replaced while a worker runs: each new connection uses those
of its time."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Self

from streamseg.errors import ConfigurationError

_log = logging.getLogger(__name__)


class FileState(NamedTuple):
    """What differs once a file was written or replaced. All are 0 without a file."""

    modified_ns: int
    size: int
    inode: int


def states_of(files: Iterable[Path]) -> tuple[FileState, ...]:
    """Return the states of files, in their order."""
    return tuple(_state_of(file) for file in files)


def _state_of(file: Path) -> FileState:
    try:
        found = file.stat()
    except OSError:
        return FileState(0, 0, 0)
    return FileState(found.st_mtime_ns, found.st_size, found.st_ino)


class RenewedContext(ssl.SSLContext):
    """A context that is made again for the next connection once one of its files has changed. While the files
    cannot be used, such as a certificate whose key is not there yet, the one before is used."""

    def __new__(cls, *_: object) -> Self:
        # It makes no connection itself, so its own protocol does not matter.
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, make: Callable[[], ssl.SSLContext], files: Iterable[Path]) -> None:
        """`make` reads the files and returns the context; it raises ConfigurationError if it cannot."""
        self._make = make
        self._files = tuple(files)
        self._seen = states_of(self._files)
        self._current = make()
        self._logged: tuple[FileState, ...] | None = None

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Begin a connection. Event loops do it by this method."""
        return self._renewed().wrap_bio(*args, **kwargs)

    def _renewed(self) -> ssl.SSLContext:
        seen = states_of(self._files)
        if seen != self._seen:
            try:
                self._current = self._make()
            except ConfigurationError as error:
                if seen != self._logged:
                    self._logged = seen
                    _log.error("%s; new connections use what was there before", error)
            else:
                self._seen = seen
                _log.info("new connections use the changed %s", ", ".join(map(str, self._files)))
        return self._current


class RenewedPassword(str):
    """A password from a file. As text it is the one that was there when it was made; `now` reads it again."""

    def __new__(cls, read: Callable[[], str]) -> Self:
        """`read` returns the password of the moment; it raises ConfigurationError if it cannot."""
        return super().__new__(cls, read())

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    def now(self) -> str:
        """Return the password of the moment; the one before if the file cannot be read."""
        try:
            return self._read()
        except ConfigurationError as error:
            _log.error("%s; the password before is used", error)
            return str(self)
