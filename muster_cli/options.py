"""What every command takes (which Muster, who asks, how it is shown), and how a command is carried out."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Concatenate

import typer

from muster_cli import outcomes
from muster_cli.asking import DeployedFunctions, Functions, Muster
from muster_cli.deployment import on_aws, on_this_machine
from muster_cli.failures import Failure
from muster_cli.screen import Screen

_WHERE = "Which Muster, and who asks"
_HOW = "How it is shown"


def functions_of(stack: str | None, profile: str | None, region: str | None, *, local: bool) -> Functions:
    """Return the functions of the stack that was named; raises `Failure`."""
    here = Path.cwd()
    place = on_this_machine(stack, here) if local else on_aws(stack, profile, region, here)
    return DeployedFunctions(place)


def _muster(
    screen: Screen,
    *,
    organization: Annotated[
        str | None,
        typer.Option(
            "--organization",
            "-o",
            envvar="MUSTER_ORGANIZATION",
            help="The organization; where there is only one, that.",
            rich_help_panel=_WHERE,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            help="Who asks, for example jane@acme.example; by default your AWS session or user.",
            rich_help_panel=_WHERE,
        ),
    ] = None,
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack",
            envvar="MUSTER_STACK",
            help="The stack's name; by default that of samconfig.toml, or muster.",
            rich_help_panel=_WHERE,
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", help="A profile of your AWS configuration.", rich_help_panel=_WHERE),
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="The AWS region of the stack.", rich_help_panel=_WHERE)
    ] = None,
    local: Annotated[
        bool,
        typer.Option(
            "--local",
            envvar="MUSTER_LOCAL",
            help="Ask the local stack that make up has started in this folder.",
            rich_help_panel=_WHERE,
        ),
    ] = False,
) -> Muster:
    """Return the Muster that the options name; raises `Failure`."""
    functions = functions_of(stack, profile, region, local=local)
    return Muster(functions, screen, organization, by)


def _screen(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the function's answer as it is.", rich_help_panel=_HOW)
    ] = False,
    detail: Annotated[
        bool, typer.Option("--detail", help="Show all that is known.", rich_help_panel=_HOW)
    ] = False,
) -> Screen:
    """Return the screen that the options ask for."""
    return Screen(as_json=as_json, detail=detail)


_OF_MUSTER = [each for each in inspect.signature(_muster).parameters.values() if each.name != "screen"]
_OF_SCREEN = list(inspect.signature(_screen).parameters.values())


def add_command(app: typer.Typer, name: str, function: Callable[Concatenate[Muster, ...], int]) -> None:
    """Make a function a command of `app`: it is given Muster, and returns the exit code.

    Its docstring is its help; what every command takes is added to its own options.
    """
    _, *own = inspect.signature(function).parameters.values()

    def run(**given: Any) -> None:
        screen = _screen(**{each.name: given.pop(each.name) for each in _OF_SCREEN})
        of_muster = {each.name: given.pop(each.name) for each in _OF_MUSTER}
        # What is left are the command's own options, by the names that its signature has.
        raise typer.Exit(_ended(screen, lambda: function(_muster(screen, **of_muster), **given)))

    options = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *_OF_MUSTER, *_OF_SCREEN)]
    run.__doc__ = function.__doc__
    run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]  # what typer reads
    run.__annotations__ = {each.name: each.annotation for each in options}
    app.command(name)(run)


def _ended(screen: Screen, carry_out: Callable[[], int]) -> int:
    """Return the exit code of what is carried out; what kept it from that is told."""
    try:
        return carry_out()
    except Failure as failure:
        screen.tell(failure.message, failure.remedy)
        return outcomes.FAILED
    except KeyboardInterrupt:
        screen.tell(
            "Stopped waiting.",
            "What was asked for may still be carried out: muster runs shows how runs stand.",
        )
        return outcomes.INTERRUPTED
