"""The commands put together, and the script's way in."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from muster import __version__
from muster_cli import (
    account_commands,
    connection_commands,
    event_commands,
    export_command,
    file_commands,
    member_commands,
    outcomes,
    roster_commands,
    run_commands,
    settings_commands,
)
from muster_cli.options import add_command

_HELP = """Ask Muster: users and licences, in step with Salesforce and Vault CRM.

It asks the functions of your stack, signed in to AWS as you are. Exit codes: 0 done, 1 refused or failed,
2 changes planned (plan), 3 it waits for approval.

    muster health

    muster changes --since yesterday

    muster plan acme.yaml

Every command: muster COMMAND --help.
"""


def _version(shown: bool) -> None:
    if shown:
        typer.echo(__version__)
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version, and end.")
    ] = False,
) -> None:
    """Take what comes before a command."""


def _app(name: str | None = None, help: str | None = None) -> typer.Typer:
    return typer.Typer(name=name, help=help, no_args_is_help=True, pretty_exceptions_enable=False)


def build() -> typer.Typer:
    """Return the application with all its commands, in the order in which help lists them."""
    app = _app(help=_HELP)
    app.callback(help=_HELP)(_root)
    settings = _app("settings", "The settings in force, their versions, and one of them again.")
    groups = _app("groups", "Engage groups, asked for and taken away by hand.")
    accounts = _app("accounts", "Accounts in apps that were there before: whose they are.")
    webhook = _app("webhook", "The outbound message and the flow in Salesforce.")
    for to, name, function in (
        (app, "health", roster_commands.health),
        (app, "changes", roster_commands.changes),
        (app, "explain", roster_commands.explain),
        (app, "list", roster_commands.list_),
        (app, "member", roster_commands.member),
        (app, "history", roster_commands.history),
        (app, "as-of", roster_commands.as_of),
        (app, "diff", roster_commands.diff),
        (app, "seats", roster_commands.seats),
        (app, "licences", roster_commands.licences),
        (app, "errors", roster_commands.errors),
        (app, "organizations", roster_commands.organizations),
        (app, "export", export_command.export),
        (app, "plan", settings_commands.plan),
        (app, "apply", settings_commands.apply),
        (app, "validate", settings_commands.validate),
        (settings, "get", settings_commands.get),
        (settings, "history", settings_commands.history),
        (settings, "restore", settings_commands.restore),
        (app, "import", run_commands.import_),
        (app, "push", run_commands.push),
        (app, "runs", run_commands.runs),
        (app, "run", run_commands.run),
        (app, "replay", run_commands.replay),
        (app, "approve", run_commands.approve),
        (app, "reject", run_commands.reject),
        (app, "resume", run_commands.resume),
        (app, "undo", run_commands.undo),
        (app, "set", member_commands.set_),
        (app, "set-file", file_commands.set_file),
        (groups, "assign", member_commands.assign),
        (groups, "remove", member_commands.remove),
        (groups, "retry", member_commands.retry),
        (groups, "file", file_commands.groups_file),
        (accounts, "adopt", account_commands.adopt),
        (accounts, "ignore", account_commands.ignore),
        (accounts, "reconsider", account_commands.reconsider),
        (app, "resend-events", event_commands.resend_events),
        (app, "preflight", connection_commands.preflight),
        (webhook, "status", connection_commands.status),
        (webhook, "install", connection_commands.install),
        (webhook, "refresh", connection_commands.refresh),
        (webhook, "rotate-token", connection_commands.rotate_token),
        (webhook, "remove", connection_commands.remove),
    ):
        add_command(to, name, function)
    for group in (settings, groups, accounts, webhook):
        app.add_typer(group)
    return app


def main() -> None:
    """Carry out what the command line says, and end with its exit code; never with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = build()(standalone_mode=False)
    except typer.Abort:
        code = outcomes.FAILED
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in a line
        if show := getattr(error, "show", None):
            # The command line is wrong. That is 1, for 2 is said of plans.
            show()
        else:
            print(f"muster has broken off: {type(error).__name__}: {error}", file=sys.stderr)
            print("  What was sent may have been carried out: see muster runs.", file=sys.stderr)
        code = outcomes.FAILED
    sys.exit(code)
