"""`streamseg segments`: all its commands."""

from __future__ import annotations

import typer

from streamseg.cli import segment_changes, segment_contacts, segment_versions, segment_views, segment_watch
from streamseg.cli.apply import apply
from streamseg.cli.segment_recount import recount
from streamseg.cli.session import connected

segments = typer.Typer(
    name="segments",
    help="List, make, change and look into segments, over a worker's API.",
    no_args_is_help=True,
)
segments.command("list")(connected(segment_views.list_segments))
segments.command("show")(connected(segment_views.show))
segments.command("create")(connected(segment_changes.create))
segments.command("edit")(connected(segment_changes.edit))
segments.command("copy")(connected(segment_changes.copy))
segments.command("delete")(connected(segment_changes.delete))
segments.command("versions")(connected(segment_versions.versions))
segments.command("revert")(connected(segment_versions.revert))
segments.command("restore")(connected(segment_versions.restore))
segments.command("move")(connected(segment_changes.move))
segments.command("share")(connected(segment_changes.share))
segments.command("calculate")(connected(segment_changes.calculate))
segments.command("recount")(connected(recount))
segments.command("contacts")(connected(segment_contacts.contacts))
segments.command("growth")(connected(segment_contacts.growth))
segments.command("explain")(connected(segment_contacts.explain))
segments.command("changes")(connected(segment_watch.changes))
segments.command("preview")(connected(segment_contacts.preview))
segments.command("apply")(connected(apply))
