"""What a leaver had requested is requested again for who comes back (G11, W8)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.roster.engage_state import NO_ENGAGE, Engage
from muster.roster.former_groups import with_former_groups
from muster.roster.member import Member
from tests.examples import settings
from tests.members import changed

ACME = settings(
    assignments=[
        {"name": "Sales", "update_mode": "automatic", "engage": {"group": "DE"}},
        {"name": "Support", "update_mode": "manual", "engage": {"group": "DE"}},
    ]
)
IN_UK = Engage("UK", "success", "UK")
BY_HAND = {"engage.request": "manual:jane"}
IN_CRM = {"engage.request": "crm"}
KEPT = {"engage": {"group": "UK", "origin": "manual:jane"}}
IN_VAULT = {"vault_crm": {"id": "10042"}}


def member(**attributes: Any) -> Member:
    return changed(Member(id="ada", organization="acme", crm=IN_VAULT), **attributes)


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ({"engage": IN_UK, "origins": BY_HAND}, KEPT),
        (
            {"engage": IN_UK, "origins": {"engage.request": "crm"}},
            {"engage": {"group": "UK", "origin": "crm"}},
        ),
        # What an assignment gave, it gives again; and what was not wished for is not kept.
        ({"engage": IN_UK}, None),
        ({"engage": replace(IN_UK, request=None), "origins": BY_HAND}, None),
    ],
)
def test_who_leaves_has_what_was_requested_kept(before: dict[str, Any], kept: dict[str, Any] | None) -> None:
    left = with_former_groups(member(active=True, **before), member(active=False), ACME)
    assert left.vault.to_json().get("former") == kept
    assert left.engage.request is None
    assert with_former_groups(left, left, ACME) == left


@pytest.mark.parametrize(
    ("back", "request_of"),
    [
        ({}, ("UK", "manual:jane")),
        # An assignment goes before what was requested by hand.
        ({"engage": replace(NO_ENGAGE, request="DE"), "assignment": "Support"}, ("DE", None)),
        ({"assignment": "Sales"}, (None, None)),
    ],
)
def test_who_comes_back_has_it_requested_again_once(
    back: dict[str, Any], request_of: tuple[str | None, str | None]
) -> None:
    left = member(active=False, vault={"former": KEPT})
    returned = with_former_groups(left, replace(left, active=True, **back), ACME)
    assert (returned.engage.request, returned.origins.get("engage.request")) == request_of
    assert "former" not in returned.vault.to_json()
