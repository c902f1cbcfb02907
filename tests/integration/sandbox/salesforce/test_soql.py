from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.salesforce import RunningSandbox, running
from tests.doubles.clocks import Clock
from tests.doubles.salesforce_over_http import SALES_PROFILE, Organization, error_of

SERVICE_PROFILE = "00e000000000004AAA"
REP_ROLE = "00E000000000003EAA"
WITH_GONG = "SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Gong'"
PEOPLE = ["Ada", "Bob", "Cleo", "Dan", "Élise", "O'Neil"]


@pytest.fixture(scope="module")
def people() -> Iterator[Organization]:
    """Six people; each condition below is over them and finds them by last name."""
    clock = Clock()
    with running(clock=clock) as sandbox:
        org = Organization(sandbox)
        org.control("POST", "custom-fields", {"name": "Quota__c", "type": "Number"}, status=201)
        org.control("POST", "custom-fields", {"name": "Started__c", "type": "Date"}, status=201)
        clock.set("2026-01-05T08:00:00+00:00")
        ada = org.create(
            LastName="Ada",
            Country="GB",
            Title="Chief",
            Quota__c=100,
            Started__c="2026-01-05",
            UserRoleId=REP_ROLE,
        )
        clock.set("2026-11-14T23:59:59+00:00")
        bob = org.create(LastName="Bob", Country="gb", ManagerId=ada, Quota__c=12.5, Region__c="EMEA")
        clock.set("2026-11-15T00:00:00+00:00")
        org.create(LastName="Cleo", Country="FR", ManagerId=bob, IsActive=False, ProfileId=SERVICE_PROFILE)
        clock.set("2026-11-20T10:00:00+00:00")
        org.create(LastName="Dan", Title="100% Rep_1", Started__c="2026-11-30", ProfileId="00eUNKNOWN00000")
        clock.set("2026-11-21T00:00:00+00:00")
        org.create(LastName="Élise", Country="FRANCE", Import_Emails__c=True, CallCenterId="04v000000000001")
        clock.set("2026-11-21T12:00:00+00:00")
        org.create(LastName="O'Neil", Title="a\\b", Street="1 Road\nTown")
        org.control("PUT", "permission-sets/Gong", {"ids": [ada]})
        org.control("PUT", "permission-sets/Forecast", {"ids": [ada, bob]})
        org.control("PUT", "groups/EMEA", {"ids": [bob]})
        org.control("POST", "users/login", {"ids": [ada, bob], "at": "2026-10-22T00:00:00Z"})
        yield org
        org.http.close()


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        # equality, without regard to case
        ("LastName = 'ada'", "Ada"),
        ("lastname = 'ADA'", "Ada"),
        ("LastName = 'élise'", "Élise"),
        ("LastName = 'ÉLISE'", "Élise"),
        ("Country = 'GB'", "Ada Bob"),
        ("Country != 'GB'", "Cleo Dan Élise O'Neil"),
        ("Country <> 'gb'", "Cleo Dan Élise O'Neil"),
        ("User.Country = 'GB'", "Ada Bob"),
        # null
        ("Country = null", "Dan O'Neil"),
        ("Country != NULL", "Ada Bob Cleo Élise"),
        ("Country = ''", "Dan O'Neil"),
        ("Region__c != null", "Bob"),
        ("Import_Emails__c = null", "Ada Bob Cleo Dan O'Neil"),
        # booleans
        ("IsActive = false", "Cleo"),
        ("IsActive != true", "Cleo"),
        ("Import_Emails__c = TRUE", "Élise"),
        # order of text
        ("LastName < 'bob'", "Ada"),
        ("LastName <= 'BOB'", "Ada Bob"),
        ("LastName > 'dan'", "Élise O'Neil"),
        ("LastName >= 'Dan' AND LastName < 'e'", "Dan"),
        # LIKE
        ("LastName LIKE 'a%'", "Ada"),
        ("LastName LIKE '_O_'", "Bob"),
        ("LastName LIKE '%e%'", "Cleo Élise O'Neil"),
        ("LastName LIKE 'É%'", "Élise"),
        ("LastName LIKE 'é_ISE'", "Élise"),
        ("LastName LIKE 'ad'", ""),
        ("Title LIKE '100\\% %'", "Dan"),
        ("Title LIKE '%\\_1'", "Dan"),
        ("Title LIKE '%\\_2'", ""),
        ("Title LIKE 'a\\\\b'", "O'Neil"),
        ("(NOT Country LIKE 'g%')", "Cleo Dan Élise O'Neil"),
        ("Street LIKE '1 road%town'", "O'Neil"),
        # escapes
        ("LastName = 'O\\'Neil'", "O'Neil"),
        ("Title = 'a\\\\b'", "O'Neil"),
        ("Street = '1 Road\\nTown'", "O'Neil"),
        ("LastName = '\\u00c9lise'", "Élise"),
        ("LastName = ' Ada '", ""),
        # IN
        ("LastName IN ('ada', 'BOB', 'nobody')", "Ada Bob"),
        ("LastName NOT IN ('ada', 'BOB')", "Cleo Dan Élise O'Neil"),
        ("Country IN ('FR')", "Cleo"),
        ("Country NOT IN ('GB')", "Cleo Dan Élise O'Neil"),
        ("Country IN ('FR', null)", "Cleo Dan O'Neil"),
        ("Country NOT IN ('FR', null)", "Ada Bob Élise"),
        ("IsActive IN (false)", "Cleo"),
        # numbers
        ("Quota__c = 100", "Ada"),
        ("Quota__c > 12", "Ada Bob"),
        ("Quota__c >= 12.5 AND Quota__c < 1e2", None),
        ("Quota__c < +100.0", "Bob"),
        ("Quota__c > -1", "Ada Bob"),
        ("Quota__c != 100", "Bob Cleo Dan Élise O'Neil"),
        ("(NOT Quota__c > 50)", "Bob Cleo Dan Élise O'Neil"),
        ("Quota__c IN (100, 12.5)", "Ada Bob"),
        # ids
        (f"ProfileId = '{SERVICE_PROFILE[:15]}'", "Cleo"),
        (f"ProfileId = '{SERVICE_PROFILE.lower()}'", "Cleo"),
        (f"ProfileId != '{SALES_PROFILE}'", "Cleo Dan"),
        ("ManagerId = null", "Ada Dan Élise O'Neil"),
        ("CallCenterId = '04v000000000001'", "Élise"),
        ("CallCenterId IN ('')", "Ada Bob Cleo Dan O'Neil"),
        # relationships
        ("Profile.Name = 'sales'", "Ada Bob Élise O'Neil"),
        ("Profile.Name != 'Sales'", "Cleo Dan"),
        ("Profile.Name = null", "Dan"),
        ("UserRole.Name LIKE 'sales rep%'", "Ada"),
        ("UserRole.DeveloperName = 'Sales_Rep_EMEA'", "Ada"),
        ("Manager.LastName = 'Ada'", "Bob"),
        ("manager.manager.lastname = 'Ada'", "Cleo"),
        ("Manager.Manager.Profile.Name = 'Sales'", "Cleo"),
        ("Manager.Country = 'GB' AND Manager.Manager.Id = null", "Bob"),
        ("Manager.Profile.Name = 'Sales' AND Manager.Email != null", "Bob Cleo"),
        ("Profile.UserLicense.Name = 'Salesforce'", "Ada Bob Cleo Élise O'Neil"),
        ("UserRole.Name = null AND Profile.UserLicense.LicenseDefinitionKey = null", "Dan"),
        ("(NOT Manager.LastName = 'Ada')", "Ada Cleo Dan Élise O'Neil"),
        # logic
        ("Country = 'GB' AND Title = null", "Bob"),
        ("Country = 'FR' OR Country = 'FRANCE' OR Country = null", "Cleo Dan Élise O'Neil"),
        ("Country = 'GB' AND (Title = 'Chief' OR Region__c = 'EMEA')", "Ada Bob"),
        ("(Country = 'GB' AND Title = 'Chief') OR LastName = 'Dan'", "Ada Dan"),
        ("NOT Country = 'GB'", "Cleo Dan Élise O'Neil"),
        ("NOT (Country = 'GB' OR Country = 'FR')", "Dan Élise O'Neil"),
        ("IsActive = true AND (NOT Country = 'GB')", "Dan Élise O'Neil"),
        ("NOT (NOT Country = 'GB')", "Ada Bob"),
        ("((((Country = 'GB'))))", "Ada Bob"),
        # dates and times
        ("CreatedDate = 2026-11-15T00:00:00Z", "Cleo"),
        ("CreatedDate > 2026-11-15T00:00:00.000Z", "Dan Élise O'Neil"),
        ("CreatedDate >= 2026-11-15T02:00:00+02:00", "Cleo Dan Élise O'Neil"),
        ("CreatedDate < 2026-11-14T18:59:59-0500", "Ada"),
        ("CreatedDate <= 2026-11-14T18:59:59.999-0500", "Ada Bob"),
        ("Started__c = 2026-01-05", "Ada"),
        ("Started__c > 2026-01-05", "Dan"),
        # date literals: it is noon on Saturday 21 November 2026
        ("CreatedDate = TODAY", "Élise O'Neil"),
        ("CreatedDate = today", "Élise O'Neil"),
        ("CreatedDate != TODAY", "Ada Bob Cleo Dan"),
        ("CreatedDate = YESTERDAY", "Dan"),
        ("CreatedDate < TODAY", "Ada Bob Cleo Dan"),
        ("CreatedDate <= YESTERDAY", "Ada Bob Cleo Dan"),
        ("CreatedDate > YESTERDAY", "Élise O'Neil"),
        ("CreatedDate = THIS_WEEK", "Cleo Dan Élise O'Neil"),
        ("CreatedDate = LAST_WEEK", "Bob"),
        ("CreatedDate = LAST_N_DAYS:1", "Dan Élise O'Neil"),
        ("CreatedDate >= LAST_N_DAYS:6", "Cleo Dan Élise O'Neil"),
        ("CreatedDate < N_DAYS_AGO:6", "Ada Bob"),
        ("CreatedDate = THIS_MONTH", "Bob Cleo Dan Élise O'Neil"),
        ("CreatedDate = LAST_MONTH", ""),
        ("CreatedDate = LAST_N_MONTHS:10", "Ada"),
        ("CreatedDate = LAST_N_MONTHS:9", ""),
        ("CreatedDate = THIS_QUARTER", "Bob Cleo Dan Élise O'Neil"),
        ("CreatedDate = N_QUARTERS_AGO:3", "Ada"),
        ("CreatedDate = THIS_YEAR", "Ada Bob Cleo Dan Élise O'Neil"),
        ("CreatedDate = THIS_FISCAL_QUARTER", "Bob Cleo Dan Élise O'Neil"),
        ("CreatedDate = N_FISCAL_QUARTERS_AGO:3", "Ada"),
        ("CreatedDate < NEXT_FISCAL_YEAR", "Ada Bob Cleo Dan Élise O'Neil"),
        ("CreatedDate = LAST_N_FISCAL_YEARS:1", ""),
        ("LastLoginDate = LAST_N_DAYS:30", "Ada Bob"),
        ("LastLoginDate < LAST_N_DAYS:30 OR LastLoginDate = null", "Cleo Dan Élise O'Neil"),
        ("CreatedDate = LAST_YEAR", ""),
        ("Started__c = NEXT_N_DAYS:9", "Dan"),
        ("Started__c = NEXT_N_DAYS:8", ""),
        ("Started__c = NEXT_WEEK", ""),
        ("Started__c = NEXT_N_WEEKS:2", "Dan"),
        ("Started__c > NEXT_WEEK", "Dan"),
        ("Started__c IN (2026-01-05, NEXT_90_DAYS)", "Ada Dan"),
        ("CreatedDate NOT IN (TODAY, YESTERDAY)", "Ada Bob Cleo"),
        # semi joins
        ("ProfileId IN (SELECT Id FROM Profile WHERE Name = 'Sales')", "Ada Bob Élise O'Neil"),
        ("Id IN (SELECT AssigneeId FROM PermissionSetAssignment)", "Ada Bob"),
        (f"Id NOT IN ({WITH_GONG}) AND Country = 'gb'", "Bob"),
        (f"Country = 'GB' AND (Title = 'Chief' OR Title = null) AND Id IN ({WITH_GONG})", "Ada"),
        (
            "User.Id IN (SELECT UserId FROM UserLogin) AND Id NOT IN (SELECT UserOrGroupId FROM GroupMember)"
            " AND Country = 'GB'",
            "Ada",
        ),
        ("Id IN (SELECT a.UserId FROM UserLogin a WHERE NOT a.IsFrozen = false)", ""),
        ("UserRoleId IN (SELECT Id FROM UserRole WHERE Name LIKE 'Sales Rep%' OR Name = 'CEO')", "Ada"),
    ],
)
def test_a_condition_finds(people: Organization, where: str, expected: str | None) -> None:
    if expected is None:  # a number has no exponent in SOQL
        answer = people.call("GET", "/query", params={"q": f"SELECT Id FROM User WHERE {where}"})  # noqa: S608  # SOQL
        assert error_of(answer) == (400, "MALFORMED_QUERY")
        return
    assert people.found(where) == expected.split()


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("LastName", "Ada Bob Cleo Dan O'Neil Élise"),
        ("LastName DESC", "Élise O'Neil Dan Cleo Bob Ada"),
        ("Country, LastName DESC", "O'Neil Dan Cleo Élise Bob Ada"),
        ("Country ASC NULLS LAST, LastName", "Cleo Élise Ada Bob Dan O'Neil"),
        ("Country DESC NULLS LAST, LastName", "Ada Bob Élise Cleo Dan O'Neil"),
        ("Manager.LastName NULLS LAST, LastName LIMIT 3", "Bob Cleo Ada"),
        ("Profile.Name NULLS FIRST, LastName", "Dan Ada Bob O'Neil Élise Cleo"),
        ("LastName LIMIT 2", "Ada Bob"),
        ("LastName LIMIT 2 OFFSET 3", "Dan O'Neil"),
        ("LastName OFFSET 5", "Élise"),
        ("CreatedDate DESC LIMIT 1", "O'Neil"),
        ("LastName LIMIT 0", ""),
    ],
)
def test_results_are_ordered_and_limited(people: Organization, order: str, expected: str) -> None:
    records = people.query(f"SELECT LastName FROM User ORDER BY {order}")["records"]  # noqa: S608  # SOQL
    assert [record["LastName"] for record in records] == expected.split()


