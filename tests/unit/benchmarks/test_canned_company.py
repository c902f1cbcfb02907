import orjson
import pytest

from muster.crm import soql
from tests.benchmarks import canned_salesforce
from tests.benchmarks.canned_company import Company
from tests.benchmarks.canned_salesforce import ROWS_A_PAGE, CannedSalesforce, RefusedError

USERS = 40
LAST_IMPORT = "2026-10-31T23:50:00.000Z"
SINCE_THEN = soql.since("SystemModstamp", LAST_IMPORT)


def _total(company: Company, query: str) -> int:
    total: int = orjson.loads(company.salesforce.pages_of(query)[0])["totalSize"]
    return total


@pytest.mark.parametrize("changed", [0, 1, 3, 10, USERS])
def test_an_incremental_import_is_shown_who_has_changed_since_the_last_one(changed: int) -> None:
    company = Company("127.0.0.1:1", USERS, changed)
    assert _total(company, soql.select(["Id", "Title"], SINCE_THEN)) == changed


@pytest.mark.parametrize(
    ("query", "total"),
    [
        (soql.select(["Id"]), USERS),
        (soql.frozen(), 0),
        (soql.matching("Department = 'Sales'"), USERS // 2),
        (soql.matching("Department = 'Support'"), USERS // 4),
        # Every fourth user has changed, and is in Sales.
        (soql.matching("Department = 'Sales'", SINCE_THEN), USERS // 4),
        (soql.matching("Department = 'Support'", SINCE_THEN), 0),
    ],
)
def test_all_conditions_of_a_query_are_met(query: str, total: int) -> None:
    assert _total(Company("127.0.0.1:1", USERS, USERS // 4), query) == total


@pytest.mark.parametrize(
    "query",
    [
        soql.select(["Id"], soql.one_of("Id", ["005000000000001AAA"])),
        soql.matching("Department = 'Sales' OR Department = 'Support'"),
        "SELECT Id FROM Account",
    ],
)
def test_a_query_that_is_not_canned_is_refused(query: str) -> None:
    with pytest.raises(RefusedError):
        Company("127.0.0.1:1", USERS, 0).salesforce.pages_of(query)


def test_each_page_leads_to_the_next() -> None:
    settings = Company("127.0.0.1:1", 0, 0).settings
    rows = [canned_salesforce.user(number) for number in range(2 * ROWS_A_PAGE + 1)]
    salesforce = CannedSalesforce(rows, settings)
    page = orjson.loads(salesforce.pages_of(soql.select(["Id"]))[0])
    read = [row["Id"] for row in page["records"]]
    while not page["done"]:
        page = orjson.loads(salesforce.further_page(page["nextRecordsUrl"].rpartition("/")[2]))
        read += [row["Id"] for row in page["records"]]
    assert read == [row["Id"] for row in rows]
