"""Settings of all tests; the compiled form for the tests that run on it, and a guard against compiled modules
that are out of date.

The compiled form is made once per session, in a copy of the checkout. Where it cannot be made, its tests are
skipped and the end of the run reports it; with CI=true they fail.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.lacking import lacks, report

# No test depends on the speed of the machine.
settings.register_profile("streamseg", parent=settings(), deadline=None)
settings.load_profile("streamseg")

ROOT = Path(__file__).parents[1]
BUILD_SECONDS = 1_800

NOT_COMPILED = "not compiled: "


def outdated(root: Path) -> list[Path]:
    """The sources that were changed after their module was compiled."""
    libraries = [path for path in sorted(root.rglob("*.so")) if "__mypyc." not in path.name]
    sources = {path.with_name(f"{path.name.partition('.')[0]}.py"): path for path in libraries}
    return [
        source
        for source, library in sources.items()
        if not source.exists() or source.stat().st_mtime > library.stat().st_mtime
    ]


def pytest_sessionstart() -> None:
    if sources := outdated(ROOT / "streamseg"):
        names = ", ".join(str(source.relative_to(ROOT)) for source in sources)
        pytest.exit(f"compiled modules are older than {names}: `make compiled` or `make plain`", returncode=1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    report(terminalreporter)


@pytest.fixture(scope="session")
def compiled_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with the compiled form in place. All processes of a run share it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    checkout = folder / "compiled"
    with (folder / "compiled.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = folder / "compiled.log"
        if not built.exists():
            said = _compile(checkout)
            built.write_text(said)
    said = built.read_text()
    if NOT_COMPILED in said:
        lacks("a C compiler", said.partition(NOT_COMPILED)[2].strip())
    return checkout


def _compile(checkout: Path) -> str:
    """Compile a copy of the checkout. Return what the build says."""
    ignored = shutil.ignore_patterns("*.so", "__pycache__", "build", ".*", "*.egg-info", "node_modules")
    shutil.rmtree(checkout, ignore_errors=True)
    shutil.copytree(ROOT, checkout, ignore=ignored, symlinks=True)
    built = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
        cwd=checkout,
        env={**os.environ, "STREAMSEG_COMPILE": "try"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_SECONDS,
    )
    assert built.returncode == 0, built.stdout
    return built.stdout
