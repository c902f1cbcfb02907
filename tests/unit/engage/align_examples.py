"""Ada, her record in Align, and settings with Align connected."""

from dataclasses import replace
from datetime import date
from typing import Any

from muster.crm.engage_features import ENGAGE, FEATURES, REQUEST_SENT, RETRY_REQUEST, Feature, Seen
from muster.engage.align_records import AlignRecord
from muster.roster import engage_groups
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from muster.roster.vault_state import AlignMark, VaultState
from tests.examples import settings
from tests.members import changed

TODAY = date(2026, 11, 20)
FEATURES_MANAGED = ["engage", "engage_connect"]
VAULT = {"host": "acme-crm.veevavault.com", "manage_features": FEATURES_MANAGED}
ASSIGNMENTS = [
    {"name": "Sales", "update_mode": "automatic", "engage": {"group": "UK"}},
    {"name": "Support", "update_mode": "manual", "engage": {"group": "UK"}},
]
DESK = {"host": "acme-align.veevavault.com"}
ACME = settings(connections={"vault_crm": VAULT, "align": DESK}, assignments=ASSIGNMENTS)
BY_USERNAME = settings(connections={"vault_crm": VAULT | {"match": "username"}, "align": DESK})
ENGAGE_ONLY = settings(connections={"vault_crm": VAULT | {"manage_features": ["engage"]}, "align": DESK})
RETRY, SENT = RETRY_REQUEST, REQUEST_SENT
CREATED, MODIFIED = "2026-11-20T08:00:00.000Z", "2026-11-20T08:16:00.000Z"


def held(request: str | None = None, status: str | None = None, group: str | None = None) -> Engage:
    return Engage(request, status, group)


def member(**attributes: Any) -> Member:
    """Return Ada, who is in Vault CRM and has asked for nothing."""
    ada = Member(
        id="ada",
        organization="acme",
        active=True,
        email="Ada@acme.example",
        username="ada@acme.crm",
        crm={"vault_crm": {"id": "10042"}},
        vault=VaultState(active=True),
    )
    return changed(ada, **attributes)


def record(seen: Seen | None = None, feature: Feature = ENGAGE, **attributes: Any) -> AlignRecord:
    """Return Ada's record, with Retry Request for UK unless something else is seen."""
    shown = dict.fromkeys(FEATURES, Seen()) | {feature: seen or Seen("UK", RETRY)}
    given: dict[str, Any] = {
        "id": "V4R1",
        "name": "ada@acme.example",
        "created": CREATED,
        "modified": MODIFIED,
        "seen": shown,
        "by_hand": {"crm_user_status": "active", "end_date": None},
    }
    return AlignRecord(**(given | attributes))


def filled(ada: Member) -> Member:
    """Return the member as it is once its record shows what it has."""
    mark = AlignMark(id="V4R1", taken=None, told=engage_groups.align_view(ada), filled=FEATURES)
    return replace(ada, vault=replace(ada.vault, align=mark))
