"""`streamseg state`: export and import the state of all contacts."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from agents.commands.frame import AsJson, Bootstrap, Timeout, errors_shown, settings_from
from agents.export.erasures import read_erasures
from agents.export.exporting import Export
from agents.export.importing import Import, Wanted
from agents.worker.data_folder import PRIVATE_UMASK
from streamseg import __version__
from streamseg.cli.terminal import echo, echo_json
from streamseg.errors import ConfigurationError
from streamseg.export.files import check_files, keep_newest, new_name
from streamseg.export.manifest import Manifest

state = typer.Typer(
    name="state",
    help="Export the state of all contacts to files, and import it: after a loss, under a new application "
    "id, or into another number of partitions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_ENOUGH = 1_000


@state.command("export")
def export_state(
    to: Annotated[
        Path,
        typer.Option(
            "--to",
            metavar="DIR",
            help="The folder for the files, new or empty, e.g. --to /backup/june. They hold personal data.",
        ),
    ],
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            min=1,
            metavar="N",
            help="Make a folder named by the time below DIR, and delete all but the N newest, e.g. --keep 7.",
            show_default=False,
        ),
    ] = None,
    bootstrap: Bootstrap = None,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Write the state of all contacts, the definitions and the catalogue to files.

    Reads the topics; workers go on and are not asked. Each partition is as of one moment. Needs free disk of
    about the size of the state. docs/state-format.md describes the files.

    The exit status is 1 if Kafka cannot be read or the files cannot be written. A folder without
    manifest.json is not complete.

    Example: streamseg state export --to /backup --keep 7
    """
    os.umask(PRIVATE_UMASK)
    with errors_shown():
        settings = settings_from(bootstrap)
        began, now_ms = time.monotonic(), time.time_ns() // 1_000_000
        folder = to if keep is None else to / new_name(now_ms)
        export = Export(
            settings, folder, made_at_ms=now_ms, release=__version__, progress=_progress, timeout=timeout
        )
        manifest = export.run()
        if keep is not None:
            keep_newest(to, keep)
        took = _took(time.monotonic() - began, manifest.count)
        if as_json:
            echo_json({"folder": str(folder), "contacts": manifest.count, **took}, indented=True)
        else:
            echo(f"exported {manifest.count:,} contacts to {folder} in {_in_words(took)}")


@state.command("import")
def import_state(
    source: Annotated[
        Path, typer.Option("--from", metavar="DIR", help="The folder of an export, e.g. /backup/2026-06-01.")
    ],
    erasures: Annotated[
        Path | None,
        typer.Option(
            "--erasures",
            metavar="FILE",
            help="The erasures since the export: a ContactUpdate with deleted: true on each line.",
            show_default=False,
        ),
    ] = None,
    no_erasures: Annotated[
        bool, typer.Option("--no-erasures", help="No contact was erased since the export.")
    ] = False,
    accept_lost_input: Annotated[
        bool,
        typer.Option(
            "--accept-lost-input",
            help="Go on although the source topics no longer hold all records since the export.",
        ),
    ] = False,
    bootstrap: Bootstrap = None,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Read an export into an installation without state: STREAMSEG_APPLICATION_ID must be a new one.

    The topics must exist (streamseg topics create), and no worker may run. If the source topics are those of
    the export, workers go on where the export ended. If they are new, the input begins at their first
    record, and STREAMSEG_PARTITIONS may differ. Needs disk in the folder for temporary files (TMPDIR), some
    200 bytes for each membership.

    The exit status is 1 if the import is refused or fails. After a failure: streamseg reset, then again.

    Example: STREAMSEG_APPLICATION_ID=streamseg-2 streamseg state import --from /backup/2026-06-01
    """
    os.umask(PRIVATE_UMASK)
    with errors_shown():
        if erasures is not None and no_erasures:
            raise ConfigurationError("--erasures and --no-erasures contradict each other; give one of them")
        settings = settings_from(bootstrap)
        stated = read_erasures(erasures) if erasures is not None else () if no_erasures else None
        work = Path(tempfile.mkdtemp(prefix="streamseg-import-"))
        began = time.monotonic()
        try:
            wanted = Wanted(stated, accept_lost_input)
            imported = Import(
                settings, source, wanted, work=work / "published", progress=_progress, timeout=timeout
            ).run()
        finally:
            shutil.rmtree(work, ignore_errors=True)
        took = _took(time.monotonic() - began, imported.contacts)
        if as_json:
            echo_json({**imported._asdict(), **took}, indented=True)
        else:
            fresh = f"; {', '.join(imported.new)} begin at their first record" if imported.new else ""
            echo(f"imported {imported.contacts:,} contacts in {_in_words(took)}{fresh}")


@state.command()
def check(
    source: Annotated[
        Path, typer.Option("--from", metavar="DIR", help="The folder of an export, e.g. /backup/2026-06-01.")
    ],
) -> None:
    """Check that an export is complete and as it was written. Needs no brokers.

    Example: streamseg state check --from /backup/2026-06-01
    """
    with errors_shown():
        manifest = Manifest.read(source)
        check_files(source, manifest)
        echo(f"{source} is complete: {manifest.count:,} contacts as of {manifest.made_at}")


def _progress(words: str) -> None:
    echo(words, err=True)


def _took(seconds: float, contacts: int) -> dict[str, float | None]:
    # Fewer contacts than this say nothing about a million.
    minutes = round(seconds / 60 / contacts * 1e6, 1) if contacts >= _ENOUGH else None
    return {"seconds": round(seconds, 1), "minutes_per_million_contacts": minutes}


def _in_words(took: dict[str, float | None]) -> str:
    minutes = took["minutes_per_million_contacts"]
    return f"{took['seconds']} s" + (f" ({minutes} minutes per million contacts)" if minutes else "")
