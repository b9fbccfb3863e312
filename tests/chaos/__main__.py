"""`python -m tests.chaos --seconds N --seed S [--against CHECKOUT]`.

Prints one line of figures. If anything is wrong, it prints the folder with the evidence, and the exit status
is 1.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.plan import FAULTS
from tests.chaos.run import Options, Run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long the faults last")
    parser.add_argument("--seed", type=int, default=None, help="of input and faults; default: from the clock")
    parser.add_argument(
        "--against", type=Path, help="another checkout, with its .venv, whose worker is tried"
    )
    parser.add_argument(
        "--fault", action="append", choices=sorted(FAULTS), help="only this one; may be repeated"
    )
    parser.add_argument("--keep", type=Path, default=Path("chaos"), help="where what was found wrong is kept")
    parser.add_argument("--always-keep", action="store_true", help="keep it where nothing was wrong, too")
    parser.add_argument("--quiet-contacts", type=int, default=8_000, help="they make the changelog long")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else time.time_ns() // 1_000_000_000 % 1_000_000
    options = Options(
        seed=seed,
        seconds=arguments.seconds,
        against=arguments.against and arguments.against.resolve(),
        faults=tuple(arguments.fault or ()),
        quiet_contacts=arguments.quiet_contacts,
    )
    # If the command is ended from outside, it ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    folder = Path(tempfile.mkdtemp(prefix="streamseg-chaos-"))
    run = Run(options, folder, say=lambda line: print(line, file=sys.stderr, flush=True))
    right = False
    try:
        right = run()
    finally:
        if not right or arguments.always_keep:
            kept = arguments.keep / f"seed-{seed}-{time.strftime('%Y%m%d-%H%M%S')}"
            run.keep(kept)
            print(f"kept in {kept}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
    print(run.figures.line())
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
