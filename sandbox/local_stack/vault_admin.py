"""What admins do in Vault CRM, through its REST API, and on its Engage server, by the sandbox's own door."""

from collections.abc import Iterable, Mapping
from itertools import batched
from typing import Any
from urllib.parse import quote

import requests

from sandbox.local_stack.stack import LocalStack
from sandbox.vault_crm.setup_records import DOCUMENT_USER, ENGLISH, ENGLISH_US, INTEGRATION_USER

API = "/api/v26.1"
TIMEOUT_S = 30
# Vault takes no more of them in one call.
RECORDS_A_CALL = 500

type Record = dict[str, Any]


class VaultAdmin:
    """An admin's session with the stack's Vault CRM.

    Every call raises requests.HTTPError or, with Vault's words, RuntimeError if refused.
    """

    def __init__(self, stack: LocalStack) -> None:
        """Log in, as an integration does, with username and password."""
        self._url = stack.vault_crm
        self._session = requests.Session()
        answer = self._call("POST", f"{API}/auth", data=stack.facts["credentials"]["vault_crm"])
        self._session.headers["Authorization"] = answer["sessionId"]

    # ── Users ────────────────────────────────────────────────────────────────────────────────────────

    def query(self, vql: str) -> list[Record]:
        """Return the records that a VQL query finds, from all its pages."""
        page = self._call("POST", f"{API}/query", data={"q": vql})
        records: list[Record] = page["data"]
        while following := page["responseDetails"].get("next_page"):
            page = self._call("GET", following)
            records += page["data"]
        return records

    def create_users(self, users: Iterable[Mapping[str, Any]]) -> list[str]:
        """Create records of user__sys and return their ids, in order; what Vault insists on is filled in."""
        insisted_on = {
            "language__sys": ENGLISH,
            "locale__sys": ENGLISH_US,
            "timezone__sys": "europe_london__sys",
            "security_profile__sys": DOCUMENT_USER,
            "country_code__v": "GB",  # this and the type: Engage Connect takes no users without
            "user_type__v": "sales__v",
        }
        return self._write("POST", ({**insisted_on, **user} for user in users))

    def change_user(self, user: str, **fields: Any) -> None:
        """Change fields of a record of user__sys."""
        self._write("PUT", [{"id": user, **fields}])

    def speak(self, language: str) -> None:
        """Change the language of the integration user: `en`, `de` and so on."""
        [found] = self.query(f"SELECT id FROM language__sys WHERE admin_key__sys = '{language}'")  # noqa: S608 - one of Vault's own keys
        self.change_user(INTEGRATION_USER, language__sys=found["id"])

    def _write(self, method: str, records: Iterable[Record]) -> list[str]:
        ids: list[str] = []
        for some in batched(records, RECORDS_A_CALL, strict=False):
            entries = self._call(method, f"{API}/vobjects/user__sys", json=some)["data"]
            refused = [entry["errors"][0] for entry in entries if entry["responseStatus"] == "FAILURE"]
            if refused:
                raise RuntimeError(f"Vault CRM refuses {len(refused)} users: {refused[0]['message']}")
            ids += [entry["data"]["id"] for entry in entries]
        return ids

    # ── The Engage server ────────────────────────────────────────────────────────────────────────────

    def put_group(self, name: str, licenses: int | None, *, feature: str = "engage") -> None:
        """Make a group with so many licences, or change their number; None, in Connect only: any number."""
        self._call("PUT", f"/sandbox/engage/{feature}/groups/{quote(name)}", json={"licenses": licenses})

    def groups(self, feature: str = "engage") -> list[Record]:
        """Return the groups of a feature: name, licenses, how many are used, and the members' Vault ids."""
        groups: list[Record] = self._call("GET", f"/sandbox/engage/{feature}/groups")
        return groups

    def settle(self, delay_s: float) -> None:
        """Say how long the Engage server takes over a request; holds for those under way too."""
        self._call("PUT", "/sandbox/engage/settle", json={"delay_s": delay_s})

    def set_up_in_connect(self, user: str, *, done: bool = True) -> None:
        """Set a user (id) up for Engage Connect, or say that nobody has done so yet."""
        state = "ok" if done else "missing"
        self._call("PUT", f"/sandbox/engage/connect-users/{user}", json={"state": state})

    def fail_next_request(self) -> None:
        """Have the Engage server fail what the next save of users asks of it."""
        fault = {"fault": "engage_fails", "path": f"{API}/vobjects/user__sys", "method": "PUT"}
        self._call("POST", "/sandbox/faults", json=[fault])

    def requests(self) -> list[Record]:
        """Return every request that the Engage server has processed, in order.

        Each has its feature, the user's id, the group (None: out of the group) and the outcome.
        """
        processed: list[Record] = self._call("GET", "/sandbox/engage/requests")
        return processed

    def _call(self, method: str, path: str, **options: Any) -> Any:
        answer = self._session.request(method, f"{self._url}{path}", timeout=TIMEOUT_S, **options)
        answer.raise_for_status()
        said = answer.json()
        # Vault itself answers 200 to whatever it has processed, refusals too.
        if isinstance(said, dict) and said.get("responseStatus") in ("FAILURE", "EXCEPTION"):
            raise RuntimeError(f"Vault CRM refuses: {said['errors'][0]['message']}")
        return said
