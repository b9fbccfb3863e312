"""Configuration: one model, read from the environment (`STREAMSEG_…`) or built by a test."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from schemas.durations import Duration
from schemas.paths import all_errors, problem
from streamseg.contact.state_version import EARLIEST_WRITTEN, STATE_VERSION
from streamseg.errors import ConfigurationError
from streamseg.times import DAY_MS, HOUR_MS, MINUTE_MS, time_zone

_REMOVED: Final = {
    "STREAMSEG_API_TOKENS": (
        "make each token with `streamseg tokens new`, and write the lines that it prints to "
        "STREAMSEG_API_TOKENS_FILE"
    ),
    "STREAMSEG_OPERATORS": "give operators tokens of `streamseg tokens new --role admin`",
}


def _zone(name: str) -> str:
    try:
        time_zone(name)
    except ValueError as error:
        raise problem(str(error)) from error
    return name


TimeZoneName = Annotated[str, AfterValidator(_zone)]


class BatchWindow(BaseModel):
    """The window after which unsubscribes of one channel enter their segment: `clock` closes it at a whole
    local unit (midnight, full hour), `event` exactly one length after the unsubscribe."""

    model_config = ConfigDict(extra="forbid")

    length: Duration
    alignment: Literal["clock", "event"] = "clock"
    timezone: TimeZoneName | None = None


class Settings(BaseSettings):
    """Everything that an operator can set. A variable's name is `STREAMSEG_` and the field's name."""

    model_config = SettingsConfigDict(
        env_prefix="STREAMSEG_",
        env_nested_delimiter="__",
        # If only the alignment of a window is set, its length stays the default of its channel.
        nested_model_default_partial_update=True,
        frozen=True,
        # The docstrings of the fields are the text of docs/settings.md.
        use_attribute_docstrings=True,
    )

    timezone: TimeZoneName = "Asia/Shanghai"
    """The IANA time zone for definitions, windows and timestamps that have none themselves."""
    future_tolerance_ms: int = Field(5 * MINUTE_MS, ge=0)
    """How much later than its record's timestamp an event or update may be dated. Up to this limit its time
    is set to that timestamp; beyond it, it is a dead letter."""
    record_tolerance_ms: int = Field(HOUR_MS, ge=0)
    """How far a record may be dated ahead of the worker's clock. A replay has no such limit."""
    history_retention_ms: int = Field(400 * DAY_MS, gt=0)
    """How long an event is kept after its `occurred_at`."""
    history_cap: int = Field(10_000, gt=0)
    """How many events are kept per contact; beyond this number the oldest are dropped."""
    change_cap: int = Field(500, gt=0)
    """How many membership changes are kept per contact; beyond this number the oldest are dropped. They are
    kept for `history_retention_ms`, too."""
    email_window: BatchWindow = BatchWindow(length="P1D")
    """The batch window of e-mail unsubscribes. It has three parts: `STREAMSEG_EMAIL_WINDOW__LENGTH`
    (ISO 8601), `STREAMSEG_EMAIL_WINDOW__ALIGNMENT` (`clock` or `event`) and
    `STREAMSEG_EMAIL_WINDOW__TIMEZONE`."""
    sms_window: BatchWindow = BatchWindow(length="PT1H")
    """The batch window of SMS unsubscribes, with the same three parts."""
    max_record_bytes: int = Field(1 << 20, gt=0)
    """The size limit of a record, of a definition, and of the body of a request."""
    max_conditions: int = Field(1_000, gt=0)
    """How many conditions one definition may have. Inner conditions and the steps of sequences count too."""

    bootstrap_servers: str = "localhost:9092"
    """The brokers for the first connection, as `host:port`, separated by commas."""
    application_id: str = "streamseg"
    """The name of the installation. It is part of the names of the workers' group, changelog and own
    topics."""
    topic_prefix: str = ""
    """This text stands before the name of every topic, so that several installations can share a cluster."""
    partitions: int = Field(4, gt=0)
    """The number of partitions of the topics that are divided by contact. It is chosen once: see
    deploy/README.md."""
    replication_factor: int = Field(1, gt=0)
    """How many brokers keep each partition of the topics that `streamseg topics create` makes."""
    data_dir: Path = Path("data")
    """The folder in which the worker keeps its state. Each worker needs its own folder on a local disk."""
    layout: int | None = Field(None, ge=EARLIEST_WRITTEN, le=STATE_VERSION)
    """The layout in which state is written; docs/upgrading.md says when to raise it. Without it a state stays
    in its layout, so that the release before can read it, and new state begins in the latest layout."""
    log_format: Literal["text", "json"] = "text"
    """The form of the worker's log: lines for people, or one JSON object per line (`time`, `level`, `logger`,
    `message`, `error`)."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """Whether connections to Kafka use encryption (`SSL`) and a login (`SASL`)."""
    ssl_ca_file: Path | None = None
    """A file of PEM certificates with which the brokers' certificates are checked; without it, the system's
    certificates are used."""
    ssl_certificate_file: Path | None = None
    """A file with this worker's certificate (PEM, with those between it and its authority), for brokers that
    ask clients for one."""
    ssl_key_file: Path | None = None
    """A file with the key of that certificate (PEM, without a password)."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """The method of the login."""
    sasl_username: str | None = None
    """The user name for the login."""
    sasl_password: SecretStr | None = None
    """The password for the login. Give either this or a file."""
    sasl_password_file: Path | None = None
    """A file with the password for the login. It may be replaced while the worker runs, as may the files of
    certificates: new connections use the new one."""

    instance_id: str | None = None
    """A name that a worker keeps over restarts (static group membership). The group keeps the worker's
    partitions for it during a restart."""
    session_timeout_ms: int = Field(30_000, ge=6_000)
    """How long a worker may send nothing to the group before its partitions go to other workers."""
    accept_empty_state: bool = False
    """Whether a worker may go on without state although input was applied before. It loses what the changelog
    held; see [the runbook](../deploy/runbook.md#statecoldstart)."""
    checkpoint_records: int = Field(5_000, gt=0)
    """A checkpoint is made after this many records, or after `checkpoint_interval_ms`, whichever comes
    first."""
    checkpoint_interval_ms: int = Field(500, gt=0)
    """A checkpoint is made after this time, or after `checkpoint_records`, whichever comes first. Changes do
    not wait for a checkpoint: if the worker is not busy, they are sent within milliseconds."""
    commit_interval_ms: int = Field(500, gt=0)
    """How often offsets of checkpointed input are committed."""
    live_lag_ms: int = Field(250, ge=0)
    """How far stream time stays behind the wall clock, so that new records are applied at their own time."""
    queued_records: int = Field(5_000, gt=0)
    """How many fetched records of one topic partition may wait; beyond this number no more are fetched."""
    cache_bytes: int = Field(256 << 20, ge=1 << 20)
    """How much memory a worker uses to keep what it has read, for all its partitions together: a quarter for
    blocks of RocksDB, the rest for decoded contacts."""
    restoring_processes: int = Field(2, gt=0)
    """How many processes restore the partitions of a worker that has lost its local state, one for each core
    at most. Each takes some 200 MiB of memory meanwhile. With 1 the worker's own process does it."""
    compaction_interval_ms: int = Field(7 * DAY_MS, gt=0)
    """How often the state of a partition is compacted as a whole. After this time at the latest, values that
    were replaced or deleted, those of erased contacts too, are gone from the worker's disk."""
    start_timeout_ms: int = Field(5 * MINUTE_MS, gt=0)
    """How long a worker waits at its start if brokers, a login, rights, topics or room on its disk are
    missing."""
    clock_tolerance_ms: int = Field(MINUTE_MS, gt=0)
    """How far a worker's clock may differ from the brokers' clocks; beyond this limit it is in doubt."""
    stall_timeout_ms: int = Field(120_000, gt=0)
    """How long a worker may make no progress before `/health` answers 503."""
    http_host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside the container
    """The address at which `/health`, `/ready`, `/metrics` and the API are served."""
    http_port: int = Field(8080, ge=0, le=65_535)
    """The port at which `/health`, `/ready`, `/metrics` and the API are served; 0 takes a free port."""
    http_certificate_file: Path | None = None
    """A file with the worker's certificate (PEM, with those between it and its authority). With it, that port
    uses TLS only. It may be replaced while the worker runs."""
    http_key_file: Path | None = None
    """A file with the key of that certificate (PEM, without a password)."""
    http_ca_file: Path | None = None
    """A file of PEM certificates with which this worker checks those of other workers; without it, the
    system's certificates are used."""
    http_connections: int = Field(512, gt=0)
    """How many connections may be open at that port. For one more, the connection that has waited longest for
    its caller is closed."""
    http_connections_per_address: int = Field(256, gt=0)
    """How many of these connections may come from one address."""
    http_header_timeout_ms: int = Field(5_000, gt=0)
    """How long a caller may take to send the headers of a request."""
    http_body_timeout_ms: int = Field(30_000, gt=0)
    """How long a caller may take to send the body of a request, or may read nothing of the answer."""
    http_idle_timeout_ms: int = Field(75_000, gt=0)
    """How long a connection stays open between requests."""
    advertised_url: str | None = None
    """The address at which other workers reach this one, e.g. `http://worker-1:8080`; without it, the host
    name is used."""
    api_tokens_file: Path | None = None
    """A file with the lines that `streamseg tokens new` prints, one for each token that the API accepts. It
    is read again when it changes. Without this setting the API answers only this machine."""
    api_requests_per_second: float = Field(100.0, ge=0.0)
    """How many requests a second one account may send to a worker for long; 0: any number."""
    api_request_burst: int = Field(500, gt=0)
    """How many requests an account that was quiet may send at once, beyond that rate."""
    audit_retention_ms: int = Field(365 * DAY_MS, gt=0)
    """How long Kafka keeps the entries of the topic `audit`. After a change, change the topic too:
    `streamseg topics check` names the difference."""
    allowed_hosts: list[str] = Field(default_factory=list)
    """More host names that requests may use for this worker, besides the loopback names and the host of
    `advertised_url`. Host names are checked if no tokens are set, or if this setting is."""
    allowed_origins: list[str] = Field(default_factory=list)
    """Other origins whose pages may send requests to this worker, e.g. `https://console.example`."""
    console: bool = True
    """Whether the worker serves the console, the page for marketers; `off` removes it."""
    verify_contacts_per_second: float = Field(0.0, ge=0.0, le=1_000.0)
    """How many contacts a worker compares per second in the background, one partition after the other;
    0: none."""
    command_timeout_ms: int = Field(15_000, gt=0)
    """How long a caller of the API waits for a command, and for answers of other workers."""

    @classmethod
    def read(cls, **given: Any) -> Self:
        """Return the settings from the environment; `given` values win over it.

        Raises ConfigurationError, which names the variable of each wrong value, and each variable of an
        earlier release that would leave the worker less guarded than meant."""
        for name, instead in _REMOVED.items():
            if name in os.environ:
                raise ConfigurationError(f"{name} is not read any more; {instead}, then unset it")
        try:
            return cls(**given)
        except ValidationError as error:
            faults = [f"{_variable(path)}: {message}" for path, message in all_errors(error)]
            raise ConfigurationError("; ".join(faults)) from error
        except SettingsError as error:
            # pydantic-settings names the setting that is not JSON only in the text of its error.
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
    """Return the environment variable of a setting. A path into a window also names the window's field."""
    name, _, field = path.partition(".")
    below = f"__{field}" if field else ""
    return f"STREAMSEG_{name}{below}".upper()
