"""The roster of the examples: who is in it, who waits, and the decisions that all of it came from."""

from dataclasses import replace
from datetime import UTC, datetime

from muster.error_log import LogEntry
from muster.roster.accounts import Account
from muster.roster.data_capture import Capture
from muster.roster.decisions import Decision, Outcome
from muster.roster.engage_state import Engage
from muster.roster.history import FieldChange, HistoryEntry
from muster.roster.licence_places import Place
from muster.roster.links import Link
from muster.roster.member import Member
from muster.roster.reasons import INACTIVE_USER, NAMESAKE_ACTIVE, UNMATCHED
from muster.roster.seats import HELD_SEAT, SeatPlace
from muster.roster.vault_state import Tries, VaultState

ORGANIZATION = "acme"
NOW = datetime(2026, 11, 20, 8, 16, tzinfo=UTC)
ADA, BOB, GRACE = "005000000000001AAA", "005000000000002AAA", "005000000000003AAA"
CLEO, DAN = "005000000000004AAA", "005000000000005AAA"
FIRST_RUN, IMPORT, PUSH = (
    "20261120T081500000-00000001",
    "20261120T091500000-00000002",
    "20261120T111500000-00000004",
)
ATTEMPT = 2

_WAITS_FOR_LICENCE = Place("engage", "UK Field Force", "2026-11-20T08:10:00.000Z", "2026-11-20T08:14:00.000Z")

ADA_IN_ROSTER = Member(
    id="ada",
    organization=ORGANIZATION,
    active=True,
    inactive_reason="cleared",
    enabled=True,
    inbound_enabled=True,
    username="Ada@acme.example",
    email="ada.lovelace@acme.example",
    own_email="ada.lovelace@analytical.example",
    first_name="Ada",
    last_name="Lovelace",
    name="Ada Lovelace",
    title="Rep",
    phone_numbers={"mobile": "+44 7700 900001", "other": None},
    extension="12",
    locale="en_GB",
    language="en_US",
    time_zone="Europe/London",
    picture_url="https://acme.my.salesforce.com/profilephoto/005/T",
    manager="grace",
    crm={
        "salesforce": {
            "id": ADA,
            "username": "ada@acme.example",
            "email": "ada@acme.example",
            "call_center_id": "04v000000000001AAA",
            "profile_id": "00e000000000001AAA",
            "user_role_id": "00E000000000001AAA",
            "user_type": "Standard",
            "language": None,
        },
        "vault_crm": {"id": "10042", "username": "ada@vault.example"},
    },
    custom={"Region__c": "EMEA", "Country": None},
    assignment="Field sales",
    assignment_filter="0011223344556677",
    update_mode="manual",
    seats={
        "gong": HELD_SEAT,
        "forecast": SeatPlace("waiting", "2026-11-20T08:15:31.000Z", 2),
        "insight": SeatPlace("blocked", requires="forecast"),
    },
    workspaces={"EMEA": "Team member"},
    data_capture={
        "record_web_conferences": Capture("enabled", "enabled", "gong", "assignment:Field sales"),
        "import_emails": Capture("enabled", "disabled", "forecast", "manual:jane@acme.example"),
    },
    engage=Engage("UK Field Force", "no_licenses_remaining", "EU Field Force"),
    engage_connect=Engage("UK Connect", "retry_request", "EU Connect"),
    crm_user_status="active",
    end_date="2026-12-31",
    matched=("Field sales", "Everyone else"),
    reports_to=GRACE,
    in_loop=True,
    origins={"seats.gong": "manual:jane@acme.example", "engage": "align"},
    kept_reason=UNMATCHED,
    frozen_since="2026-11-19T08:15:31.000Z",
    unmatched_since="2026-11-19T08:15:31.000Z",
    digest="00112233.44556677",
    vault=VaultState.from_json(
        {
            "active": False,
            "engage": "EU Field Force",
            "engage_connect": "EU Connect",
            "digest": "8899aabb",
            "waits": {
                "engage": {
                    "group": _WAITS_FOR_LICENCE.group,
                    "since": _WAITS_FOR_LICENCE.since,
                    "tried": _WAITS_FOR_LICENCE.tried,
                }
            },
            "align": {
                "id": "V0001",
                "taken": "2026-11-20T08:12:00.000Z",
                "told": {
                    "engage": {"request": "UK Field Force", "status": "success", "group": "EU Field Force"},
                    "engage_connect": {"request": None, "status": None, "group": None},
                },
            },
        }
    ),
    accounts={
        "scim.gong": Account(
            standing="linked",
            system="api.gong.example/scim/v2",
            id="1042",
            user_name="ada@acme.example",
            origin="created",
            access="given",
            active=True,
            sent={"userName": "ada@acme.example", "entitlements": ("gong",)},
            groups={"Field sales": "77"},
            joining=("Everyone else",),
            unsure=True,
            taken=True,
            full_since="2026-11-20T08:15:00.000Z",
            tries=Tries(since="2026-11-20T08:15:00.000Z", last="2026-11-20T08:15:00.000Z", count=2),
            tried="0011223344556677",
            why="is answered 403: no licence left",
        )
    },
    changed_for=("scim.gong",),
    sources={"salesforce": "2026-11-20T08:15:31.000Z|2|~2026-11-20T08:15:40.000000Z|"},
    former_keys=("email#lovelace@acme.example",),
    version=1,
    updated_at="2026-11-20T08:15:41.000Z",
)
GRACE_IN_ROSTER = Member(
    id="grace",
    organization=ORGANIZATION,
    active=True,
    username="grace@acme.example",
    email="grace@acme.example",
    crm={"salesforce": {"id": GRACE}},
    version=1,
)
BOB_BEFORE = Member(
    id="bob",
    organization=ORGANIZATION,
    active=True,
    username="bob@acme.example",
    crm={"salesforce": {"id": BOB}, "vault_crm": {"id": "10043"}},
    seats={"gong": HELD_SEAT},
    engage=Engage("UK Field Force", "success", "UK Field Force"),
    version=1,
)
BOB_LEFT = replace(
    BOB_BEFORE,
    active=False,
    inactive_reason=INACTIVE_USER,
    inactive_since="2026-11-20T08:15:42.000Z",
    seats={},
    engage=Engage(None, None, None),
    version=2,
    revision=1,
)

