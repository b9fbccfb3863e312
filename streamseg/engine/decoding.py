"""Decoding of records: from a record's bytes to a valid behaviour event or contact update.

A record that is refused raises RejectedError with the path of the fault. A contact update is refused only for
a fault of its envelope; wrong values in it are left out. Messages never show a value, because attributes and
properties are personal data.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Final
from zoneinfo import ZoneInfo

from schemas.events import BehaviorEvent
from schemas.timestamps import EARLIEST_STATED_MS
from schemas.updates import ContactUpdate
from streamseg.engine.update_values import Fault, UpdateValues
from streamseg.errors import Code, RejectedError
from streamseg.nesting import read_json
from streamseg.records.inputs import Event, Record
from streamseg.records.messages import checked, too_large
from streamseg.settings import Settings
from streamseg.times import MAX_MS, MIN_MS, timestamp_or_none

_EVENT_FIELDS: Final = len(BehaviorEvent.model_fields)
_UPDATE_FIELDS: Final = frozenset(ContactUpdate.model_fields)


class Update:
    """A contact update. Its values are in force from `updated_ms` (epoch ms). Do not change its fields.

    faults  the values that were left out because they are wrong, in the order of the contract
    """

    __slots__ = (
        "attributes",
        "contact_id",
        "deleted",
        "faults",
        "keep_suppressions",
        "lists_add",
        "lists_remove",
        "tags_add",
        "tags_remove",
        "tags_set",
        "updated_ms",
    )

    def __init__(
        self,
        contact_id: str,
        attributes: dict[str, Any],
        tags_set: list[str] | None,
        tags_add: list[str],
        tags_remove: list[str],
        lists_add: list[str],
        lists_remove: list[str],
        updated_ms: int,
        deleted: bool,
        keep_suppressions: bool,
        faults: list[Fault],
    ) -> None:
        self.contact_id = contact_id
        self.attributes = attributes
        self.tags_set = tags_set
        self.tags_add = tags_add
        self.tags_remove = tags_remove
        self.lists_add = lists_add
        self.lists_remove = lists_remove
        self.updated_ms = updated_ms
        self.deleted = deleted
        self.keep_suppressions = keep_suppressions
        self.faults = faults

    @property
    def touches_tags(self) -> bool:
        return (
            self.tags_set is not None or bool(self.tags_add or self.tags_remove) or "tags" in self.attributes
        )


class Decoder:
    """A decoder of records, with the configured time zone, tolerance for future times and size limit."""

    __slots__ = ("_limit_bytes", "_tolerance_ms", "_zone")

    def __init__(self, settings: Settings) -> None:
        self._zone = ZoneInfo(settings.timezone)
        self._tolerance_ms = settings.future_tolerance_ms
        self._limit_bytes = settings.max_record_bytes

    def event(self, record: Record) -> tuple[str, Event]:
        """Return the contact id and the behaviour event. A time later than the record's timestamp, within the
        tolerance, becomes that timestamp."""
        body, record_ms = self._body(record), record.timestamp_ms
        stated_ms = self._stated_ms(body["occurred_at"]) if _is_plain_event(body) else None
        if stated_ms is None:
            checked(BehaviorEvent, body)
            stated_ms = self._stated_ms(body["occurred_at"])
        # The model converts no values, so the values of a valid body are used as they are.
        contact_id = body["contact_id"]
        if record.key != contact_id.encode():
            raise _other_key(record)
        if stated_ms is None or stated_ms > record_ms:
            stated_ms = self._clamped(stated_ms, record_ms, "occurred_at")
        properties = body.get("properties")
        if properties is None:
            properties = {}
        return contact_id, Event(
            body["event_id"], body["event"], stated_ms, properties, False, record.number, record_ms
        )

    def update(self, record: Record, static_ids: Container[str]) -> Update:
        """Return the contact update with the values in it that are valid. A time later than the record's
        timestamp, within the tolerance, becomes that timestamp. `static_ids` are the ids of the static
        segments that the update may name."""
        body = self._body(record)
        if not _is_plain_update(body):
            checked(ContactUpdate, body)
        # The model converts no values, so the values of a valid body are used as they are.
        get = body.get
        contact_id = body["contact_id"]
        if record.key != contact_id.encode():
            raise _other_key(record)
        attributes = get("attributes")
        if isinstance(attributes, dict) and attributes.get("contact_id", contact_id) != contact_id:
            raise RejectedError(
                Code.INVALID_SCHEMA, "a contact's id cannot be changed", "attributes.contact_id"
            )
        stated = get("updated_at")
        updated_ms = record.timestamp_ms
        if stated is not None:
            stated_ms = self._stated_ms(stated)
            if stated_ms is None:
                checked(ContactUpdate, body)
            updated_ms = self._clamped(stated_ms, updated_ms, "updated_at")
        deleted = get("deleted") is True
        if deleted:
            # The other values of an erasure are ignored.
            return Update(
                contact_id, {}, None, [], [], [], [], updated_ms, True, get("keep_suppressions") is True, []
            )
        values = UpdateValues(self._zone)
        taken = values.attributes(attributes)
        tags = values.tags(get("tags"))
        lists = values.lists(get("lists"), static_ids)
        return Update(
            contact_id,
            taken,
            tags.get("set"),
            tags.get("add", []),
            tags.get("remove", []),
            lists.get("add", []),
            lists.get("remove", []),
            updated_ms,
            False,
            False,
            values.faults,
        )

    def _body(self, record: Record) -> Any:
        value = record.value
        if value is None:
            raise RejectedError(Code.INVALID_SCHEMA, "an empty record; send a JSON object")
        if len(value) > self._limit_bytes:
            raise too_large(self._limit_bytes)
        return read_json(value)

    def _stated_ms(self, value: Any) -> int | None:
        """Return the time (epoch ms) that a record states for its content; None if a record may not state
        this value."""
        if type(value) is int:
            return value if EARLIEST_STATED_MS <= value <= MAX_MS else None
        if isinstance(value, bool):
            return None
        return timestamp_or_none(value, self._zone)

    def _clamped(self, at_ms: int | None, record_ms: int, path: str) -> int:
        if at_ms is None:
            raise RejectedError(Code.INVALID_SCHEMA, "no moment of the calendar; send RFC 3339", path)
        if at_ms <= record_ms:
            return at_ms
        if at_ms - record_ms > self._tolerance_ms:
            raise RejectedError(
                Code.OCCURRED_IN_FUTURE,
                f"more than {self._tolerance_ms // 1000} s later than the record's timestamp; "
                "check the sender's clock",
                path,
            )
        return record_ms


def check_timestamp(record: Record, latest_ms: int | None = None) -> None:
    """Raises RejectedError if the record's timestamp cannot be used: it is outside the calendar (a producer
    can write any number, microseconds for instance), or it is later than `latest_ms` (None: no limit)."""
    if not MIN_MS <= record.timestamp_ms <= MAX_MS:
        raise RejectedError(
            Code.INVALID_SCHEMA,
            "the record's timestamp lies outside the years 1 to 9999; it is epoch milliseconds",
            "timestamp",
        )
    if latest_ms is not None and record.timestamp_ms > latest_ms:
        raise RejectedError(
            Code.TIMESTAMP_IN_FUTURE,
            "the record is dated further ahead of the present than `record_tolerance_ms` allows; "
            "set the clock of whatever produces it right, or send it once its time has come",
            "timestamp",
        )


def _is_plain_event(body: Any) -> bool:
    """Return whether a behaviour event is certainly valid, except for its time. Nearly all events are. The
    model, which finds the fault in the others, takes three times as long."""
    if type(body) is not dict:
        return False
    try:
        event_id, contact_id, name = body["event_id"], body["contact_id"], body["event"]
        stated = type(body["occurred_at"])
        if len(body) != _EVENT_FIELDS - 1 and (
            len(body) != _EVENT_FIELDS or type(body["properties"]) is not dict
        ):
            return False
    except KeyError:
        return False
    return (
        type(event_id) is str
        and type(contact_id) is str
        and type(name) is str
        and event_id != ""
        and contact_id != ""
        and name != ""
        and (stated is int or stated is str)
    )


def _is_plain_update(body: Any) -> bool:
    """Return whether the envelope of a contact update is certainly valid, except for its time."""
    if type(body) is not dict:
        return False
    get = body.get
    contact_id = get("contact_id")
    return (
        type(contact_id) is str
        and contact_id != ""
        and type(get("updated_at", "")) in (str, int)
        and type(get("deleted", False)) is bool
        and type(get("keep_suppressions", False)) is bool
        and body.keys() <= _UPDATE_FIELDS
    )


def check_unicode(key: bytes | None) -> None:
    """Raises RejectedError if a record's key is not UTF-8."""
    try:
        (key or b"").decode()
    except UnicodeDecodeError as error:
        raise RejectedError(Code.INVALID_JSON, "the record's key is not valid UTF-8") from error


def _other_key(record: Record) -> RejectedError:
    """Return the refusal of a record whose key is not its contact id. Raises RejectedError if the key is not
    UTF-8."""
    check_unicode(record.key)
    return RejectedError(
        Code.INVALID_SCHEMA, "differs from the record's key; they must be the same", "contact_id"
    )
