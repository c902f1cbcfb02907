"""Who is closed by hand leaves Vault CRM with the next push, and comes back with what stands (G7, A16)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.engage.licences import Licences

PAST = "2026-01-31"


def active_in_vault(licences: Licences, person: str) -> bool:
    return bool(licences.vault.user(person)["status__v"] == ["active__v"])


@pytest.mark.parametrize("imports_between", [0, 1])
@pytest.mark.parametrize(
    ("closes", "opens"),
    [
        ({"end_date": PAST}, {"end_date": None, "crm_user_status": "active"}),
        ({"crm_user_status": "inactive"}, {"crm_user_status": "active"}),
    ],
)
def test_groups_go_with_the_next_push_and_come_back_with_the_member(
    licences: Licences, closes: dict[str, Any], opens: dict[str, Any], imports_between: int
) -> None:
    ada = licences.person()
    licences.imported()
    licences.ask(ada)
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")
    licences.edit(ada, **closes)
    assert not licences.member(ada)["active"]
    licences.push()
    assert licences.status(ada)[2] is None
    assert not active_in_vault(licences, ada)
    for _ in range(imports_between):
        licences.imported()
    licences.edit(ada, **opens)
    # Nothing is given before Salesforce has been asked.
    licences.push()
    assert (licences.status(ada)[2], active_in_vault(licences, ada)) == (None, False)
    licences.imported("incremental")
    licences.push()
    licences.push()
    assert (licences.status(ada), active_in_vault(licences, ada)) == (("UK", "success", "UK"), True)


def test_an_end_date_that_passed_lets_its_user_be_active_again_for_who_comes_back(
    licences: Licences, pass_time: Callable[[timedelta], None]
) -> None:
    ada = licences.person()
    licences.imported()
    licences.edit(ada, end_date=datetime.now(UTC).date().isoformat())
    pass_time(timedelta(days=2))
    licences.imported("incremental")
    licences.push()
    member = licences.member(ada)
    assert (member["inactive_reason"], member["crm_user_status"]) == ("end_date", "inactive")
    crm_id = member["crm"]["salesforce"]["id"]
    licences.company.salesforce.update(crm_id, IsActive=False)
    licences.imported("incremental")
    licences.company.salesforce.update(crm_id, IsActive=True)
    licences.imported("incremental")
    back = licences.member(ada)
    assert (back["active"], back["end_date"], back["crm_user_status"]) == (True, None, "active")
    licences.push()
    assert active_in_vault(licences, ada)
