"""Flows that people activate, tokens that take over, and a webhook that is removed (U7)."""

from datetime import UTC, datetime, timedelta

from tests.doubles.metadata_packages import flow, manifest
from tests.integration.webhook_setup.webhook_setup_world import NAME, Acme, amiss

# ── Production orgs ──────────────────────────────────────────────────────────────────────────────────


def test_where_flows_land_inactive_an_admin_is_told_where_to_activate(acme: Acme) -> None:
    acme.control("organization", {"production": True})
    said = acme.ask("install")
    assert (said["status"], amiss(said)) == ("succeeded_with_errors", {"flow active"})
    assert "Setup > Flows > Muster acme > version 1: Activate." in said["message"]
    acme.deploys()
    again = acme.ask("refresh")
    assert amiss(again) == {"flow active"}
    assert acme.deploys() == 0
    acme.control(f"flows/{NAME}", {"active_version": 1})
    assert acme.ask("status")["broken"] is None


def test_where_the_api_may_activate_it_does(acme: Acme) -> None:
    acme.control("organization", {"production": True, "activate_flows_by_api": True})
    said = acme.ask("install")
    assert said["changed"] == ["outbound message", "flow", "version 1 of the flow activated"]
    assert acme.versions() == [(1, "Active")]


def test_while_the_new_version_is_inactive_the_old_one_runs_on(installed: Acme) -> None:
    installed.control("custom-fields", {"name": "Area__c", "type": "Text", "length": 20}, "POST")
    installed.control("organization", {"production": True})
    installed.put(auto_provision={"custom_fields": ["Area__c"]})
    said = installed.ask("refresh")
    assert amiss(said) == {"flow active"}
    assert "version 2 is not active; version 1 runs instead" in said["message"]
    assert installed.versions() == [(1, "Active"), (2, "Draft")]


def test_old_versions_go_before_there_are_too_many(acme: Acme) -> None:
    names = [f"F{number:02}__c" for number in range(45)]
    for name in names:
        acme.control("custom-fields", {"name": name, "type": "Text", "length": 20}, "POST")
    for number in range(1, len(names)):
        acme.put(auto_provision={"custom_fields": names[:number]})
        assert acme.ask("refresh")["status"] == "succeeded"
    versions = acme.versions()
    assert len(versions) < 40
    assert versions[-1] == (44, "Active")


# ── Rotation ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_rotated_token_arrives_and_the_old_one_runs_out(installed: Acme) -> None:
    old = installed.token()
    said = installed.ask("rotate_token")
    assert (said["status"], said["changed"]) == ("succeeded", ["outbound message"])
    new = installed.token()
    assert new != old
    assert installed.accepts(new)
    assert installed.accepts(old)
    assert not installed.accepts(old, datetime.now(UTC) + timedelta(hours=49))
    assert installed.versions() == [(1, "Active")]


def test_a_token_rotated_twice_ends_at_once(installed: Acme) -> None:
    leaked = installed.token()
    installed.ask("rotate_token")
    installed.ask("rotate_token")
    assert not installed.accepts(leaked)
    assert installed.accepts(installed.token())


def test_there_is_nothing_to_rotate_before_it_is_installed(acme: Acme) -> None:
    before = acme.registration()
    said = acme.ask("rotate_token")
    assert said["status"] == "rejected"
    assert "Run the action install" in said["errors"][0]["remedy"]
    assert acme.registration() == before


# ── Remove ───────────────────────────────────────────────────────────────────────────────────────────


def test_removed_nothing_is_left(installed: Acme) -> None:
    token = installed.token()
    said = installed.ask("remove", check_only=True)
    assert said["message"].startswith(
        "It would remove the outbound message Muster_acme and the flow Muster_acme"
    )
    assert installed.message() is not None
    said = installed.ask("remove")
    assert said["message"] == (
        "Removed the outbound message Muster_acme and the flow Muster_acme; the token is not valid any more."
    )
    assert (installed.message(), installed.versions()) == (None, [])
    assert not installed.accepts(token)
    assert installed.ask("remove")["message"] == "There was nothing to remove."


def test_a_flow_with_several_versions_is_removed_whole(installed: Acme) -> None:
    installed.control("custom-fields", {"name": "Area__c", "type": "Text", "length": 20}, "POST")
    installed.put(auto_provision={"custom_fields": ["Area__c"]})
    installed.ask("refresh")
    assert len(installed.versions()) == 2
    assert installed.ask("remove")["status"] == "succeeded"
    assert (installed.message(), installed.versions()) == (None, [])


def test_what_somebody_elses_flow_sends_is_not_removed_and_goes_on(installed: Acme) -> None:
    action = {"actionName": f"User.{NAME}", "nameSegment": f"User.{NAME}"}
    theirs = flow(action=action, label="Theirs")
    installed.deploy({"package.xml": manifest(("Flow", "Theirs")), "flows/Theirs.flow": theirs})
    said = installed.ask("remove")
    assert said["status"] == "rejected"
    assert "Theirs" in said["errors"][0]["message"]
    assert amiss(installed.ask("status")) == set()


def test_installed_anew_after_a_removal(installed: Acme) -> None:
    installed.ask("remove")
    said = installed.ask("install")
    assert (said["status"], amiss(said)) == ("succeeded", set())
    assert installed.accepts(installed.token())