def test_a_record_nests_its_parents(people: Organization) -> None:
    soql = (
        "select id, lastname, profile.name, UserRole.Name, Manager.Email, Manager.Manager.LastName,"
        " Manager.Profile.UserType from user u where u.LastName = 'Cleo'"
    )
    page = people.query(soql)
    (cleo,) = page["records"]
    (bob_id,) = people.found("LastName = 'Bob'", "Id")
    (ada_id,) = people.found("LastName = 'Ada'", "Id")
    users, profiles = "/services/data/v66.0/sobjects/User", "/services/data/v66.0/sobjects/Profile"
    (email,) = people.found("LastName = 'Bob'", "Email")
    assert (page["totalSize"], page["done"], "nextRecordsUrl" in page) == (1, True, False)
    assert cleo == {
        "attributes": {"type": "User", "url": f"{users}/{cleo['Id']}"},
        "Id": cleo["Id"],
        "LastName": "Cleo",
        "Profile": {
            "attributes": {"type": "Profile", "url": f"{profiles}/{SERVICE_PROFILE}"},
            "Name": "Service",
        },
        "UserRole": None,
        "Manager": {
            "attributes": {"type": "User", "url": f"{users}/{bob_id}"},
            "Email": email,
            "Manager": {"attributes": {"type": "User", "url": f"{users}/{ada_id}"}, "LastName": "Ada"},
            "Profile": {
                "attributes": {"type": "Profile", "url": f"{profiles}/{SALES_PROFILE}"},
                "UserType": "Standard",
            },
        },
    }


