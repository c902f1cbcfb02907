"""Each command is an event to a function: nothing is left out, and nothing is made up."""

from typing import Any

import pytest

from tests.doubles.muster_functions import JANE, carry_out
from tests.unit.muster_cli.conftest import Answering

QUERY = "RosterQueryFunction"
RUN = "20261120T081532000-0a1b2c3d"

ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("explain ada@x", QUERY, {"action": "explain", "member": "ada@x"}),
    ("explain ada@x --live", QUERY, {"action": "explain", "member": "ada@x", "live": True}),
    ("member ada@x", QUERY, {"action": "member", "member": "ada@x"}),
    ("history ada@x --limit 5 --json", QUERY, {"action": "history", "member": "ada@x", "limit": 5}),
    ("as-of ada@x --at 2026-11-20", QUERY, {"action": "as_of", "member": "ada@x", "at": "2026-11-20"}),
    ("diff ada@x --since yesterday", QUERY, {"action": "diff", "member": "ada@x", "since": "yesterday"}),
    (
        "diff ada@x --since 2026-11-01 --until 2026-11-20",
        QUERY,
        {"action": "diff", "member": "ada@x", "since": "2026-11-01", "until": "2026-11-20"},
    ),
    (
        "as-of --at yesterday --filter seat=gong --limit 5",
        QUERY,
        {"action": "as_of", "at": "yesterday", "filter": {"seat": "gong"}, "limit": 5},
    ),
    (
        f"diff --since-run {RUN} --until today",
        QUERY,
        {"action": "diff", "since_run": RUN, "until": "today"},
    ),
    (f"diff --run {RUN}", QUERY, {"action": "diff", "run_id": RUN}),
    ("list", QUERY, {"action": "list"}),
    (
        "list --seat gong --assignment Sales --active any --limit 5 --cursor c",
        QUERY,
        {
            "action": "list",
            "filter": {"active": "any", "seat": "gong", "assignment": "Sales"},
            "limit": 5,
            "cursor": "c",
        },
    ),
    (
        "list --waiting gong --group UK --manager grace@x --active false",
        QUERY,
        {
            "action": "list",
            "filter": {"active": False, "waiting": "gong", "group": "UK", "manager": "grace@x"},
        },
    ),
    (
        "list --filter last_name=Lovelace --filter enabled=true --filter custom.Region__c=A=B",
        QUERY,
        {
            "action": "list",
            "filter": {"last_name": "Lovelace", "enabled": True, "custom.Region__c": "A=B"},
        },
    ),
    ("seats --json", QUERY, {"action": "seats"}),
    ("seats", QUERY, {"action": "seats", "detail": True}),
    ("errors --json", QUERY, {"action": "errors"}),
    ("runs --json --limit 2", QUERY, {"action": "runs", "limit": 2}),
    (f"run {RUN} --by joe@x", QUERY, {"action": "run", "run_id": RUN, "by": "joe@x"}),
    (
        "import --no-follow",
        "ScheduledImportFunction",
        {"mode": "incremental", "start": True, "by": JANE},
    ),
    (
        "import --full --preview --no-follow",
        "ScheduledImportFunction",
        {"mode": "full", "preview": True, "start": True, "by": JANE},
    ),
    (
        "import --members ada@x,bob@x --no-follow --by joe@x",
        "ScheduledImportFunction",
        {"members": ["ada@x", "bob@x"], "start": True, "by": "joe@x"},
    ),
    (
        "push --preview --no-follow",
        "ScheduledPushFunction",
        {"preview": True, "start": True, "by": JANE},
    ),
    (
        "resend-events --since yesterday --member ada@x --until 2026-11-20",
        "MemberEventsFunction",
        {
            "action": "resend_events",
            "since": "yesterday",
            "until": "2026-11-20",
            "member": "ada@x",
            "by": JANE,
        },
    ),
    ("preflight --json", "PreflightFunction", {}),
    (
        "preflight vault_crm align --candidates --json",
        "PreflightFunction",
        {"connections": ["vault_crm", "align"], "candidates": True},
    ),
    ("webhook status --json", "WebhookSetupFunction", {"action": "status"}),
    (
        "webhook install --check-only",
        "WebhookSetupFunction",
        {"action": "install", "check_only": True, "by": JANE},
    ),
    ("webhook refresh", "WebhookSetupFunction", {"action": "refresh", "by": JANE}),
    ("webhook rotate-token", "WebhookSetupFunction", {"action": "rotate_token", "by": JANE}),
    ("webhook remove", "WebhookSetupFunction", {"action": "remove", "by": JANE}),
    (
        "groups assign ada@x bob@x --group UK",
        "GroupAssignmentFunction",
        {
            "requests": [
                {"member": "ada@x", "action": "assign", "feature": "engage", "group": "UK"},
                {"member": "bob@x", "action": "assign", "feature": "engage", "group": "UK"},
            ],
            "by": JANE,
        },
    ),
    (
        "groups remove ada@x --feature engage_connect",
        "GroupAssignmentFunction",
        {"requests": [{"member": "ada@x", "action": "remove", "feature": "engage_connect"}], "by": JANE},
    ),
    (
        "groups retry ada@x",
        "GroupAssignmentFunction",
        {"requests": [{"member": "ada@x", "action": "retry", "feature": "engage"}], "by": JANE},
    ),
    (
        "set ada@x --seats gong,forecast --workspace EMEA=Manager --workspace US=none --capture a=enabled",
        "MemberSettingsFunction",
        {
            "changes": [
                {
                    "member": "ada@x",
                    "seats": ["gong", "forecast"],
                    "workspaces": {"EMEA": "Manager", "US": None},
                    "data_capture": {"a": "enabled"},
                }
            ],
            "by": JANE,
        },
    ),
    (
        "set ada@x bob@x --seats none --end-date 2026-12-31 --status inactive --manager none",
        "MemberSettingsFunction",
        {
            "changes": [
                {
                    "member": member,
                    "seats": [],
                    "end_date": "2026-12-31",
                    "crm_user_status": "inactive",
                    "manager": None,
                }
                for member in ("ada@x", "bob@x")
            ],
            "by": JANE,
        },
    ),
    (
        "set ada@x --capture a=none --as-manager --by grace@x",
        "MemberSettingsFunction",
        {"as": "manager", "changes": [{"member": "ada@x", "data_capture": {"a": None}}], "by": "grace@x"},
    ),
    (
        "accounts adopt scim.gong --state to_adopt --preview",
        "MemberSettingsFunction",
        {
            "accounts": {"scim.gong": "adopt"},
            "filter": {"account": "to_adopt"},
            "preview": True,
            "by": JANE,
        },
    ),
    (
        "accounts ignore scim.gong ada@x bob@x --why theirs",
        "MemberSettingsFunction",
        {"accounts": {"scim.gong": "ignore"}, "members": ["ada@x", "bob@x"], "why": "theirs", "by": JANE},
    ),
    (
        "accounts reconsider scim.gong ada@x",
        "MemberSettingsFunction",
        {"accounts": {"scim.gong": "reconsider"}, "members": ["ada@x"], "by": JANE},
    ),
    (
        "settings get --version 3",
        "OrganizationSettingsFunction",
        {"action": "get", "version": 3, "detail": True},
    ),
    ("settings history --json", "OrganizationSettingsFunction", {"action": "history"}),
    (
        "settings restore 3 --why Leeds",
        "OrganizationSettingsFunction",
        {"action": "restore", "version": 3, "why": "Leeds", "by": JANE},
    ),
    ("health", QUERY, {"action": "health"}),
    ("health --not-live --detail", QUERY, {"action": "health", "live": False, "detail": True}),
    ("changes --since yesterday", QUERY, {"action": "changes", "since": "yesterday"}),
    (
        "changes --person ada@x --cause import --value seats --since 2026-11-19 --until 2026-11-20",
        QUERY,
        {
            "action": "changes",
            "person": "ada@x",
            "cause": "import",
            "value": "seats",
            "since": "2026-11-19",
            "until": "2026-11-20",
        },
    ),
    (f"changes --run {RUN}", QUERY, {"action": "changes", "run_id": RUN}),
    ("licences --limit 3", QUERY, {"action": "licences", "limit": 3}),
    ("export roster", QUERY, {"action": "export", "what": "roster", "format": "csv"}),
    (
        "export changes --since yesterday --until today",
        QUERY,
        {"action": "export", "what": "changes", "format": "csv", "since": "yesterday", "until": "today"},
    ),
    ("list --contains love", QUERY, {"action": "list", "filter": {"contains": "love"}}),
    ("errors --state solved --json", QUERY, {"action": "errors", "state": "solved"}),
    (
        "runs --kind import --status parked --with-news --json",
        QUERY,
        {"action": "runs", "filter": {"kind": "import", "status": "parked", "with_news": True}},
    ),
]


