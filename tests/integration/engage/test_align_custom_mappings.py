"""Fields of Align's roster that members show under `custom`, and that go on to Vault CRM (G5, G9)."""

from typing import Any

from tests.integration.engage.align_desk import Desk

TEAM = {"align": {"inbound": {"custom": {"custom.Team": "name__v"}}}}
ON_TO_VAULT_CRM = {"vault_crm": {"outbound": {"custom": {"custom.Team": "title__sys"}}}}


def map_fields(desk: Desk, maps: dict[str, Any]) -> None:
    said = desk.licences.company.put(field_maps=maps)
    assert said["status"] == "succeeded", said


def title(desk: Desk, user: str) -> str | None:
    """Return the title of a user in Vault CRM."""
    desk.licences.vault.log_in()
    found: str | None = desk.licences.vault.user(user)["title__sys"]
    return found


def test_a_field_of_align_is_taken_over_when_it_changes_there(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    map_fields(desk, TEAM)
    desk.licences.imported("incremental")
    assert desk.licences.member(user)["custom"] == {"Team": "Ada"}
    desk.edit(record, name__v="Countess")
    desk.licences.push()
    assert desk.licences.member(user)["custom"] == {"Team": "Countess"}
    # The other systems' imports leave it.
    desk.licences.imported()
    assert desk.licences.member(user)["custom"] == {"Team": "Countess"}
    desk.licences.imported("incremental")
    desk.calls()
    before = desk.licences.company.items()
    desk.licences.imported()
    written = [each for each in desk.licences.company.items() if "MEMBER#" in each["sk"]["S"]]
    assert written == [each for each in before if "MEMBER#" in each["sk"]["S"]]
    map_fields(desk, {})
    desk.licences.imported()
    assert desk.licences.member(user)["custom"] == {}


def test_it_goes_on_to_vault_crm_with_the_same_push(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    map_fields(desk, TEAM | ON_TO_VAULT_CRM)
    desk.licences.imported()
    desk.licences.push()
    assert title(desk, user) == "Ada"
    desk.edit(record, name__v="Countess")
    previewed = desk.licences.push(preview=True)
    assert [each["fields"]["custom.Team"]["to"] for each in previewed["changes"]] == ["Countess"]
    assert desk.licences.push()["counts"] == {"updated": 1}
    assert title(desk, user) == "Countess"


def test_a_field_that_align_does_not_have_leaves_align_alone_and_is_told(
    desk: Desk, ada: tuple[str, str]
) -> None:
    user, record = ada
    map_fields(desk, {"align": {"inbound": {"custom": {"custom.Team": "team__aln"}}}})
    desk.ask(record, "UK")
    assert desk.licences.push()["status"] == "succeeded_with_errors"
    assert desk.errors() == ["align_not_reached"]
    assert "team__aln" in desk.licences.company.errors()[0]["message"]
    assert desk.licences.member(user)["custom"] == {}
