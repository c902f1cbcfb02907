"""One of everything that Muster stores, by the version that wrote it; no attribute is left at its default.

A version that stores more gets an entry in `WRITTEN_BY`, made from the one before it:
`replace(WRITTEN_BY["0.2.0"], members=…)`. What is read of an older version does not change.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from muster.connections.quarantine import Health
from muster.crm.engage_features import Feature, Seen
from muster.engage.push_items import PushItem, Step
from muster.error_log import LogEntry
from muster.imports.plan_items import Item
from muster.provisioning.app_state import AppState
from muster.roster.decisions import Decision, UnlinkedReason
from muster.roster.history import FieldChange, HistoryEntry
from muster.roster.links import Link
from muster.roster.member import Member
from muster.roster.reasons import UNMATCHED
from muster.roster.unlinked_holders import UnlinkedHolder
from muster.roster.written_fields import FieldWrite
from muster.runs.import_state import ImportState, SourceState
from muster.runs.run import Phase, Run, Status
from muster.settings.versions import StoredSettings
from muster.sources.user_changes import UserChange
from muster.sources.vault_users import LinkLost, LostLink, VaultUser
from muster.webhook.messages import ParkedNotification, QueuedChange, QueuedMessage
from muster.webhook.tokens import Token, WebhookRegistration
from muster.webhook_setup.setup_record import Outcome as SetupOutcome
from muster.webhook_setup.setup_record import Setup
from tests.integration.stored.roster_values import (
    ADA,
    ADA_IN_ROSTER,
    ATTEMPT,
    BOB,
    BOB_LEFT,
    DECISIONS,
    ERRORS,
    FIRST_RUN,
    GRACE_IN_ROSTER,
    HISTORY,
    IMPORT,
    LINKS,
    ORGANIZATION,
    PUSH,
)
from tests.integration.stored.settings_documents import EVERY_KEY, PLAIN


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What one version wrote; `decisions`, in their order, are what members, links and lines came from."""

    decisions: tuple[Decision, ...]
    members: tuple[Member, ...]
    links: tuple[Link, ...]
    history: tuple[HistoryEntry, ...]
    errors: tuple[LogEntry, ...]
    runs: tuple[Run, ...]
    leased_by: str
    state: ImportState
    health: Mapping[str, Health]
    settings: tuple[StoredSettings, ...]
    registration: WebhookRegistration
    setup: Setup
    received_at: datetime
    message: QueuedMessage
    import_plan: tuple[Item, ...]
    import_summary: Mapping[str, Any]
    push_plan: tuple[PushItem, ...]
    app: AppState
    holders: tuple[UnlinkedHolder, ...]


# ── Runs ─────────────────────────────────────────────────────────────────────────────────────────────

_RUN = Run(
    id=FIRST_RUN,
    organization=ORGANIZATION,
    mode="incremental",
    started_at="2026-11-20T08:15:00Z",
    kind="settings",
    status=Status.PARKED,
    phase=Phase.APPLY,
    by="jane@acme.example",
    preview=True,
    members=(ADA, BOB),
    since="2026-11-20T08:00:00Z",
    attempt=ATTEMPT,
    gathered_at="2026-11-20T08:15:01Z",
    settings_version=7,
    approved="1f2e",
    approved_by="joe@acme.example",
    rejected_by="joe@acme.example",
    request_id="9d6c2b8e-0000-4000-8000-000000000001",
    decided_request_id="9d6c2b8e-0000-4000-8000-000000000002",
    settings_hash="5e6f",
    why="Only Britain",
    cursor=100,
    planned=250,
    counts={"created": 3, "grant": 2},
    left_out={"email_domain": 2},
    integration_users={"salesforce": ADA, "align": "10007"},
    errors=1,
    plan_hash="3d4c",
    expires_at="2026-11-23T08:15:00Z",
    updated_at="2026-11-20T08:15:02Z",
    finished_at="2026-11-20T08:15:03Z",
    message="Would deactivate 12 of 40.",
)
# Every status, phase, mode and kind there is.
_RUNS = (
    _RUN,
    # Has applied its plan, and has yet to tell managers and end.
    replace(
        _RUN,
        id=IMPORT,
        status=Status.RUNNING,
        mode="full",
        kind="import",
        preview=False,
        settings_version=2,
        cursor=3,
        planned=3,
    ),
    replace(
        _RUN, id="20261120T101500000-00000003", status=Status.SUCCEEDED, phase=Phase.NOTIFY, mode="members"
    ),
    replace(_RUN, id=PUSH, status=Status.SUCCEEDED_WITH_ERRORS, mode=None, kind="push"),
    replace(
        _RUN,
        id="20261120T114500000-00000009",
        status=Status.SUCCEEDED,
        mode=None,
        kind="push",
        app="scim.gong",
        compares=True,
    ),
    replace(_RUN, id="20261120T121500000-00000005", status=Status.PREVIEWED, phase=Phase.GATHER),
    replace(_RUN, id="20261120T131500000-00000006", status=Status.REJECTED),
    replace(_RUN, id="20261120T141500000-00000007", status=Status.FAILED),
    replace(
        _RUN,
        id="20261120T151500000-00000008",
        status=Status.SUCCEEDED,
        mode=None,
        kind="undo",
        undoes=PUSH,
        undoes_kind="push",
    ),
)

