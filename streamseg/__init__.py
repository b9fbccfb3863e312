"""Contact segments that are right all the time: the engine as a library, without Kafka.

The names here do not change within a major release. Everything else may change.

>>> from zoneinfo import ZoneInfo
>>> import streamseg
>>> run = streamseg.Replay(settings=streamseg.Settings())
>>> clicked = {"event": "email_click", "window": {"last": "PT1H"}}
>>> run.line({
...     "topic": "segment-definitions", "timestamp": "2026-05-01T08:00:00Z", "key": "clicked",
...     "value": {"segment_id": "clicked", "name": "Clicked", "type": "standard",
...               "clusters": [{"match": "all", "conditions": [clicked]}]}})
>>> run.line({
...     "topic": "behavior-events", "timestamp": "2026-05-01T09:00:00Z", "key": "c1",
...     "value": {"event_id": "e1", "contact_id": "c1", "event": "email_click",
...               "occurred_at": "2026-05-01T09:00:00Z"}})
>>> [member["contact_id"] for member in run.members()]
['c1']
>>> run.explain("clicked", "c1")["next_change_at"]
'2026-05-01T10:00:00.000Z'
>>> run.run_to(streamseg.parse_timestamp_ms("2026-05-02T00:00:00Z", ZoneInfo("UTC")))
>>> for change in run.changes:
...     print(change.contact_id, change.wire()["change"], streamseg.format_ms(change.effective_ms))
c1 entered 2026-05-01T09:00:00.000Z
c1 exited 2026-05-01T10:00:00.000Z
"""

from importlib.metadata import version

from streamseg.errors import (
    Code,
    ConfigurationError,
    FileFormatError,
    RejectedError,
    StreamsegError,
)
from streamseg.records.inputs import Record
from streamseg.records.outputs import Cause, DeadLetter, MembershipChange, Reason, Suppression
from streamseg.replay import Replay
from streamseg.settings import BatchWindow, Settings
from streamseg.times import format_ms, parse_timestamp_ms

__version__ = version("streamseg")

__all__ = [
    "BatchWindow",
    "Cause",
    "Code",
    "ConfigurationError",
    "DeadLetter",
    "FileFormatError",
    "MembershipChange",
    "Reason",
    "Record",
    "RejectedError",
    "Replay",
    "Settings",
    "StreamsegError",
    "Suppression",
    "__version__",
    "format_ms",
    "parse_timestamp_ms",
]
