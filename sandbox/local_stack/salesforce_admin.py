"""What an admin does in Salesforce: through its REST API, or in Setup, which is the sandbox's own door."""

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
        self._credentials = stack.facts["credentials"]["salesforce"]
        self._session = requests.Session()
        self.log_in()

    def log_in(self) -> None:
        """Log in anew, where sessions have been ended."""
        form = {"grant_type": "client_credentials", **self._credentials}
        answer = self._checked(
            self._session.post(f"{self._url}/services/oauth2/token", data=form, timeout=TIMEOUT_S)
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

    # ── In Setup ─────────────────────────────────────────────────────────────────────────────────────

    def outbound_messages(self) -> list[dict[str, Any]]:
        """Return the outbound messages, each with its name, url, with the token, and fields."""
        messages: list[dict[str, Any]] = self._setup("GET", "outbound-message")
        return messages

    def put_outbound_message(self, name: str, url: str, fields: list[str]) -> None:
        """Install an outbound message for users, with a flow that sends it at any change."""
        self._setup("PUT", "outbound-message", name=name, url=url, fields=fields, object="User")

    def remove_outbound_message(self, name: str) -> None:
        """Remove an outbound message, with the flows that send it."""
        self._setup("DELETE", "outbound-message", name=name)

    def activate_flow(self, name: str, version: int) -> None:
        """Activate a version of a flow; 0 switches it off."""
        self._setup("PUT", f"flows/{name}", active_version=version)

    def delivery(self, **settings: Any) -> None:
        """Change how the sandbox delivers outbound messages: hold them back, duplicate or reorder them."""
        self._setup("PUT", "outbound-message/delivery", **settings)

    def set_up(self, what: str, **settings: Any) -> None:
        """Change settings of the `organization` or of its `deploys`, as sandbox/README.md has them."""
        self._setup("PUT", what, **settings)

    def _setup(self, method: str, path: str, **body: Any) -> Any:
        url = f"{self._url}/sandbox/{path}"
        return self._checked(self._session.request(method, url, json=body or None, timeout=TIMEOUT_S)).json()

    @staticmethod
    def _checked(answer: requests.Response) -> requests.Response:
        answer.raise_for_status()
        return answer
