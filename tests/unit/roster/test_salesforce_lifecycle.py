from dataclasses import replace
from typing import Any

import pytest

from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.history import FieldChange
from muster.roster.links import Link
from muster.roster.member import Member
from muster.roster.reasons import NAMESAKE_ACTIVE, REPLACED
from muster.roster.salesforce_lifecycle import decide, recorded, wanted_for
from tests.examples import ADA, BOB, NOW, change, settings

ACME = settings()


def member(**attributes: Any) -> Member:
    """Return Ada as a member, as `decide` itself makes her."""
    created = decide(change(10), Known(), ACME, {}, NOW).after
    assert created
    return replace(created, revision=1, **attributes)


def linked(known: Member) -> Known:
    return Known(link=Link(crm_id=ADA, member=known.id, revision=1), member=known)


def fields_changed(decision: Decision) -> dict[str, tuple[Any, Any]]:
    assert decision.history
    return {each.field: (each.before, each.after) for each in decision.history.changes}


def test_an_unknown_eligible_user_becomes_a_member() -> None:
    decision = decide(change(), Known(matches={"email#ada@acme.example": frozenset()}), ACME, {}, NOW)
    assert decision.outcome is Outcome.CREATED
    assert decision.before is None
    assert decision.matches == {"email#ada@acme.example": frozenset()}
    created = decision.after
    assert created
    assert decision.link == Link(crm_id=ADA, member=created.id)
    assert created.to_json() | {"id": "…"} == {
        "id": "…",
        "organization": "acme",
        "active": True,
        "inactive_reason": None,
        "enabled": True,
        "inbound_enabled": True,
        "username": "ada@acme.example",
        "email": "ada@acme.example",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "name": "Ada Lovelace",
        "title": "Rep",
        "phone_numbers": [
            {"type": "mobile", "number": "+44 7700 900001"},
            {"type": "other", "number": "+44 20 7946 0001"},
        ],
        "extension": "12",
        "locale": "en_GB",
        "language": "en_US",
        "time_zone": "Europe/London",
        "picture_url": "https://acme.my.salesforce.com/profilephoto/005/T",
        "manager": None,
        "crm": {
            "salesforce": {
                "id": ADA,
                "username": "ada@acme.example",
                "email": "ada@acme.example",
                "call_center_id": "04v000000000001AAA",
                "profile_id": "00e000000000001AAA",
                "user_role_id": "00E000000000001AAA",
                "user_type": "Standard",
                "language": "en_US",
            }
        },
        "custom": {},
        "assignment": None,
        "update_mode": None,
        "seats": {},
        "workspaces": {},
        "data_capture": {},
        "engage": {"request": None, "status": None, "group": None},
        "engage_connect": {"request": None, "status": None, "group": None},
        "crm_user_status": None,
        "end_date": None,
        "source_version": "2026-11-20T08:15:31.000Z",
        "version": 1,
        "updated_at": "2026-11-20T08:16:00.000Z",
    }


def test_another_spelling_of_a_value_is_written_but_is_no_change() -> None:
    """Until 0.2.0 a query stored a date and time as REST spells it."""
    acme = settings(auto_provision={"custom_fields": ["At__c", "Sum__c"]})
    at = {"At__c": "2026-11-01T08:00:00.000Z", "Sum__c": "12345678.0"}
    stored = member(custom={"At__c": "2026-11-01T08:00:00.000+0000", "Sum__c": "1.2345678E7"})
    vault = {"id": "V0B000000001001"}
    salesforce = {**stored.crm["salesforce"], "profile_id": "00e000000000001"}
    stored = replace(stored, crm={"salesforce": salesforce, "vault_crm": vault})
    decision = decide(change(40, acme, **at), linked(stored), acme, {}, NOW)
    assert (decision.outcome, decision.history) == (Outcome.UNCHANGED, None)
    assert decision.after
    assert decision.after.custom == at
    assert decision.after.crm["salesforce"]["profile_id"] == "00e000000000001AAA"
    assert decision.after.crm["vault_crm"] == vault
    decision = decide(change(40, acme, **at, Title="Chief"), linked(stored), acme, {}, NOW)
    assert fields_changed(decision) == {"title": ("Rep", "Chief")}


