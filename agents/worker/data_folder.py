"""The folder in which a worker keeps its state. Only this worker uses it, and other users cannot read it."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

PRIVATE_UMASK = 0o077
"""With this umask a process makes folders 0700 and files 0600. RocksDB has no setting for the mode of
files."""

_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LOCK = "worker.lock"
# The folder below `datadir` in which Faust keeps tables; its name is the version of the app.
_STATE = "v1"


class DataFolder:
    """`Settings.data_dir`, locked for one worker from `lock` to `release`.

    The kernel releases the lock when the process ends, also after a crash.
    """

    def __init__(self, settings: Settings) -> None:
        self.path = settings.data_dir
        self._lock_path = self.path / _LOCK
        self._locked: int | None = None

    def lock(self) -> None:
        """Make the folder, lock it, and take away other users' rights to it and to the files in it.

        Raises ConfigurationError if another worker has locked the folder, or if it cannot be written to. To
        be called before anything else is done, so that a worker that is refused has changed nothing."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            opened = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"cannot write to the data folder {self.path} ({error.strerror}); "
                "set STREAMSEG_DATA_DIR to a folder that this user may write to"
            ) from error
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(opened)
            raise ConfigurationError(
                f"another worker is running on the data folder {self.path}; "
                "give each worker a folder of its own (STREAMSEG_DATA_DIR, --data-dir)"
            ) from error
        self._locked = opened
        self._tighten()

    def release(self) -> None:
        """Release the lock, so that another worker can use the folder."""
        if self._locked is not None:
            os.close(self._locked)
            self._locked = None

    def __enter__(self) -> DataFolder:
        self.lock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _tighten(self) -> None:
        tightened = 0
        for path in self._ours():
            mode = path.lstat().st_mode
            # The rights to a shared folder in which everybody may make files, for example /tmp, stay.
            if stat.S_ISLNK(mode) or mode & stat.S_ISVTX or not mode & _FOR_OTHERS:
                continue
            try:
                path.chmod(stat.S_IMODE(mode) & ~_FOR_OTHERS)
            except OSError as error:
                _log.warning("other users may read %s (%s); take their rights away", path, error.strerror)
            else:
                tightened += 1
        if tightened:
            _log.info("other users could read %d files or folders in %s; no longer", tightened, self.path)

    def _ours(self) -> Iterator[Path]:
        """Return the folder, the lock file, and the files and folders of the state."""
        yield self.path
        yield self._lock_path
        state = self.path / _STATE
        if state.is_dir():
            yield state
            yield from state.rglob("*")
