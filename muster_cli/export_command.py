"""export: what was asked for as a file, fetched by the link that the function answers."""

import shutil
import urllib.request
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any

import typer

from muster_cli import outcomes
from muster_cli.asking import Answer, Muster
from muster_cli.failures import Failure

_PATIENCE_S = 60
_WEB = ("https://", "http://127.0.0.1:", "http://localhost:")


def export(
    to: Muster,
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="roster, seats, licences, changes, differences, errors.")
    ],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", help="The file to write; without it, only the link is shown.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Changes from then on: a day, a moment, yesterday, 24 h.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Changes until then.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="Members as they were at that moment.")] = None,
) -> int:
    """Export the roster, seats, licences, changes, differences or errors as CSV.

    Example: muster export roster --output roster.csv
    """
    answer = to.query("export", what=what, format="csv", since=since, until=until, at=at)
    code = to.show(answer)
    if output and code == outcomes.DONE:
        _fetch(_link(answer), output)
        to.screen.note(f"Written to {output}.")
    return code


def _link(answer: Answer) -> str:
    """Return the address of the file, the only one that the answer has."""
    values: list[Any] = list(answer.values())
    links = [value for value in values if isinstance(value, str) and value.startswith(_WEB)]
    if len(links) != 1:
        raise Failure("The answer has no link to a file.", "Deploy the stack again if it is older than this.")
    return links[0]


def _fetch(link: str, output: Path) -> None:
    """Write what the link leads to; the file is there whole, or as it was."""
    part = output.with_name(f"{output.name}.part")
    try:
        opened = urllib.request.urlopen(link, timeout=_PATIENCE_S)  # noqa: S310 - of the web alone, see _link
        with closing(opened) as source, part.open("wb") as written:
            shutil.copyfileobj(source, written)
        # Read piece by piece, an answer that breaks off looks like one that ends.
        if part.stat().st_size != int(opened.headers["Content-Length"] or 0):
            raise OSError("the answer broke off")
        part.replace(output)
    except (OSError, HTTPException) as error:
        part.unlink(missing_ok=True)
        raise Failure(
            f"{output} cannot be written: {error}", "The link in the answer is good for an hour."
        ) from error
