"""From a record's bytes to an input that is valid in itself.

Every function raises RejectedError, with the path, and changes nothing. Messages never show a value:
attributes and properties are personal data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from schemas.attributes import STANDARD_ATTRIBUTES
from schemas.events import BehaviorEvent
from schemas.paths import first_error
from schemas.updates import ContactUpdate
from schemas.wire import WireModel
from streamseg.errors import Code, RejectedError
from streamseg.inputs import Event, Record
from streamseg.nesting import read_json
from streamseg.settings import Settings
from streamseg.times import MAX_MS, MIN_MS, parse_timestamp_ms, timestamp_or_none

Model = TypeVar("Model", bound=WireModel)

_TIME_ATTRIBUTES: Final = frozenset(name for name, kind in STANDARD_ATTRIBUTES.items() if kind == "time")


@dataclass(frozen=True, slots=True)
class Update:
    """A contact update: values in force from `updated_ms`, tags as set, added and removed."""

    contact_id: str
    attributes: dict[str, Any]
    tags_set: list[str] | None
    tags_add: list[str]
    tags_remove: list[str]
    lists_add: list[str]
    lists_remove: list[str]
    updated_ms: int
    deleted: bool

    @property
    def touches_tags(self) -> bool:
        return self.tags_set is not None or bool(self.tags_add or self.tags_remove)


class Decoder:
    """Reads records with the configured time zone, tolerance for the future and size limit."""

    __slots__ = ("_limit_bytes", "_tolerance_ms", "_zone")

    def __init__(self, settings: Settings) -> None:
        self._zone = ZoneInfo(settings.timezone)
        self._tolerance_ms = settings.future_tolerance_ms
        self._limit_bytes = settings.max_record_bytes

    def event(self, record: Record) -> tuple[str, Event]:
        """The contact id and the behaviour event, its time clamped to the record's timestamp."""
        body = self._body(record)
        stated_ms = self._plain_time(body)
        if stated_ms is None:
            _validate(BehaviorEvent, body)
            stated_ms = self._parsed(body["occurred_at"], "occurred_at")
        # The model converts nothing, so what it lets pass is taken as it came.
        contact_id = body["contact_id"]
        _check_key(record, contact_id)
        recorded_ms = record.timestamp_ms
        occurred_ms = self._clamped(stated_ms, recorded_ms, "occurred_at")
        properties = body.get("properties", {})
        event = Event(
            body["event_id"], body["event"], occurred_ms, properties, False, record.offset, recorded_ms
        )
        return contact_id, event

    def update(self, record: Record) -> Update:
        """The contact update, its time clamped to the record's timestamp."""
        message = _validate(ContactUpdate, self._body(record))
        _check_key(record, message.contact_id)
        attributes = message.attributes
        if attributes.get("contact_id", message.contact_id) != message.contact_id:
            raise RejectedError(
                Code.INVALID_SCHEMA, "a contact's id cannot be changed", "attributes.contact_id"
            )
        for name in _TIME_ATTRIBUTES & attributes.keys():
            if attributes[name] is not None and timestamp_or_none(attributes[name], self._zone) is None:
                raise RejectedError(
                    Code.INVALID_SCHEMA, "no moment of the calendar; send RFC 3339", f"attributes.{name}"
                )
        updated_ms = record.timestamp_ms
        if message.updated_at is not None:
            stated_ms = self._parsed(message.updated_at, "updated_at")
            updated_ms = self._clamped(stated_ms, record.timestamp_ms, "updated_at")
        tags, lists = message.tags, message.lists
        return Update(
            message.contact_id,
            attributes,
            tags.set if tags is not None else None,
            tags.add if tags is not None else [],
            tags.remove if tags is not None else [],
            lists.add if lists is not None else [],
            lists.remove if lists is not None else [],
            updated_ms,
            message.deleted,
        )

    def _body(self, record: Record) -> Any:
        value = record.value
        if value is None:
            raise RejectedError(Code.INVALID_SCHEMA, "an empty record; send a JSON object")
        if len(value) > self._limit_bytes:
            raise RejectedError(Code.TOO_LARGE, f"longer than {self._limit_bytes} bytes; make it smaller")
        return read_json(value)

    def _plain_time(self, body: Any) -> int | None:
        """When a behaviour event occurred that is valid without any doubt, else None. The model, which tells
        what is wrong with others, takes three times as long, and nearly all are right."""
        if type(body) is not dict:
            return None
        get = body.get
        event_id, contact_id, name = get("event_id"), get("contact_id"), get("event")
        if (
            type(event_id) is str
            and type(contact_id) is str
            and type(name) is str
            and event_id
            and contact_id
            and name
            and type(get("properties", body)) is dict
            and len(body) == 4 + ("properties" in body)
        ):
            return timestamp_or_none(get("occurred_at"), self._zone)
        return None

    def _parsed(self, value: str | int, path: str) -> int:
        try:
            return parse_timestamp_ms(value, self._zone)
        except ValueError as error:
            raise RejectedError(
                Code.INVALID_SCHEMA, "no moment of the calendar; send RFC 3339", path
            ) from error

    def _clamped(self, at_ms: int, record_ms: int, path: str) -> int:
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
    """Raises RejectedError where nothing can go by the record's timestamp: it is no moment of the calendar (a
    producer may have given any number, microseconds for instance), or it is later than `latest_ms`."""
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


def _validate(model: type[Model], body: Any) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        path, message = first_error(error)
        raise RejectedError(Code.INVALID_SCHEMA, message, path) from error


def _check_key(record: Record, contact_id: str) -> None:
    if record.key is None or record.key != contact_id.encode():
        raise RejectedError(
            Code.INVALID_SCHEMA, "differs from the record's key; they must be the same", "contact_id"
        )
