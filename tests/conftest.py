"""Settings of all tests; the compiled form for the tests that run on it, and a guard against compiled modules
that are out of date.

The compiled form is made once per session, in a copy of the checkout. Where it cannot be made, its tests are
skipped and the end of the run reports it; with CI=true they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# No test depends on the speed of the machine.
settings.register_profile("streamseg", parent=settings(), deadline=None)
settings.load_profile("streamseg")

ROOT = Path(__file__).parents[1]
BUILD_SECONDS = 900

_NOT_COMPILED = pytest.StashKey[str]()


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    why = config.stash.get(_NOT_COMPILED, None)
    if why is not None:
        terminalreporter.section("NOT COMPILED", sep="!", red=True, bold=True)
        terminalreporter.line(f"WARNING: the tests of the compiled form did not run: {why}", red=True)


@pytest.fixture(scope="session")
def compiled_checkout(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with the compiled form in place."""
    checkout = tmp_path_factory.mktemp("compiled") / "checkout"
    ignored = shutil.ignore_patterns("*.so", "__pycache__", "build", ".*", "*.egg-info", "data", "chaos")
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
    if "not compiled:" in built.stdout:
        why = built.stdout.strip()
        pytestconfig.stash[_NOT_COMPILED] = why
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(f"CI needs a C compiler: {why}", pytrace=False)
        pytest.skip(why)
    return checkout
