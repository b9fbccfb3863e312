"""The build: plain Python as pyproject.toml describes it, or with the hot modules compiled by mypyc.

STREAMSEG_COMPILE=1    compile; the build fails where that is impossible
STREAMSEG_COMPILE=try  compile where a C compiler and Python's headers are, otherwise say what is missing
(not set)              plain Python

A package is only built with the console in it: run `make console` first.

The same source runs in both forms. The compiled form is faster, see docs/PERFORMANCE.md.
"""

import os
import shlex
import shutil
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_py import build_py

PYPROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
SWITCH = "STREAMSEG_COMPILE"


def missing() -> str | None:
    """Return what a compilation needs and this machine does not have; None if nothing is missing."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        return f"a C compiler ({compiler})"
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").is_file():
        return f"Python's headers ({headers}/Python.h)"
    return None


def is_wanted() -> bool:
    """Return whether this build compiles. Ends the build if the switch has no known value, or if it demands
    what is impossible."""
    switch = os.environ.get(SWITCH, "")
    if switch not in ("", "1", "try"):
        sys.exit(f"{SWITCH}={switch} is unknown; set 1 (compile), try (compile if possible) or nothing")
    fault = missing() if switch else None
    if fault is None:
        return bool(switch)
    remedy = "install it, e.g. apt-get install gcc python3-dev"
    if switch == "1":
        sys.exit(f"cannot compile: {fault} is missing; {remedy}")
    print(f"not compiled: {fault} is missing; streamseg runs the same, but slower. To compile, {remedy}")
    return False


def build_arguments() -> dict[str, Any]:
    """Return the arguments of `setup` for the compiled form.

    A build frontend first asks what the build needs, then installs it, then builds. When it asks, mypyc is
    not installed yet. The libraries are needed because mypyc reads their types."""
    try:
        from mypyc.build import mypycify
    except ImportError:
        project = PYPROJECT["project"]
        mypy = [one for one in project["optional-dependencies"]["test"] if one.startswith("mypy")]
        return {"setup_requires": [*mypy, *project["dependencies"]]}
    modules = PYPROJECT["tool"]["streamseg"]["compiled"]
    # Debug information would make the library several times as large.
    return {"ext_modules": mypycify(modules, group_name="streamseg.hot_path", opt_level="2", debug_level="0")}


class BuildWithConsole(build_py):
    """Copies the packages; ends the build if the console is missing and the build is not an editable one."""

    def run(self) -> None:
        built = Path(__file__).parent / "agents" / "console" / "static" / "index.html"
        if not self.editable_mode and not built.is_file():
            sys.exit("agents/console/static/ is missing: run `make console` before building a package")
        super().run()


setup(cmdclass={"build_py": BuildWithConsole}, **(build_arguments() if is_wanted() else {}))
