"""A client of the sandbox organization, for tests: plain requests, nothing of the sandbox's own code."""

import itertools
import time
from collections.abc import Callable
from typing import Any

import requests

from sandbox.salesforce import RunningSandbox

VERSION = "66.0"
SALES_PROFILE = "00e000000000003AAA"
_numbers = itertools.count(1)


class Organization:
    """Talks to a running sandbox as a logged-in client and, under /sandbox/, as its admin."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self.url = sandbox.url
        self.http = requests.Session()
        self.log_in()

    def log_in(self) -> None:
        self.http.headers["Authorization"] = f"Bearer {self.token()['access_token']}"

    def token(self) -> dict[str, str]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.sandbox.client_id,
            "client_secret": self.sandbox.client_secret,
        }
        answer = self.http.post(f"{self.url}/services/oauth2/token", data=form, timeout=10)
        assert answer.status_code == 200, answer.text
        granted: dict[str, str] = answer.json()
        return granted

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Calls a path of the REST API's version."""
        return self.http.request(method, f"{self.url}/services/data/v{VERSION}{path}", timeout=10, **options)

    def create(self, **changes: object) -> str:
        """Creates a user and answers its id; `changes` go over valid values, None leaves one out."""
        answer = self.call("POST", "/sobjects/User", json=new_user(**changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def update(self, user_id: str, **changes: object) -> None:
        answer = self.call("PATCH", f"/sobjects/User/{user_id}", json=changes)
        assert answer.status_code == 204, answer.text

    def user(self, user_id: str) -> dict[str, Any]:
        answer = self.call("GET", f"/sobjects/User/{user_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def query(self, soql: str) -> dict[str, Any]:
        answer = self.call("GET", "/query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def found(self, where: str, field: str = "LastName") -> list[Any]:
        """One field of the users that a condition finds."""
        soql = f"SELECT {field} FROM User WHERE {where}"  # noqa: S608  # SOQL written by the tests
        return [record[field] for record in self.query(soql)["records"]]

    def control(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        """Calls a path under /sandbox/ and answers its JSON."""
        answer = self.http.request(method, f"{self.url}/sandbox/{path}", json=body, timeout=10)
        assert answer.status_code == status, answer.text
        return answer.json()

    def install(self, url: str, *fields: str, name: str = "Muster_User") -> str:
        """Installs an outbound message and answers its ActionId."""
        body = {"name": name, "url": url, "fields": list(fields), "object": "User"}
        return str(self.control("PUT", "outbound-message", body)["action_id"])

    def composite(
        self, *subrequests: dict[str, Any], all_or_none: bool = False, status: int = 200
    ) -> list[dict[str, Any]]:
        """Sends sub-requests, each with a reference id unless it brings one: r0, r1…; answers the results."""
        named = [{"referenceId": f"r{place}"} | each for place, each in enumerate(subrequests)]
        answer = self.call("POST", "/composite", json={"allOrNone": all_or_none, "compositeRequest": named})
        assert answer.status_code == status, answer.text
        results: list[dict[str, Any]] = answer.json()["compositeResponse"]
        return results

    def create_many(self, *bodies: dict[str, object], all_or_none: bool = False) -> list[dict[str, Any]]:
        """Creates users in one call and answers a result for each."""
        records = [{"attributes": {"type": "User"}} | body for body in bodies]
        answer = self.call("POST", "/composite/sobjects", json={"allOrNone": all_or_none, "records": records})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()
        return results

    def deliver(self, **settings: object) -> None:
        self.control("PUT", "outbound-message/delivery", settings)

    def deliveries(self) -> Any:
        return self.control("GET", "outbound-message/deliveries")


def new_user(**changes: object) -> dict[str, object]:
    """A body that Salesforce takes, with changes; None leaves a field out."""
    number = next(_numbers)
    body = {
        "LastName": f"Person {number}",
        "Username": f"person{number}@acme.example",
        "Email": f"person{number}@acme.example",
        "Alias": f"p{number}"[:8],
        "TimeZoneSidKey": "Europe/London",
        "LocaleSidKey": "en_GB",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
        "ProfileId": SALES_PROFILE,
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def error_of(answer: requests.Response) -> tuple[int, str]:
    """The status and code of an answer that must be one error in the REST API's shape."""
    (error,) = answer.json()
    assert set(error) <= {"message", "errorCode", "fields"}
    assert error["message"]
    return answer.status_code, error["errorCode"]


def wait_for[T](condition: Callable[[], T], seconds: float = 10) -> T:
    """Waits until the condition holds and answers its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return value


def suffix_by_the_book(id15: str) -> str:
    """The public recipe, written another way: reversed chunks read as binary numbers."""
    table = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    chunks = [id15[0:5], id15[5:10], id15[10:15]]
    return "".join(table[int("".join("01"[c in table[:26]] for c in reversed(each)), 2)] for each in chunks)