def test_what_is_changed_by_hand_leaves_spellings_out_of_history() -> None:
    stored = member(custom={"At__c": "2026-11-01T08:00:00.000+0000"})
    after = replace(stored, end_date="2026-12-31")
    decision = recorded(stored, after, Outcome.UPDATED, ACME, NOW, "manual:jane", "edit")
    assert fields_changed(decision) == {"end_date": (None, "2026-12-31")}


@pytest.mark.parametrize(
    ("sent", "above"),
    [(BOB, BOB), (BOB[:15], BOB), ("x" * 3_000, None), ("Grace Hopper", None), (None, None)],
    ids=["18", "15", "3000", "no id", "nobody"],
)
def test_a_manager_is_looked_up_by_an_id_of_eighteen_characters(sent: str | None, above: str | None) -> None:
    led = replace(change(40), fields={**change(40).fields, "ManagerId": sent})
    assert wanted_for(led, ACME).manager == above
    decision = decide(led, Known(manager="boss" if above else None), ACME, {}, NOW)
    assert decision.after
    assert (decision.after.reports_to, decision.after.manager) == (above, "boss" if above else None)


def test_creating_writes_one_history_entry_of_everything_that_is_set() -> None:
    decision = decide(change(), Known(), ACME, {}, NOW)
    assert decision.history
    assert (decision.history.version, decision.history.origin) == (1, "crm")
    assert decision.history.run == "webhook:04l000000000031AAA"
    assert fields_changed(decision)["first_name"] == (None, "Ada")
    assert "source_version" not in fields_changed(decision)


@pytest.mark.parametrize(
    ("fields", "outcome", "changed"),
    [
        (
            {"FirstName": "Augusta"},
            Outcome.UPDATED,
            {"first_name": ("Ada", "Augusta"), "name": ("Ada Lovelace", "Augusta Lovelace")},
        ),
        ({"Title": None}, Outcome.UPDATED, {"title": ("Rep", None)}),
        ({"MobilePhone": None}, Outcome.UPDATED, {"phone_numbers.mobile": ("+44 7700 900001", None)}),
        (
            {"Email": "countess@acme.example"},
            Outcome.UPDATED,
            {
                "email": ("ada@acme.example", "countess@acme.example"),
                "crm.salesforce.email": ("ada@acme.example", "countess@acme.example"),
            },
        ),
        (
            {"IsActive": "false"},
            Outcome.DEACTIVATED,
            {
                "active": (True, False),
                "inactive_reason": (None, "inactive_user"),
                "enabled": (True, False),
                "inbound_enabled": (True, False),
            },
        ),
        (
            {"CallCenterId": None},
            Outcome.DEACTIVATED,
            {
                "active": (True, False),
                "inactive_reason": (None, "call_center_missing"),
                "enabled": (True, False),
                "inbound_enabled": (True, False),
                "crm.salesforce.call_center_id": ("04v000000000001AAA", None),
            },
        ),
    ],
)  # fmt: skip
def test_a_known_user_is_followed(fields: dict[str, Any], outcome: Outcome, changed: dict[str, Any]) -> None:
    decision = decide(change(11, **fields), linked(member()), ACME, {}, NOW)
    assert decision.outcome is outcome
    assert fields_changed(decision) == changed
    assert decision.after
    assert decision.after.version == 2
    assert decision.link is None


def test_without_required_call_center_only_inbound_needs_one() -> None:
    lenient = settings(auto_provision={"require_call_center": False})
    decision = decide(change(11, CallCenterId=None), linked(member()), lenient, {}, NOW)
    assert decision.after
    assert (decision.after.active, decision.after.enabled, decision.after.inbound_enabled) == (
        True,
        True,
        False,
    )


def test_a_deactivated_member_comes_back_as_the_same_member() -> None:
    gone = decide(change(11, IsActive="false"), linked(member()), ACME, {}, NOW).after
    assert gone
    back = decide(change(12), linked(gone), ACME, {}, NOW)
    assert back.outcome is Outcome.REACTIVATED
    assert back.after
    assert (back.after.id, back.after.active, back.after.inactive_reason) == (gone.id, True, None)


