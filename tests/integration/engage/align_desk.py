"""Acme with an Align vault beside its Vault CRM, where admins ask for groups."""

from dataclasses import dataclass
from typing import Any

from tests.doubles.salesforce_in_process import InProcess
from tests.doubles.vault_in_process import VaultInProcess
from tests.integration.beginnings import data_of
from tests.integration.engage.licences import Licences, renew_vault

ALIGN_HOST = "127.0.0.1:8003"
OBJECT = "roster_member__aln"
QUERY = ("POST", "/api/v26.1/query")
ME = ("GET", "/api/v26.1/objects/users/me")
FIELDS_OF_OBJECT = ("GET", f"/api/v26.1/metadata/vobjects/{OBJECT}")
WRITE = ("PUT", f"/api/v26.1/vobjects/{OBJECT}")
ENGAGE = {
    "request": "engage_group_request__aln",
    "status": "engage_group_provisioning_status__aln",
    "group": "engage_group__aln",
}
CONNECT = {
    "request": "engage_connect_group_request__aln",
    "status": "engage_connect_group_status__aln",
    "group": "engage_connect_group__aln",
}
FIELDS = {"engage": ENGAGE, "engage_connect": CONNECT}
RETRY = "retry_request__aln"
DOWN = {"path": "/api/v26.1", "fault": "status", "status": 503, "count": 999}


@dataclass
class Desk:
    """Acme's Align: what its admins do there, and what they see."""

    licences: Licences
    align: VaultInProcess
    wire: InProcess

    def person(self, **fields: Any) -> tuple[str, str]:
        """Create a person in Salesforce, Vault CRM and Align; returns the ids in the vaults."""
        user = self.licences.person()
        self.licences.imported()
        member = self.licences.member(user)
        return user, self.record(email__aln=member["email"], username__aln=member["username"], **fields)

    def record(self, **fields: Any) -> str:
        """Create a roster member in Align; returns the id."""
        answer = self.align.write("POST", [{"name__v": "Ada", **fields}], of=OBJECT)
        return str(answer["data"][0]["data"]["id"])

    def ask(self, record: str, group: str | None, feature: str = "engage") -> None:
        """Name a group and select Retry Request."""
        fields = FIELDS[feature]
        self.edit(record, **{fields["request"]: group, fields["status"]: RETRY})

    def edit(self, record: str, **fields: Any) -> None:
        """Save a roster member in Align."""
        self.align.clock.pass_s(1)
        self.align.log_in()
        answer = self.align.write("PUT", [{"id": record, **fields}], of=OBJECT)
        assert answer["data"][0]["responseStatus"] == "SUCCESS", answer

    def shows(self, record: str, feature: str = "engage") -> tuple[str | None, str | None, str | None]:
        """Return request, status and group of a roster member."""
        self.align.log_in()
        names = ", ".join(FIELDS[feature].values())
        vql = f"SELECT {names} FROM {OBJECT} WHERE id = '{record}'"  # noqa: S608  # VQL of tests
        (row,) = self.align.query(vql)["data"]
        request, status, group = (row[name] for name in FIELDS[feature].values())
        return request, status[0] if status else None, group

    def calls(self) -> list[tuple[str, str]]:
        """Return the calls to Align since this was asked last, logins left out."""
        found = [call for call in self.wire.calls if not call[1].endswith("/auth")]
        self.wire.calls.clear()
        return found

    def faults(self, *faults: dict[str, Any]) -> None:
        """Have Align misbehave so; none: behave."""
        self.align.control("POST", "faults", list(faults))

    def snapshot(self) -> tuple[Any, bytes]:
        """Return all that there is, to go back to."""
        return self.licences.snapshot(), data_of(self.align.vault.store)

    def go_back_to(self, then: tuple[Any, bytes]) -> None:
        """Make everything what it was."""
        licences, align = then
        self.licences.go_back_to(licences)
        renew_vault(self.align, align)
        self.calls()

    def errors(self) -> list[str]:
        """Return the codes in the error log, oldest first."""
        return [entry["code"] for entry in reversed(self.licences.company.errors())]


def set_up(desk: Desk) -> None:
    connect(desk.licences)


def connect(licences: Licences, **more: Any) -> None:
    """Save settings with Align connected."""
    connections = {**licences.company.document["connections"], "align": {"host": ALIGN_HOST}}
    said = licences.company.put(connections=connections, **more)
    assert said["status"] == "succeeded", said
    assert said["warnings"] == []
