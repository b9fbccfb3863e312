"""Prometheus' own checker, uninstalled: Debian's package would start a service, so it is only unpacked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_COMMANDS = (["apt-get", "-q", "download", "prometheus"], ["sh", "-c", "dpkg -x prometheus_*.deb ."])
_CACHE = Path.home() / ".cache" / "streamseg" / "promtool"


def promtool() -> str:
    """Its path: what is installed, else what was fetched, now or before. Where it cannot be fetched, the test
    is skipped; in CI it fails."""
    installed = shutil.which("promtool")
    if installed is not None:
        return installed
    fetched = _CACHE / "promtool"
    if not fetched.exists():
        trouble = _fetch(fetched)
        if trouble is not None and os.environ.get("CI"):
            pytest.fail(f"promtool cannot be fetched: {trouble}")
        if trouble is not None:
            pytest.skip(f"NO ALERT WAS TESTED: promtool is not installed and cannot be fetched ({trouble})")
    return str(fetched)


def _fetch(target: Path) -> str | None:
    """What went wrong, or None."""
    folder = target.parent / f"unpacked-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        for command in _COMMANDS:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
            if done.returncode != 0:
                return done.stderr.strip() or f"{command[0]} ended with {done.returncode}"
        # At once, so that nobody finds half of it.
        (folder / "usr/bin/promtool").replace(target)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        shutil.rmtree(folder)
    return None