_STATE = ImportState(
    salesforce=SourceState(
        watermark="2026-11-20T08:15:31.000Z", rows=4000, decided_with="5b6a", system="00D000000000062EAA"
    ),
    vault_crm=SourceState(
        watermark="2026-11-20T08:15:32.000Z",
        read_at="2026-11-20T08:15:02.000Z",
        rows=900,
        decided_with="97a6",
        system="acme-crm.veevavault.com",
    ),
    align=SourceState(watermark="2026-11-20T08:15:33.000Z", decided_with="a7b5"),
    active={"": 3800, "Field sales": 1200},
    approved="7988",
    approved_until="2026-11-23T08:15:00Z",
    full_run=FIRST_RUN,
    new_since="2026-11-19T08:16:00.000Z",
    completed_at="2026-11-20T08:16:00.000Z",
    frozen=(ADA,),
    vault_groups={"engage": ["UK Field Force"]},
    settings_tried=2,
)

_HOLDER = UnlinkedHolder(
    id="10088",
    username="eve@acme.example",
    email="eve@acme.example",
    active=True,
    groups={"engage": {"group": "UK", "request": None}},
    reason=UnlinkedReason.MEMBER_LEFT,
    since="2026-11-20T08:15:02Z",
    members=("bob",),
)

# ── Plans in the archive ─────────────────────────────────────────────────────────────────────────────

_SEEN: dict[Feature, Seen] = {
    "engage": Seen(request="EU Field Force", status="success", group="EU Field Force"),
    "engage_connect": Seen(),
}
_USER_CHANGE = UserChange(
    crm_id=ADA,
    fields={"Email": "ada@acme.example", "Title": None},
    source="2026-11-20T08:15:31.000Z|2|~2026-11-20T08:15:40.000000Z|",
    run=f"run:{FIRST_RUN}",
    matches=frozenset({"Field sales", "Everyone else"}),
    in_loop=False,
    frozen=False,
    fields_digest="00112233",
    succeeds="005000000000009AAA",
    received_at="2026-11-20T08:15:40.000Z",
)
_VAULT_USER = VaultUser(
    id="10042",
    username="ada@vault.example",
    email="ada@acme.example",
    active=True,
    seen=_SEEN,
    requests={"engage": "EU Field Force", "engage_connect": None},
    custom={"Country": "gb__c"},
    written={"title__sys": "Rep"},
    digest="8899aabb",
    modified="2026-11-20T08:12:00.000Z",
    run=f"run:{FIRST_RUN}",
    succeeds="10041",
    moved=True,
)
_LOST_LINK = LostLink(id="10043", member="bob", why=LinkLost.HANDED_ON, to="ada", run=f"run:{FIRST_RUN}")
_ITEM = Item(
    user=ADA,
    member="ada",
    name="Ada Lovelace",
    outcome="updated",
    operations=("update", "grant"),
    assignment="Field sales",
    former="Everyone else",
    reason=UNMATCHED,
    version=1,
    changes=(FieldChange("title", "Rep", "Lead"),),
    change=_USER_CHANGE,
)
_SENDING = PushItem(
    step=Step.ADDITION,
    user="10042",
    member="ada",
    name="Ada Lovelace",
    version=1,
    assignment="Field sales",
    seen=_SEEN,
    modified="2026-11-20T08:12:00.000Z",
    writes={"engage": {"request": "UK Field Force", "status": "retry_request"}},
    active=True,
    fields={"title": FieldWrite("title__sys", "Lead", "Lead", "Rep")},
    written={"title__sys": "Rep"},
    awaits="engage",
    retried=("engage_connect",),
    operations=("grant", "revoke"),
)