def test_keep_active_keeps_the_member_but_follows_the_identity() -> None:
    keeping = settings(keep_active={"when_deactivated": True})
    decision = decide(change(11, IsActive="false", Title="Lead"), linked(member()), keeping, {}, NOW)
    assert decision.after
    assert (decision.after.active, decision.after.enabled, decision.after.title) == (True, True, "Lead")


def test_a_newer_state_with_the_same_content_moves_the_source_version_only() -> None:
    decision = decide(change(11), linked(member()), ACME, {}, NOW)
    assert decision.outcome is Outcome.UNCHANGED
    assert decision.history is None
    assert decision.after
    assert decision.after.version == 1
    assert decision.after.sources["salesforce"].startswith("2026-11-20T08:15:11")


@pytest.mark.parametrize("second", [9, 10])
def test_an_older_or_the_same_state_changes_nothing(second: int) -> None:
    decision = decide(
        change(second, IsActive="true" if second == 10 else "false"), linked(member()), ACME, {}, NOW
    )
    assert decision.outcome is Outcome.STALE
    assert not decision.writes


@pytest.mark.parametrize("fields", [{"IsActive": "false"}, {"FirstName": None}, {"CallCenterId": None}])
def test_an_unknown_user_who_is_not_eligible_is_remembered_but_not_added(
    fields: dict[str, Any],
) -> None:
    newest = change(12, **fields)
    decision = decide(newest, Known(), ACME, {}, NOW)
    assert decision.outcome is Outcome.NOT_PROVISIONED
    assert decision.after is None
    assert decision.link
    assert decision.link.source == newest.source
    # What was true before must not let the person in when it arrives late.
    late = decide(change(11), Known(link=decision.link), ACME, {}, NOW)
    assert late.outcome is Outcome.STALE


def test_a_member_without_this_crm_id_is_linked_not_duplicated() -> None:
    stray = Member(
        id="m1",
        organization="acme",
        active=True,
        username="x@acme.example",
        email="ADA@acme.example",
        version=3,
    )
    decision = decide(change(), Known(namesakes=(stray,)), ACME, {}, NOW)
    assert decision.outcome is Outcome.LINKED
    assert decision.after
    assert (decision.after.id, decision.after.version, decision.after.crm["salesforce"]["id"]) == (
        "m1",
        4,
        ADA,
    )
    assert decision.link == Link(crm_id=ADA, member="m1")


def test_a_recreated_user_takes_over_the_member_of_the_one_who_left() -> None:
    left = replace(member(), active=False, inactive_reason="inactive_user", enabled=False)
    decision = decide(
        change(12, Id=BOB, Username="ada@acme.example.new"), Known(namesakes=(left,)), ACME, {}, NOW
    )
    assert decision.outcome is Outcome.LINKED
    assert decision.before == left
    assert decision.after
    assert (decision.after.id, decision.after.active, decision.after.crm["salesforce"]["id"]) == (
        left.id,
        True,
        BOB,
    )
    assert decision.replaced == Link(crm_id=ADA, reason=REPLACED, source=left.sources["salesforce"])


def test_a_second_active_user_with_the_same_address_waits() -> None:
    newcomer = change(12, Id=BOB, Username="ada@acme.example.new")
    decision = decide(newcomer, Known(namesakes=(member(),)), ACME, {}, NOW)
    assert decision.outcome is Outcome.WAITING
    assert decision.after is None
    assert decision.unchanged == (member(),)
    assert decision.link
    assert decision.link.reason == NAMESAKE_ACTIVE
    assert decision.entry
    assert (decision.entry.code, decision.entry.record) == ("waits_for_namesake", BOB)
    assert member().id in decision.entry.message
    assert decision.link.match_keys == ("username#ada@acme.example.new", "email#ada@acme.example")
    # Of a newer state note is taken, and nobody is told again. The namesake gone: in, by what is newer.
    newer = change(13, Id=BOB, Username="ada@acme.example.new")
    again = decide(newer, Known(link=decision.link, namesakes=(member(),)), ACME, {}, NOW)
    assert (again.outcome, again.writes, again.entry) == (Outcome.WAITING, True, None)
    gone = Known(link=decision.link, namesakes=(replace(member(), active=False),))
    assert decide(newcomer, gone, ACME, {}, NOW).outcome is Outcome.STALE
    assert decide(newer, gone, ACME, {}, NOW).outcome is Outcome.LINKED


