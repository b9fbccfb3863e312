"""`python -m tests.soak --hours N [--seed S] [--publish]`.

Prints a sample of each worker now and then, and at the end what has grown. If an output is wrong or something
creeps, the exit status is 1.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import about_the_machine
from tests.soak.page import ROOT, publish
from tests.soak.soaking import Load, soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0, help="how long the load lasts")
    parser.add_argument("--seed", type=int, default=None, help="of input and faults; default: from the clock")
    parser.add_argument("--rate", type=int, default=120, help="records a second")
    parser.add_argument("--publish", action="store_true", help="add the run to docs/soak.md")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else time.time_ns() // 1_000_000_000 % 1_000_000
    load = Load(arguments.hours * 3600, seed, records_per_second=arguments.rate)
    # If the command is ended from outside, it ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    folder = Path(tempfile.mkdtemp(prefix="streamseg-soak-"))
    day = time.strftime("%Y-%m-%d", time.gmtime())
    try:
        result = soak(load, folder / "run", say=lambda line: print(line, file=sys.stderr, flush=True))
    finally:
        if (folder / "run-kept").exists():
            kept = ROOT / "chaos" / f"soak-{day}-{seed}"
            shutil.copytree(folder / "run-kept", kept, dirs_exist_ok=True)
            print(f"kept in {kept}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
    for one in result.trends:
        whom = "all workers" if one.worker is None else f"worker-{one.worker}"
        print(f"{whom}: {one.name} {one.first:,.1f} -> {one.last:,.1f}{', creeps' if one.creeps else ''}")
    print(result.line)
    if arguments.publish:
        publish(load, result, day=day, commit=_commit(), machine=about_the_machine())
    return 0 if result.right else 1


def _commit() -> str:
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return asked.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
