"""Preflight of Salesforce: both ways to log in, the right org, who and what can be read, filters (U4)."""

import io
import json
from typing import Any

import pytest
import requests
from aws_lambda_powertools.utilities.typing import LambdaContext
from cryptography.hazmat.primitives.asymmetric import rsa
from urllib3 import HTTPResponse

from sandbox.salesforce.errors import SalesforceError
from tests.doubles.acme import Acme, acme_in_process, named, row_of, rows
from tests.doubles.credentials import public_pem

DATA = "/services/data/v66.0"
SALES = {"name": "Sales", "filter": "Department = 'Sales'"}
BROKEN = {"name": "Broken", "filter": "Departmnt = 'Sales'"}
EVERYONE = {"name": "Everyone"}


def test_the_whole_list_is_checked_in_few_calls(acme: Acme) -> None:
    acme.put(assignments=[SALES, EVERYONE])
    acme.calls("salesforce")
    said = acme.check("salesforce")
    assert said["status"] == "succeeded"
    assert {row["check"] for row in rows(said)} == {
        *("secret", "reachable", "login", "right organization", "version", "API access"),
        *("credentials expiry", "reads all users", "fields", "filter of Sales", "daily API calls"),
        "frozen users",
    }
    assert acme.calls("salesforce") == [
        ("GET", "/services/data/"),
        ("POST", "/services/oauth2/token"),
        ("GET", f"{DATA}/sobjects/User/describe"),
        ("GET", f"{DATA}/query"),
        ("POST", f"{DATA}/composite/batch"),
    ]


# ── The way in ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "code"),
    [({"client_id": "x"}, "invalid_client_id"), ({"client_secret": "x"}, "invalid_client:")],
)
def test_refused_client_credentials_fail_with_what_that_flow_needs(
    acme: Acme, change: dict[str, str], code: str
) -> None:
    acme.write_secret("salesforce", json.dumps(json.loads(acme.salesforce.secret) | change))
    said = acme.check("salesforce")
    assert named(said, "failed") == {"login"}
    assert code in row_of(said, "login")["found"]
    assert "Run As" in row_of(said, "login")["remedy"]
    assert named(said, "passed") == {"secret", "reachable", "version", "credentials expiry"}


def test_the_jwt_bearer_flow_needs_a_key_that_salesforce_knows(
    acme: Acme, keys: list[rsa.RSAPrivateKey]
) -> None:
    right, other, _ = keys
    acme.salesforce.organization.upload_jwt_key(public_pem(right))
    acme.put(connections=acme.connections(salesforce={"login": "jwt_bearer"}))
    said = acme.check("salesforce")
    assert named(said, "failed") == {"secret"}
    assert "lacks username, private_key" in row_of(said, "secret")["found"]
    acme.write_secret("salesforce", acme.jwt_secret(other))
    said = acme.check("salesforce")
    assert named(said, "failed") == {"login"}
    assert "certificate of private_key" in row_of(said, "login")["remedy"]
    acme.write_secret("salesforce", acme.jwt_secret(right))
    assert acme.check("salesforce")["status"] == "succeeded"


def test_another_org_is_told_apart_from_a_refused_login(acme: Acme) -> None:
    acme.put(connections=acme.connections(salesforce={"organization_id": "00D000000000062EAA"}))
    said = acme.check("salesforce")
    assert named(said, "failed") == {"right organization"}
    assert {"secret", "reachable", "login", "version"} <= named(said, "passed")
    assert "connections.salesforce.organization_id" in row_of(said, "right organization")["remedy"]


def test_a_version_that_is_not_served_fails_with_those_that_are(acme: Acme) -> None:
    acme.put(connections=acme.connections(salesforce={"api_version": "59.0"}))
    said = acme.check("salesforce")
    assert named(said, "failed") == {"version"}
    assert row_of(said, "version")["found"] == "59.0 is not served; the newest are 65.0, 66.0, 67.0"
    assert {"login", "right organization"} <= named(said, "passed")
    assert {"API access", "fields", "reads all users"} <= named(said, "could_not_check")


def test_without_the_permission_api_enabled_api_access_fails(acme: Acme) -> None:
    body = b'[{"errorCode": "API_DISABLED_FOR_ORG", "message": "API is not enabled for this user"}]'

    def refused(request: requests.PreparedRequest, answer: requests.Response) -> None:
        if DATA in str(request.url):
            answer.status_code = 403
            answer.raw = HTTPResponse(io.BytesIO(body), preload_content=False, status=403)

    acme.wires["salesforce"].after = refused
    said = acme.check("salesforce")
    assert named(said, "failed") == {"API access"}
    assert "API Enabled" in row_of(said, "API access")["remedy"]


def test_an_org_that_is_down_is_not_reachable(acme: Acme) -> None:
    acme.salesforce.faults({"path": "/services", "fault": "status", "status": 503, "count": 99})
    said = acme.check("salesforce")
    assert "reachable" in named(said, "failed")
    assert "login" in named(said, "could_not_check")


# ── Who and what can be read ─────────────────────────────────────────────────────────────────────────


def test_fewer_users_than_the_last_import_read_fail(acme: Acme) -> None:
    acme.read_users_before(4)
    said = acme.check("salesforce")
    assert named(said, "failed") == {"reads all users"}
    row = row_of(said, "reads all users")
    assert row["found"] == "Salesforce shows 3 users; the last full import read 4"
    assert "View All Users" in row["remedy"]


def test_who_sees_only_itself_cannot_read_all(acme: Acme) -> None:
    found = acme.salesforce.call("GET", f"{DATA}/query?q=SELECT+Id+FROM+User")
    ids = [row["Id"] for row in found["records"]]
    acme.salesforce.call("POST", "/sandbox/users/vanish", {"ids": ids[1:]})
    assert named(acme.check("salesforce"), "failed") == {"reads all users"}


