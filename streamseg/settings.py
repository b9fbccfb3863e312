"""Configuration: one model, read from the environment (`STREAMSEG_…`) or built by a test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from schemas.durations import Duration
from schemas.paths import all_errors, problem
from streamseg.errors import ConfigurationError
from streamseg.times import DAY_MS, HOUR_MS, MINUTE_MS, time_zone


def _zone(name: str) -> str:
    try:
        time_zone(name)
    except ValueError as error:
        raise problem(str(error)) from error
    return name


TimeZoneName = Annotated[str, AfterValidator(_zone)]


class BatchWindow(BaseModel):
    """When unsubscribes of one channel enter their segment: `clock` closes windows at whole local
    units (midnight, full hour), `event` exactly one length after the unsubscribe."""

    model_config = ConfigDict(extra="forbid")

    length: Duration
    alignment: Literal["clock", "event"] = "clock"
    timezone: TimeZoneName | None = None


class Settings(BaseSettings):
    """Everything an operator can set; names in the environment are `STREAMSEG_` + the field's."""

    model_config = SettingsConfigDict(
        env_prefix="STREAMSEG_",
        env_nested_delimiter="__",
        # Where only a window's alignment is set, its length stays that of its channel.
        nested_model_default_partial_update=True,
        frozen=True,
        # They are the text of docs/settings.md.
        use_attribute_docstrings=True,
    )

    timezone: TimeZoneName = "Asia/Shanghai"
    """The IANA zone of definitions, windows and naive timestamps that name none themselves."""
    future_tolerance_ms: int = Field(5 * MINUTE_MS, ge=0)
    """How much later than its record's timestamp an event or update may be dated: up to here it is moved back
    to that, beyond it is a dead letter."""
    record_tolerance_ms: int = Field(HOUR_MS, ge=0)
    """How far a record may be dated ahead of the clock here while input is read live."""
    history_retention_ms: int = Field(400 * DAY_MS, gt=0)
    """How long an event is kept after it occurred."""
    history_cap: int = Field(10_000, gt=0)
    """How many events are kept of a contact; beyond that, the oldest are dropped."""
    email_window: BatchWindow = BatchWindow(length="P1D")
    """The batch window of e-mail unsubscribes. Its parts: `STREAMSEG_EMAIL_WINDOW__LENGTH` (ISO 8601),
    `STREAMSEG_EMAIL_WINDOW__ALIGNMENT` (`clock` or `event`), `STREAMSEG_EMAIL_WINDOW__TIMEZONE`."""
    sms_window: BatchWindow = BatchWindow(length="PT1H")
    """The batch window of unsubscribes from text messages, in the same parts."""
    max_record_bytes: int = Field(1 << 20, gt=0)
    """The longest record that is read, the longest definition, and the longest body of a request."""
    max_conditions: int = Field(1_000, gt=0)
    """How many conditions one definition may have, inner ones and the steps of sequences counted."""

    bootstrap_servers: str = "localhost:9092"
    """The brokers to begin with, `host:port` with commas between."""
    application_id: str = "streamseg"
    """What the workers of one installation have in common: their group, changelog and own topics bear it."""
    topic_prefix: str = ""
    """Stands before the name of every topic, so that several installations share a cluster."""
    partitions: int = Field(4, gt=0)
    """The partitions of the topics that are divided by contact. Chosen once: see deploy/README.md."""
    replication_factor: int = Field(1, gt=0)
    """How many brokers keep each partition of the topics that `streamseg topics create` makes."""
    data_dir: Path = Path("data")
    """Where the worker keeps its state: a folder of its own on a local disk."""
    log_format: Literal["text", "json"] = "text"
    """How the worker writes its log: lines for people, or one JSON object a line (`time`, `level`, `logger`,
    `message`, `error`)."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """Whether connections to Kafka are encrypted (`SSL`) and log in (`SASL`)."""
    ssl_ca_file: Path | None = None
    """PEM certificates that the brokers' are checked against; the system's if not set."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How to log in."""
    sasl_username: str | None = None
    """Whom to log in as."""
    sasl_password: SecretStr | None = None
    """The password for that."""

    instance_id: str | None = None
    """A name that a worker keeps over restarts (static group membership): its partitions wait for it."""
    session_timeout_ms: int = Field(30_000, ge=6_000)
    """How long a worker may be silent before its partitions go to others."""
    checkpoint_records: int = Field(5_000, gt=0)
    """A checkpoint is made after so many records, or after `checkpoint_interval_ms`."""
    checkpoint_interval_ms: int = Field(500, gt=0)
    """A checkpoint is made after so long, or after `checkpoint_records`, whichever comes first. Changes do
    not wait for it: while the worker is not busy they are sent within milliseconds."""
    commit_interval_ms: int = Field(500, gt=0)
    """How often offsets of checkpointed input are committed."""
    live_lag_ms: int = Field(250, ge=0)
    """How far stream time follows the wall clock, so that fresh records come in at their own time."""
    queued_records: int = Field(5_000, gt=0)
    """How many records of one topic partition may wait before no more are fetched."""
    contact_cache: int = Field(10_000, gt=0)
    """How many unchanged contacts stay decoded, per partition."""
    block_cache_bytes: int = Field(64 << 20, gt=0)
    """RocksDB's cache, shared by a worker's partitions."""
    start_timeout_ms: int = Field(5 * MINUTE_MS, gt=0)
    """How long a worker that starts waits for brokers, a login, rights or topics that are not there."""
    clock_tolerance_ms: int = Field(MINUTE_MS, gt=0)
    """How far a worker's clock may differ from the brokers' before it is not believed."""
    stall_timeout_ms: int = Field(120_000, gt=0)
    """How long a worker may make no progress before `/health` says so."""
    http_host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside the container
    """The address to serve `/health`, `/metrics` and the API at."""
    http_port: int = Field(8080, ge=0, le=65_535)
    """Where `/health`, `/metrics` and the API are served; 0 takes a free port."""
    http_connections: int = Field(512, gt=0)
    """How many connections may be open there; beyond that, one that waits for its caller makes room."""
    http_connections_per_address: int = Field(256, gt=0)
    """How many of them from one address."""
    http_header_timeout_ms: int = Field(5_000, gt=0)
    """How long a caller may take to send the headers of a request."""
    http_body_timeout_ms: int = Field(30_000, gt=0)
    """How long it may take to send the body, or take nothing of the answer."""
    http_idle_timeout_ms: int = Field(75_000, gt=0)
    """How long a connection stays open between requests."""
    advertised_url: str | None = None
    """Where other workers reach this one, e.g. `http://worker-1:8080`; not set, by its host name."""
    api_tokens: dict[str, str] = Field(default_factory=dict, repr=False)
    """Token -> account. Without any, here and in the file, the API answers this machine only."""
    api_tokens_file: Path | None = None
    """A JSON or YAML file with more tokens, in the same form."""
    allowed_hosts: list[str] = Field(default_factory=list)
    """More names under which this worker may be asked, besides those of this machine's loopback and that of
    `advertised_url`: heeded where no tokens are set, or where this is."""
    allowed_origins: list[str] = Field(default_factory=list)
    """Whose pages may ask besides this worker's own, e.g. `https://console.example`."""
    operators: frozenset[str] = frozenset()
    """Accounts that may verify what is kept of everybody's segments, and recount them."""
    verify_contacts_per_second: float = Field(0.0, ge=0.0, le=1_000.0)
    """How many contacts a worker compares in the background, one partition after the other; 0: none."""
    command_timeout_ms: int = Field(15_000, gt=0)
    """How long a caller of the API waits for a command, and for the workers that know the answer."""

    @classmethod
    def read(cls, **given: Any) -> Self:
        """The environment's settings, with those given before them.

        Raises ConfigurationError with the variable of each that cannot be."""
        try:
            return cls(**given)
        except ValidationError as error:
            faults = [f"{_variable(path)}: {message}" for path, message in all_errors(error)]
            raise ConfigurationError("; ".join(faults)) from error
        except SettingsError as error:
            # Which one is no JSON, pydantic-settings tells in words only.
            named = [name for name in cls.model_fields if f'"{name}"' in str(error)]
            raise ConfigurationError(
                "; ".join(f"{_variable(name)}: must be a JSON object" for name in named) or str(error)
            ) from error

    @property
    def uses_ssl(self) -> bool:
        """Whether connections to Kafka are encrypted."""
        return self.security_protocol.endswith("SSL")

    @property
    def uses_sasl(self) -> bool:
        """Whether connections to Kafka log in."""
        return self.security_protocol.startswith("SASL")


def _variable(path: str) -> str:
    """The environment variable of a setting. Below a window it names the field; below tokens nothing, since
    those are keys there."""
    name, _, field = path.partition(".")
    below = f"__{field}" if field and name != "api_tokens" else ""
    return f"STREAMSEG_{name}{below}".upper()
