"""`streamseg topics`: create the topics, report how they differ from what the workers need, or print the
rights on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from agents.commands.frame import AsJson, Bootstrap, Timeout, errors_shown, settings_from
from agents.kafka.rights import CAMPAIGN_GROUP, Role, acl_commands, rights
from agents.kafka.topics import required_topics
from agents.kafka.topics_admin import Finding, TopicsAdmin
from streamseg.cli.terminal import TerminalConsole, echo, echo_json
from streamseg.settings import Settings

topics = typer.Typer(
    name="topics",
    help="Create or check the Kafka topics, or print the rights on them. Names, partitions and copies come "
    "from STREAMSEG_TOPIC_PREFIX, STREAMSEG_APPLICATION_ID, STREAMSEG_PARTITIONS and "
    "STREAMSEG_REPLICATION_FACTOR.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@topics.command()
def create(bootstrap: Bootstrap = None, as_json: AsJson = False, timeout: Timeout = 30.0) -> None:
    """Create the topics that are missing; topics that exist are left as they are.

    The exit status is 1 if Kafka cannot be reached or refuses, and if a topic exists with another number of
    partitions: that cannot be corrected in place, and workers would not find their contacts.

    Example: STREAMSEG_PARTITIONS=12 streamseg topics create --bootstrap kafka-1:9092
    """
    with errors_shown():
        settings = settings_from(bootstrap)
        findings = TopicsAdmin(settings, timeout=timeout).create(required_topics(settings))
        _show(findings, settings, as_json=as_json)
    if any(finding.partitions_differ for finding in findings):
        raise typer.Exit(1)


@topics.command()
def check(bootstrap: Bootstrap = None, as_json: AsJson = False, timeout: Timeout = 30.0) -> None:
    """Compare the topics on the broker with what the workers need; change nothing.

    The exit status is 1 if a topic is missing or differs, and if Kafka cannot be reached.

    Example: streamseg topics check --json
    """
    with errors_shown():
        settings = settings_from(bootstrap)
        findings = TopicsAdmin(settings, timeout=timeout).check(required_topics(settings))
        _show(findings, settings, as_json=as_json)
    if not all(finding.right for finding in findings):
        raise typer.Exit(1)


@topics.command()
def acls(
    bootstrap: Bootstrap = None,
    role: Annotated[
        Role,
        typer.Option(
            "--role",
            help="Who gets the rights: a worker; whoever runs topics create; an operator, who runs topics "
            "check, diagnose, verify and record; an eraser, who runs dead-letters erase; backup, for state "
            "export; restore, for state import and reset; a tracker, which writes contacts and events; an "
            "auditor, who reads the audit; a campaign engine, which reads memberships.",
        ),
    ] = Role.WORKER,
    principal: Annotated[
        str,
        typer.Option(
            "--principal",
            metavar="TYPE:NAME",
            help="The user as the brokers know it, e.g. --principal User:streamseg.",
        ),
    ] = "User:streamseg",
    group: Annotated[
        str,
        typer.Option(
            "--group", metavar="NAME", help="The consumer group of a campaign engine, e.g. --group mails."
        ),
    ] = CAMPAIGN_GROUP,
    command_config: Annotated[
        str | None,
        typer.Option(
            "--command-config",
            metavar="FILE",
            help="A file with the login of whoever runs the lines, e.g. --command-config admin.properties.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print the commands that grant the rights on Kafka which a role needs, and no others; change nothing.

    They run Kafka's own kafka-acls. Needs no brokers.

    Example: streamseg topics acls --role worker --principal User:streamseg | sh
    """
    with errors_shown():
        settings = settings_from(bootstrap)
        needed = rights(settings, role, campaign_group=group)
        for line in acl_commands(
            needed, principal, settings.bootstrap_servers, command_config=command_config
        ):
            echo(line)


def _show(findings: Sequence[Finding], settings: Settings, *, as_json: bool) -> None:
    if as_json:
        echo_json(report(findings, settings), indented=True)
        return
    table = Table(title=f"Topics at {settings.bootstrap_servers}", title_justify="left")
    for heading in ("Topic", "Partitions", "Cleanup", "State", "Differences"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "Partitions" else "left")
    for finding in findings:
        colour = "green" if finding.right else "red"
        table.add_row(
            finding.topic.name,
            str(finding.topic.partitions),
            finding.topic.config["cleanup.policy"],
            f"[{colour}]{finding.state}[/]",
            "\n".join(f"{each.setting}: {each.found}, not {each.required}" for each in finding.differences),
        )
    TerminalConsole().print(table)


def report(findings: Sequence[Finding], settings: Settings) -> dict[str, object]:
    """Return the findings in the form of `--json`."""
    return {
        "bootstrap": settings.bootstrap_servers,
        "ok": all(finding.right for finding in findings),
        "topics": [
            {
                "topic": finding.topic.name,
                "state": finding.state.value,
                "partitions": finding.topic.partitions,
                "replication_factor": finding.topic.replication_factor,
                "config": dict(finding.topic.config),
                "differences": [
                    {"setting": each.setting, "required": each.required, "found": each.found}
                    for each in finding.differences
                ],
            }
            for finding in findings
        ],
    }