def test_a_parent_that_is_missing_halfway_is_null_there(people: Organization) -> None:
    selected = "SELECT Manager.LastName, Manager.Manager.LastName, Profile.Name FROM User"
    bob, dan = people.query(f"{selected} WHERE LastName IN ('Bob', 'Dan')")["records"]
    assert bob["Manager"]["LastName"] == "Ada"
    assert bob["Manager"]["Manager"] is None
    assert dan["Manager"] is None
    assert dan["Profile"] is None


def test_counting_gives_only_a_number(people: Organization) -> None:
    counted = people.query("SELECT COUNT() FROM User WHERE IsActive = true")
    assert counted == {"totalSize": 5, "done": True, "records": []}


@pytest.mark.parametrize(
    ("soql", "present", "absent"),
    [
        ("SELECT FIELDS(ALL) FROM User LIMIT 200", {"Id", "Username", "Region__c"}, set()),
        ("SELECT FIELDS(STANDARD) FROM User", {"Id", "Username"}, {"Region__c"}),
        ("SELECT Id, FIELDS(CUSTOM) FROM User LIMIT 1", {"Id", "Region__c", "Quota__c"}, {"Username"}),
    ],
)
def test_fields_can_be_named_in_bulk(
    people: Organization, soql: str, present: set[str], absent: set[str]
) -> None:
    record = people.query(soql)["records"][0]
    assert present <= set(record)
    assert not absent & set(record)


