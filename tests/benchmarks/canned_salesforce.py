"""Salesforce with any number of users, canned: the queries of an import, with their conditions.

Any other query is refused, because a condition that is passed over answers with too many. So are queries by
id, which an incremental import makes of up to `gathering_salesforce.MOST_BY_ID` changed users.
"""

import re
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from muster.crm import salesforce_ids, soql
from muster.settings import Settings
from muster.settings.assignment_order import filtered
from muster.settings.mappings import fields_to_read

type Row = dict[str, Any]

ROWS_A_PAGE = 2_000
# When the users were last changed: those who stay as they are, before the last import, and the others since.
LONG_AGO, SINCE = "2026-10-01T00:00:00.000+0000", "2026-11-20T08:15:31.000+0000"
_QUERY = re.compile(r"SELECT (?P<fields>.+) FROM (?P<object>User|UserLogin)(?: WHERE (?P<conditions>.+))?")


class RefusedError(Exception):
    """A query that is not canned."""


def queries(settings: Settings) -> list[str]:
    """Return the queries of a full import: of the users, of who is frozen, and one per filter."""
    matching = [soql.matching(each) for each in filtered(settings).values()]
    return [soql.select(fields_to_read(settings)), soql.frozen(), *matching]


class CannedSalesforce:
    """Users, and the pages that answer queries of them."""

    def __init__(self, rows: list[Row], settings: Settings) -> None:
        self.rows = rows
        self._answering = threading.Lock()
        self._answers: dict[str, tuple[bytes, ...]] = {}
        for query in queries(settings):
            self.pages_of(query)

    def pages_of(self, query: str) -> tuple[bytes, ...]:
        """Return the pages that answer a query, made when it is first asked; raises `RefusedError`."""
        with self._answering:
            if query not in self._answers:
                self._answers[query] = tuple(_pages(len(self._answers), self._found(query)))
            return self._answers[query]

    def further_page(self, locator: str) -> bytes:
        """Return the page that a `nextRecordsUrl` ends with."""
        query, _, page = locator.partition("-")
        return list(self._answers.values())[int(query)][int(page)]

    def _found(self, query: str) -> list[Row]:
        asked = _QUERY.fullmatch(query)
        if not asked:
            raise RefusedError(f"the canned company answers no such query: {query}")
        if asked["object"] == "UserLogin":
            return []  # nobody is frozen
        rows = self.rows
        for condition in asked["conditions"].split(" AND ") if asked["conditions"] else ():
            rows = _meeting(condition, rows)
        names = asked["fields"].split(", ")
        return [{name: row[name] for name in names} for row in rows]


def user(number: int) -> Row:
    """Return a user, all fields that are read and more."""
    department = ("Sales", "Support", "Kitchen", "Sales")[number % 4]
    crm_id = salesforce_ids.to_18(f"005{number:012d}")
    return {
        "Id": crm_id,
        "SystemModstamp": LONG_AGO,
        "LastModifiedDate": LONG_AGO,
        "IsActive": True,
        "FirstName": f"Ada {number}",
        "LastName": f"Lovelace {number}",
        "Username": f"ada.lovelace.{number}@acme.example.prod",
        "Email": f"ada.lovelace.{number}@acme.example",
        "CallCenterId": None,
        "Title": "Representative",
        "Phone": "+44 20 7946 0001",
        "MobilePhone": f"+44 7700 {number:06d}",
        "Extension": str(number % 1000),
        "LanguageLocaleKey": "en_GB",
        "LocaleSidKey": "en_GB",
        "TimeZoneSidKey": "Europe/London",
        "SmallPhotoUrl": "https://acme.file.force.com/profilephoto/005/T/" + crm_id,
        "ProfileId": "00e000000000003AAA",
        "UserRoleId": "00E000000000003AAA",
        "UserType": "Standard",
        "ManagerId": None,
        "Region__c": "EMEA",
        "Department": department,
    }


def _meeting(condition: str, rows: list[Row]) -> list[Row]:
    """Return the rows that meet a condition of a query; raises `RefusedError`."""
    if since := re.fullmatch(r"SystemModstamp >= (\S+)", condition):
        moment = datetime.fromisoformat(since[1])
        return [row for row in rows if datetime.fromisoformat(row["SystemModstamp"]) >= moment]
    if equal := re.fullmatch(r"Department = '(\w+)'", condition):
        return [row for row in rows if row["Department"] == equal[1]]
    raise RefusedError(f"the canned company knows no such condition: {condition}")


def _pages(query: int, rows: list[Row]) -> Iterator[bytes]:
    starts = range(0, len(rows), ROWS_A_PAGE) or (0,)
    for page, start in enumerate(starts, 1):
        records = [
            {"attributes": {"type": "User", "url": f"/services/data/v66.0/sobjects/User/{row['Id']}"}, **row}
            for row in rows[start : start + ROWS_A_PAGE]
        ]
        answer: dict[str, Any] = {"totalSize": len(rows), "done": page == len(starts), "records": records}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"/services/data/v66.0/query/{query}-{page}"
        yield orjson.dumps(answer)
