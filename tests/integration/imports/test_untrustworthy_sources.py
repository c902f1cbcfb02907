"""A source that lies, breaks off or comes short: nobody is deactivated, and one notice says so (I4)."""

import itertools
from typing import Any

import pytest
from requests import PreparedRequest, Response

from muster import bootstrap
from muster.adapters.salesforce import client
from muster.crm.salesforce_ids import to_18
from muster.errors import Incomplete, Misconfigured, MusterError, Unavailable
from sandbox.salesforce import query
from tests.integration.beginnings import Built, begin
from tests.integration.company import Company

QUERY = "/services/data/v66.0/query"
PEOPLE = 14
FILTER = "Department = 'Sales'"


@pytest.fixture
def staffed(company: Company, built: Built, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Return Acme with enough people for three pages of users and two of a filter, all imported."""
    monkeypatch.setattr(client, "ROWS_A_PAGE", 5)
    monkeypatch.setattr(query, "SMALLEST_PAGE", 5)
    begin(company, built, staff)
    return company


def staff(company: Company) -> None:
    company.salesforce.create_many(PEOPLE, Department=["Sales", "Support"])
    company.put(
        seats={},
        seat_required={},
        assignments=[
            {"name": "Sales", "filter": FILTER},
            {"name": "Support", "filter": "Department = 'Support'"},
        ],
    )
    assert company.run()["counts"] == {"created": PEOPLE}


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        *(
            pytest.param(
                [{"fault": fault, "after": call, "count": 9}], Unavailable, id=f"{fault} at call {call}"
            )
            for fault in ("truncate", "html", "empty", "short_page", "duplicate_rows", "no_rows")
            for call in range(4)
        ),
        pytest.param([{"fault": "early_done", "count": 1}], Incomplete, id="done too early"),
        pytest.param([{"fault": "foreign_next", "count": 1}], Unavailable, id="another host's next page"),
        pytest.param(
            [{"fault": "omit_field", "field": "Email", "count": 1}], Incomplete, id="a missing field"
        ),
        pytest.param([{"fault": "status", "status": 503, "count": 99}], Unavailable, id="503 for ever"),
        pytest.param([{"fault": "status", "status": 403, "count": 99}], Unavailable, id="no calls left"),
        pytest.param(
            [{"path": "/services/oauth2", "fault": "status", "status": 400, "count": 99}],
            Misconfigured,
            id="no login",
        ),
    ],
)
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_nothing_rests_on_a_source_that_cannot_be_trusted(
    staffed: Company, mode: str, faults: list[dict[str, Any]], error: type[MusterError]
) -> None:
    before, notices = staffed.items(), len(staffed.errors())
    for crm_id in itertools.islice(staffed.active(), 3):
        staffed.salesforce.update(crm_id, Title="Changed")
    staffed.salesforce.faults(*({"path": QUERY, **fault} for fault in faults))
    bootstrap.salesforce.cache_clear()
    try:
        said = staffed.run(mode)
    except error:
        assert staffed.items() == before
        (notice, *_) = staffed.errors()
        assert len(staffed.errors()) == notices + 1
        assert notice["code"] == "import_failed"
        assert notice["message"]
        (run, *_), _ = bootstrap.run_table().runs("acme", 1, None)
        assert run.status == "failed"
    else:
        # An empty filter looks like one that nobody matches: then the guard holds. And the few that had
        # changed may have been read in calls that the fault did not reach.
        assert said["status"] == "parked" or mode == "incremental"
        assert staffed.active() == set(staffed.roster())
    staffed.salesforce.faults()
    assert staffed.run("full")["status"] == "succeeded"
    assert len(staffed.active()) == PEOPLE


def test_fewer_users_than_the_guard_allows_are_no_reason_to_deactivate(staffed: Company) -> None:
    gone = sorted(staffed.active())[:6]
    staffed.salesforce.call("POST", "/sandbox/users/vanish", {"ids": gone})
    with pytest.raises(Incomplete, match="fewer by more than the guard allows"):
        staffed.run()
    assert len(staffed.active()) == PEOPLE


def test_a_few_who_vanish_stay_as_they_are_and_are_told_of(staffed: Company) -> None:
    gone = sorted(staffed.active())[:3]
    staffed.salesforce.call("POST", "/sandbox/users/vanish", {"ids": gone})
    said = staffed.run()
    assert said["status"] == "succeeded_with_errors"
    assert len(staffed.active()) == PEOPLE
    assert "shows 3 fewer than it should" in staffed.errors()[0]["message"]


def test_users_who_vanish_between_two_pages_stop_the_run(staffed: Company) -> None:
    org = staffed.salesforce
    gone = sorted(staffed.active())[-1:]

    def vanish(request: PreparedRequest, answer: Response) -> None:
        if QUERY in str(request.url):
            org.call("POST", "/sandbox/users/vanish", {"ids": gone})

    org.wire.after = vanish
    with pytest.raises(Incomplete, match="announced 14 rows of users and showed"):
        staffed.run()
    assert len(staffed.active()) == PEOPLE


def test_credentials_of_another_org_are_not_used(staffed: Company) -> None:
    connection = {**staffed.salesforce.connection, "organization_id": to_18("00D000000000099")}
    staffed.put_and_approve(connections={"salesforce": connection})
    with pytest.raises(Misconfigured, match="another Salesforce org"):
        staffed.run()
    assert len(staffed.active()) == PEOPLE


def test_a_broken_filter_that_would_shut_everyone_out_is_parked(staffed: Company) -> None:
    staffed.salesforce.call(
        "POST", "/sandbox/faults", [{"path": QUERY, "fault": "no_rows", "after": 4, "count": 1}]
    )
    said = staffed.run()
    assert said["status"] == "parked", said
    assert len(staffed.active()) == PEOPLE