LINKS = {
    "ada": Link(crm_id=ADA, member="ada"),
    "bob": Link(crm_id=BOB, member="bob"),
    "grace": Link(crm_id=GRACE, member="grace"),
    # Waits for Ada's address. 0.2.0 stored fields and matches with her, which nobody reads any more.
    "cleo": Link(
        crm_id=CLEO,
        reason=NAMESAKE_ACTIVE,
        source="2026-11-20T08:15:30.000Z|1|04l000000000004AAA|abcd",
        match_keys=("email#ada.lovelace@acme.example",),
    ),
    # Is not in the roster, and an older message must not let him in.
    "dan": Link(crm_id=DAN, reason=UNMATCHED, source="2026-11-20T08:15:30.000Z|0|04l000000000005AAA|dcba"),
}


def _entry(member: str, version: int, *changes: FieldChange) -> HistoryEntry:
    return HistoryEntry(
        member=member,
        version=version,
        at="2026-11-20T08:15:41.000Z",
        origin="crm",
        run=f"run:{FIRST_RUN}",
        changes=changes,
    )


HISTORY = (
    _entry("ada", 1, FieldChange("seats.gong.state", None, "held"), FieldChange("active", False, True)),
    _entry("bob", 1, FieldChange("username", None, "bob@acme.example")),
    _entry("bob", 2, FieldChange("inactive_reason", None, INACTIVE_USER)),
    _entry("grace", 1, FieldChange("phone_numbers.mobile", "+44 7700 900003", None)),
)

DECISIONS = (
    Decision(
        outcome=Outcome.CREATED, after=GRACE_IN_ROSTER, history=HISTORY[3], link=LINKS["grace"], newcomer=True
    ),
    Decision(
        outcome=Outcome.CREATED,
        after=ADA_IN_ROSTER,
        history=HISTORY[0],
        link=LINKS["ada"],
        newcomer=True,
        limits={"gong": 200},
    ),
    Decision(outcome=Outcome.CREATED, after=BOB_BEFORE, history=HISTORY[1], link=LINKS["bob"], newcomer=True),
    Decision(
        outcome=Outcome.DEACTIVATED,
        before=replace(BOB_BEFORE, revision=1),
        after=BOB_LEFT,
        history=HISTORY[2],
    ),
    Decision(outcome=Outcome.WAITING, link=LINKS["cleo"]),
    Decision(outcome=Outcome.NOT_PROVISIONED, link=LINKS["dan"]),
)

ERRORS = (
    LogEntry(
        at="2026-11-20T08:15:42.000Z",
        system="salesforce",
        record=ADA,
        notification="04l000000000001AAA",
        code="not_understood",
        message="SystemModstamp is no time",
        remedy="Look at the user in Salesforce.",
    ),
    LogEntry(
        at="2026-11-20T08:15:43.000Z",
        system="vault_crm",
        record=None,
        notification="vault_crm",
        code="connection_quarantined",
        message="has failed 3 times",
        remedy="Correct the password.",
    ),
)