def test_custom_fields_that_the_settings_list_sync_by_themselves() -> None:
    custom = settings(auto_provision={"custom_fields": ["Region__c", "Team__c"]})
    decision = decide(change(organization=custom, Region__c="EMEA"), Known(), custom, {}, NOW)
    assert decision.after
    assert decision.after.custom == {"Region__c": "EMEA", "Team__c": None}
    assert {"custom.Region__c"} <= fields_changed(decision).keys()


def test_an_edited_map_and_a_converted_domain_are_obeyed() -> None:
    edited = settings(
        auto_provision={"custom_fields": ["Job__c"]},
        field_maps={"salesforce": {"title": "Job__c", "extension": None}},
        domains={"primary": "acme.example", "convert": True},
    )
    after = decide(
        change(organization=edited, Job__c="Chief", Email="ada@other.example"), Known(), edited, {}, NOW
    ).after
    assert after
    assert (after.title, after.extension) == ("Chief", None)
    assert (after.email, after.crm["salesforce"]["email"]) == ("ada@acme.example", "ada@other.example")


def test_history_tells_before_and_after() -> None:
    decision = decide(change(11, Title="Lead"), linked(member()), ACME, {}, NOW)
    assert decision.history
    assert decision.history.changes == (FieldChange("title", "Rep", "Lead"),)


@pytest.mark.parametrize(
    ("in_loop", "reports_to", "found", "manager"),
    [
        (False, BOB, None, "bob"),  # Bob was not in the roster yet when Ada came
        (True, BOB, None, None),  # an import found a loop, and one change cannot tell that it is gone
        (True, "005000000000003AAA", None, "bob"),
        (True, BOB, False, "bob"),
        (False, BOB, True, None),
    ],
)
def test_a_loop_of_managers_stays_cut_until_the_manager_changes_or_an_import_says_otherwise(
    in_loop: bool, reports_to: str, found: bool | None, manager: str | None
) -> None:
    ada = member(reports_to=reports_to if not in_loop else BOB, in_loop=in_loop)
    led = replace(change(40, ManagerId=reports_to), in_loop=found)
    after = decide(led, replace(linked(ada), manager="bob"), ACME, {}, NOW).after
    assert after
    assert after.manager == manager


REGIONS = settings(
    auto_provision={"custom_fields": ["Region__c"]},
    field_maps={"vault_crm": {"inbound": {"custom": {"custom.Country": "country__c"}}}},
)


def test_what_the_settings_no_longer_name_disappears_and_what_vault_gives_stays() -> None:
    before = decide(change(10, REGIONS, Region__c="EMEA"), Known(), REGIONS, {}, NOW).after
    assert before
    before = replace(before, custom={**before.custom, "Country": "GB"})
    without = settings(field_maps=REGIONS.field_maps.model_dump(mode="json"))
    decision = decide(change(40, without, Region__c="AMER"), linked(before), without, {}, NOW)
    assert decision.after
    assert decision.after.custom == {"Country": "GB"}
    assert fields_changed(decision) == {"custom.Region__c": ("EMEA", None)}
    # Who is listed and not read this time stays as it was (W5).
    decision = decide(change(41), linked(before), REGIONS, {}, NOW)
    assert decision.after
    assert decision.after.custom == {"Region__c": "EMEA", "Country": "GB"}


def test_an_attribute_that_is_mapped_to_nothing_is_empty() -> None:
    nulls = dict.fromkeys(("title", "phone_numbers.mobile", "crm.profile_id"))
    acme = settings(field_maps={"salesforce": nulls})
    decision = decide(change(40), linked(member()), acme, {}, NOW)
    assert fields_changed(decision) == {
        "title": ("Rep", None),
        "phone_numbers.mobile": ("+44 7700 900001", None),
        "crm.salesforce.profile_id": ("00e000000000001AAA", None),
    }
    assert decision.after
    again = decide(change(41), linked(decision.after), acme, {}, NOW)
    assert again.history is None
    # Who is new has none either.
    new = decide(change(), Known(), acme, {}, NOW).after
    assert new
    assert (new.title, "mobile" in new.phone_numbers) == (None, False)
