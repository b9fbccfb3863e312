"""Replay a file of records with the interpreter of the installation under test.

`python replayed.py FILE UNTIL_MS`, settings from the environment. Prints one JSON object:

members       [[segment id, contact id], …]
dead_letters  {line number: code}
suppressions  [[contact id, channel], …]
"""

import sys
from pathlib import Path

import orjson

from streamseg.replay import Replay
from streamseg.settings import Settings


def main() -> None:
    file, until_ms = Path(sys.argv[1]), int(sys.argv[2])
    dead_letters: dict[str, str] = {}
    suppressions: dict[tuple[str, str], bool] = {}

    def refused(line, letter):  # type: ignore[no-untyped-def]
        dead_letters[str(line)] = letter.code

    def suppressed(one):  # type: ignore[no-untyped-def]
        suppressions[one.contact_id, one.channel] = one.suppressed

    run = Replay(settings=Settings.read(), on_dead_letter=refused, on_suppression=suppressed)
    with file.open("rb") as lines:
        for line in lines:
            run.line(line)
    run.settle_definitions()
    run.run_to(until_ms)
    result = {
        "members": [[member["segment_id"], member["contact_id"]] for member in run.members()],
        "dead_letters": dead_letters,
        "suppressions": [list(place) for place, stands in suppressions.items() if stands],
    }
    sys.stdout.buffer.write(orjson.dumps(result))


main()
