"""What an admin does in Salesforce, done through its REST API: users made and changed."""

from typing import Any

import requests

from sandbox.local_stack.stack import LocalStack

API = "/services/data/v66.0"
TIMEOUT_S = 30


class SalesforceAdmin:
    """An admin's session with the stack's Salesforce; every call raises requests.HTTPError if refused."""

    def __init__(self, stack: LocalStack) -> None:
        """Log in, as an integration does, with the client app's own credentials."""
        self._url = stack.salesforce
        self._session = requests.Session()
        answer = self._checked(
            self._session.post(
                f"{self._url}/services/oauth2/token",
                data={"grant_type": "client_credentials", **stack.facts["credentials"]["salesforce"]},
                timeout=TIMEOUT_S,
            )
        )
        self.token = str(answer.json()["access_token"])
        self._session.headers["Authorization"] = f"Bearer {self.token}"

    def query(self, soql: str) -> list[dict[str, Any]]:
        """Return the records that a SOQL query finds."""
        answer = self._session.get(f"{self._url}{API}/query", params={"q": soql}, timeout=TIMEOUT_S)
        records: list[dict[str, Any]] = self._checked(answer).json()["records"]
        return records

    def create_user(self, **fields: Any) -> str:
        """Create a User with these fields and return its id; those Salesforce insists on are filled in."""
        profile = self.query("SELECT Id FROM Profile ORDER BY Name LIMIT 1")[0]["Id"]
        insisted_on = {
            "Alias": str(fields["LastName"])[:8],
            "ProfileId": profile,
            "TimeZoneSidKey": "Europe/London",
            "LocaleSidKey": "en_GB",
            "EmailEncodingKey": "UTF-8",
            "LanguageLocaleKey": "en_US",
        }
        answer = self._session.post(
            f"{self._url}{API}/sobjects/User", json=insisted_on | fields, timeout=TIMEOUT_S
        )
        return str(self._checked(answer).json()["id"])

    def change_user(self, user: str, **fields: Any) -> None:
        """Change fields of a User."""
        self._checked(
            self._session.patch(f"{self._url}{API}/sobjects/User/{user}", json=fields, timeout=TIMEOUT_S)
        )

    def delivery(self, **settings: Any) -> None:
        """Change how the sandbox delivers outbound messages: hold them back, duplicate or reorder them."""
        self._checked(
            self._session.put(
                f"{self._url}/sandbox/outbound-message/delivery", json=settings, timeout=TIMEOUT_S
            )
        )

    @staticmethod
    def _checked(answer: requests.Response) -> requests.Response:
        answer.raise_for_status()
        return answer