# What a run goes by that is finished by another invocation: it has planned, and applied every item.
_SUMMARY = {
    "hash": "3d4c",
    "counts": {"updated": 3, "grant": 2},
    "seats": {"gong": {"limit": 200, "held": 1, "waiting": 0}},
    "guard": ["Would deactivate 12 of 40."],
    "read": 4100,
    "newest": "2026-11-20T09:15:31.000Z",
    "active": {"": 3900, "Field sales": 1300},
    "evaluated_with": "6c7b",
    "noticed": 2,
    "vault_crm": {
        "read": 950,
        "unlinked": 4,
        "ambiguous": 1,
        "host": "acme-crm.veevavault.com",
        "newest": "2026-11-20T09:15:32.000Z",
        "whole": True,
    },
}

# ── All of it ────────────────────────────────────────────────────────────────────────────────────────

WRITTEN_BY: Mapping[str, Stored] = {
    "0.2.0": Stored(
        decisions=DECISIONS,
        members=(
            replace(ADA_IN_ROSTER, revision=1),
            replace(BOB_LEFT, revision=2),
            replace(GRACE_IN_ROSTER, revision=1),
        ),
        links=tuple(replace(link, revision=1) for link in LINKS.values()),
        history=HISTORY,
        errors=ERRORS,
        runs=_RUNS,
        app=AppState(
            system="api.gong.example/scim/v2",
            groups={"Field sales": "77"},
            decided_with="0011223344556677",
            compared_at="2026-11-20T08:15:00.000Z",
            orphans="8899aabbccddeeff",
        ),
        leased_by=IMPORT,
        state=_STATE,
        health={
            "vault_crm": Health(
                3,
                "2026-11-20T06:00:00+00:00",
                "2026-11-20T08:30:00+00:00",
                "maintenance",
                "2026-11-20T05:00:00.000Z",
            )
        },
        settings=(
            StoredSettings(
                ORGANIZATION, 1, PLAIN, "jane@acme.example", "2026-11-19T08:00:00Z", "to begin", "a1"
            ),
            StoredSettings(
                ORGANIZATION,
                2,
                EVERY_KEY,
                "joe@acme.example",
                "2026-11-20T08:00:00Z",
                "seats",
                "b2",
                approved_by="jane@acme.example",
                run=FIRST_RUN,
                request_id="9d6c2b8e-0000-4000-8000-000000000003",
                not_tried=({"where": "assignments[0].filter", "why": "Salesforce is down"},),
            ),
        ),
        registration=WebhookRegistration(
            organization_id="00D000000000062EAA",
            action_ids=("04k000000000001AAA",),
            tokens=(
                Token("c" * 64, None, "jane@acme.example"),
                Token("d" * 64, "2026-11-22T08:00:00Z", "joe@acme.example"),
            ),
            version=1,
        ),
        setup=Setup(
            action="rotate_token",
            by="jane@acme.example",
            at="2026-11-20T08:00:00Z",
            until="2026-11-20T08:06:00Z",
            attempt="e5",
            outcome=SetupOutcome.CONTINUE,
            deployment="0Af000000000001AAA",
            token="c" * 64,
            replaced="d" * 64,
        ),
        received_at=datetime(2026, 11, 20, 8, 14, tzinfo=UTC),
        message=QueuedMessage(
            organization=ORGANIZATION,
            provider="salesforce",
            received_at=datetime(2026, 11, 20, 8, 15, 32, 120_000, tzinfo=UTC),
            changes=(QueuedChange("04l000000000001AAA", {"Id": ADA, "IsActive": "true"}),),
            parked=(
                ParkedNotification("04l000000000002AAA", "Account", "001000000000001AAA", "other_object"),
                ParkedNotification("04l000000000003AAA", None, None, "no_fields"),
            ),
        ),
        import_plan=(
            _ITEM,
            replace(_ITEM, user="10042", change=_VAULT_USER),
            replace(_ITEM, user="10043", member="bob", outcome="unlinked", change=_LOST_LINK),
            replace(_ITEM, member=None, name=None, assignment=None, former=None, reason=None, version=0),
        ),
        import_summary=_SUMMARY,
        push_plan=(_SENDING, replace(_SENDING, step=Step.OUTCOME, writes={}, active=None, awaits=None)),
        holders=(_HOLDER,),
    )
}


def as_json(value: Any) -> Any:
    """Return a dataclass as the JSON that is shown of it."""
    return json.loads(json.dumps(asdict(value)))