def test_setup_objects_can_be_queried(people: Organization) -> None:
    names = [
        each["Name"] for each in people.query("SELECT Name FROM Profile ORDER BY Name LIMIT 2")["records"]
    ]
    assert names == ["Marketing", "Minimum Access - API Only Integrations"]
    (call_center,) = people.query("SELECT Id FROM CallCenter WHERE Name = 'Main Call Center'")["records"]
    assert call_center["Id"] == "04v000000000001AAA"
    soql = "SELECT ParentRoleId FROM UserRole WHERE Name = 'Sales Rep EMEA'"
    assert people.query(soql)["records"][0]["ParentRoleId"] == "00E000000000002EAA"


def test_a_thousand_alternatives_are_not_too_many(people: Organization) -> None:
    where = " OR ".join(["Alias=null"] * 1000)
    assert people.found(where + " OR LastName='Ada'") == ["Ada"]


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


@pytest.fixture(scope="module")
def one_user(session_sandbox: RunningSandbox) -> Iterator[tuple[Organization, str]]:
    org = Organization(session_sandbox)
    yield org, org.create()
    org.http.close()


# Without surrogates and separators: a caller cannot send the former, and the latter are trimmed at the ends.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"]), min_size=1, max_size=40)


@settings(deadline=None, max_examples=60)
@given(text=TEXTS)
def test_any_text_is_found_again_exactly_and_by_pattern(
    one_user: tuple[Organization, str], text: str
) -> None:
    org, user = one_user
    org.update(user, LastName=text)
    assert org.found(f"Id = '{user}' AND LastName = '{escaped(text)}'") == [text]
    pattern = escaped(text).replace("%", "\\%").replace("_", "\\_")
    assert org.found(f"Id = '{user}' AND LastName LIKE '{pattern}'") == [text]
    assert org.found(f"Id = '{user}' AND LastName != '{escaped(text)}'") == []