@pytest.mark.parametrize(
    ("words", "function", "event"), ASKED, ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_command_is_one_event(
    answering: Answering, words: str, function: str, event: dict[str, Any]
) -> None:
    functions = answering()

    carry_out(*words.split(), "-o", "acme")

    assert functions.asked == [(function, {"organization": "acme", **event})]


def test_the_organizations_are_asked_about_without_one(answering: Answering) -> None:
    functions = answering()

    carry_out("organizations", "--limit", "3")

    assert functions.asked == [(QUERY, {"action": "organizations", "limit": 3, "detail": True})]


@pytest.mark.parametrize(
    ("there_are", "asked", "said"),
    [
        (["acme"], [{"organization": "acme", "action": "health"}], ""),
        (["acme", "globex"], [], "There are several organizations.\n  Say which with -o"),
        ([], [], "There is no organization yet."),
    ],
)
def test_the_only_organization_need_not_be_named(
    answering: Answering, there_are: list[str], asked: list[dict[str, Any]], said: str
) -> None:
    names = [{"organization": name} for name in there_are]
    functions = answering({"status": "succeeded", "message": "", "organizations": names})

    result = carry_out("health")

    assert [event for _, event in functions.asked[1:]] == asked
    assert said in result.stderr
    assert result.exit_code == (0 if asked else 1)


def test_the_environment_names_the_organization(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = answering()
    monkeypatch.setenv("MUSTER_ORGANIZATION", "globex")

    carry_out("health")

    assert functions.asked == [(QUERY, {"organization": "globex", "action": "health"})]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("import --full --members ada@x", "--full is about everyone."),
        ("list --filter gong", "--filter gong is not NAME=VALUE."),
        ("set ada@x --workspace EMEA", "--workspace EMEA is not NAME=VALUE."),
    ],
)
def test_what_cannot_be_an_event_is_refused_before_anything_is_asked(
    answering: Answering, words: str, said: str
) -> None:
    functions = answering()

    result = carry_out(*words.split(), "-o", "acme")

    assert result.exit_code == 1
    assert said in result.stderr
    assert not functions.asked
