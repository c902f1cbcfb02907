"""set and groups: members changed by hand, and Engage groups asked for."""

from typing import Annotated, Any

import typer

from muster_cli.asking import Muster
from muster_cli.failures import Failure

MEMBERS, GROUPS = "MemberSettingsFunction", "GroupAssignmentFunction"
_NOBODY = "none"

Members = Annotated[
    list[str], typer.Argument(metavar="MEMBER", help="E-mail addresses, usernames, member ids or CRM ids.")
]
Feature = Annotated[str, typer.Option("--feature", help="engage or engage_connect.")]


def set_(  # noqa: PLR0913 - one parameter an option
    to: Muster,
    members: Members,
    *,
    seats: Annotated[
        str | None, typer.Option("--seats", help="The seats to hold, with commas; none for none.")
    ] = None,
    workspace: Annotated[
        list[str] | None,
        typer.Option("--workspace", metavar="NAME=PROFILE", help="A workspace; NAME=none takes it away."),
    ] = None,
    capture: Annotated[
        list[str] | None,
        typer.Option(
            "--capture",
            metavar="SETTING=VALUE",
            help="Data capture: enabled, disabled, prevented, or none for the assignment's.",
        ),
    ] = None,
    end_date: Annotated[
        str | None, typer.Option("--end-date", help="The last day, as 2026-12-31; none for none.")
    ] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="The CRM user status: active, inactive or none.")
    ] = None,
    manager: Annotated[
        str | None, typer.Option("--manager", help="The manager, a member; none for none.")
    ] = None,
    as_manager: Annotated[
        bool, typer.Option("--as-manager", help="As a manager's own wish about a direct report.")
    ] = False,
) -> int:
    """Change settings of members by hand; several members are changed in the same way.

    Example: muster set ada@acme.example --end-date 2026-12-31
    """
    change: dict[str, Any] = {}
    if seats is not None:
        change["seats"] = [] if seats == _NOBODY else [name.strip() for name in seats.split(",")]
    if workspace:
        change["workspaces"] = _pairs("--workspace", workspace)
    if capture:
        change["data_capture"] = _pairs("--capture", capture)
    for name, value in (("end_date", end_date), ("crm_user_status", status), ("manager", manager)):
        if value is not None:
            change[name] = _or_nothing(value)
    changes = [{"member": member, **change} for member in members]
    return to.show(to.sign(MEMBERS, changes=changes, **({"as": "manager"} if as_manager else {})))


def assign(
    to: Muster,
    members: Members,
    *,
    group: Annotated[str, typer.Option("--group", help="The group's name in Engage.")],
    feature: Feature = "engage",
) -> int:
    """Ask for an Engage group for members; the next push sends it.

    Example: muster groups assign ada@acme.example --group "UK Field Force"
    """
    return _requested(to, members, action="assign", feature=feature, group=group)


def remove(to: Muster, members: Members, *, feature: Feature = "engage") -> int:
    """Take members out of their Engage group."""
    return _requested(to, members, action="remove", feature=feature)


def retry(to: Muster, members: Members, *, feature: Feature = "engage") -> int:
    """Have what Vault CRM refused sent once more."""
    return _requested(to, members, action="retry", feature=feature)


def _requested(to: Muster, members: list[str], **request: str) -> int:
    return to.show(to.sign(GROUPS, requests=[{"member": member, **request} for member in members]))


def _pairs(option: str, given: list[str]) -> dict[str, str | None]:
    found = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise Failure(f"{option} {pair} is not NAME=VALUE.", "Write, for example, EMEA=Manager.")
        found[name] = _or_nothing(value)
    return found


def _or_nothing(value: str) -> str | None:
    return None if value == _NOBODY else value