@pytest.mark.parametrize(
    ("sections", "where", "says"),
    [
        (
            {"auto_provision": {"custom_fields": ["Shoe_Size__c"]}},
            "auto_provision.custom_fields[0]",
            "Shoe_Size__c is refused by Salesforce",
        ),
        (
            {"field_maps": {"salesforce": {"title": "Job__c"}}},
            "field_maps.salesforce.title",
            "Job__c is refused by Salesforce",
        ),
    ],
)
def test_a_field_that_cannot_be_read_fails_where_it_is_named(
    acme: Acme, sections: dict[str, Any], where: str, says: str
) -> None:
    acme.put(**sections)
    said = acme.check("salesforce")
    assert named(said, "failed") == {f"field at {where}"}
    row = row_of(said, f"field at {where}")
    assert says in row["found"]
    assert "field-level security" in row["remedy"]


def test_each_filter_is_tried_by_itself(acme: Acme) -> None:
    acme.put(assignments=[SALES, BROKEN, EVERYONE])
    said = acme.check("salesforce")
    assert named(said, "failed") == {"filter of Broken"}
    row = row_of(said, "filter of Broken")
    assert row["found"].startswith("assignments[1].filter is refused by Salesforce: ")
    assert "No such column 'Departmnt'" in row["found"]
    assert row_of(said, "filter of Sales")["result"] == "passed"


def test_a_filter_is_tried_as_messages_and_incremental_imports_will_send_it(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.put(assignments=[SALES, EVERYONE])
    queries = acme.salesforce.organization.queries
    run = queries.run

    def picky(soql: str, *how: Any) -> dict[str, Any]:
        if "SystemModstamp >=" in soql:
            raise SalesforceError(400, "MALFORMED_QUERY", "not beside this")
        return run(soql, *how)

    monkeypatch.setattr(queries, "run", picky)
    row = row_of(acme.check("salesforce"), "filter of Sales")
    assert row["result"] == "failed"
    assert "users changed since a moment" in row["found"]


# ── A read that fails ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        (f"{DATA}/sobjects", {"API access", "fields"}),
        (f"{DATA}/query", {"reads all users"}),
        (f"{DATA}/composite", {"filter of Sales", "frozen users"}),
        ("/services/data/", {"version"}),
    ],
)
@pytest.mark.parametrize("kind", ["html", "truncate", "empty"])
def test_a_read_that_fails_hides_no_other_check(acme: Acme, path: str, hidden: set[str], kind: str) -> None:
    acme.put(assignments=[SALES])
    before = {row["check"] for row in rows(acme.check("salesforce"))}
    # The list of versions is the first call of all, the paths below it begin alike.
    count = 1 if path == "/services/data/" else 99
    acme.salesforce.faults({"path": path, "fault": kind, "count": count})
    said = acme.check("salesforce")
    assert {row["check"] for row in rows(said)} == before
    reachable = {"reachable"} if path == "/services/data/" else set()
    assert named(said, "could_not_check") == hidden
    assert named(said, "failed") == reachable
    assert named(said, "passed") == before - hidden - reachable


def test_hidden_fields_are_found_even_where_no_query_can_be_tried(acme: Acme) -> None:
    acme.put(auto_provision={"custom_fields": ["Shoe_Size__c"]}, assignments=[SALES])
    acme.salesforce.faults({"path": f"{DATA}/composite", "fault": "html", "count": 99})
    said = acme.check("salesforce")
    assert named(said, "failed") == {"field at auto_provision.custom_fields[0]"}
    assert named(said, "could_not_check") == {"filter of Sales", "frozen users"}


def test_daily_calls_that_are_nearly_used_up_are_a_warning(acme: Acme) -> None:
    acme.check("salesforce")
    used = acme.salesforce.call("GET", "/sandbox/limits")["used"]
    acme.salesforce.call("PUT", "/sandbox/limits", {"api_requests_per_day": int((used + 5) * 1.1)})
    said = acme.check("salesforce")
    assert (said["status"], named(said, "warning")) == ("succeeded", {"daily API calls"})
    assert "Company Information" in row_of(said, "daily API calls")["remedy"]


def test_before_the_first_import_there_is_nothing_to_compare_with(aws: Any, context: LambdaContext) -> None:
    with acme_in_process(context) as acme:
        aws.dynamodb.delete_item(TableName="roster", Key=_state_key(aws))
        said = acme.check("salesforce")
    assert (said["status"], named(said, "warning")) == ("succeeded", {"reads all users"})
    assert "nothing to compare with" in row_of(said, "reads all users")["found"]


def _state_key(aws: Any) -> dict[str, Any]:
    """Return the key of what imports remember."""
    [item] = [each for each in aws.dynamodb.scan(TableName="roster")["Items"] if '"rows"' in str(each)]
    return {name: item[name] for name in ("pk", "sk")}


# ── Who is frozen ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("frozen_users", "result"), [("told", "could_not_check"), ("inactive", "failed")])
def test_who_may_not_see_who_is_frozen_is_told_what_that_takes(
    acme: Acme, frozen_users: str, result: str
) -> None:
    acme.put(assignments=[SALES], auto_provision={"frozen_users": frozen_users})
    assert row_of(acme.check("salesforce"), "frozen users")["result"] == "passed"
    acme.salesforce.call("PUT", "/sandbox/organization", {"manage_users": False})
    row = row_of(acme.check("salesforce"), "frozen users")
    assert row["result"] == result
    assert "Manage Users" in row["remedy"]
