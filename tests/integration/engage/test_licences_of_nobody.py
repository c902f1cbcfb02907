"""Who of Vault CRM has a licence and is nobody in the roster: recorded, told once, counted, listed (G10)."""

from collections.abc import Callable
from typing import Any

import pytest

from muster import bootstrap
from muster.adapters.aws.unlinked_holder_table import UnlinkedHolderTable
from muster.errors import Unavailable
from muster.insight import listing_licences
from tests.integration.engage.licences import Licences
from tests.integration.told_metrics import told


def stranger(licences: Licences, name: str = "eve", group: str | None = "UK", **fields: Any) -> str:
    """Create a user of Vault CRM, in a group, whom nobody in Salesforce is."""
    address = f"{name}@agency.example"
    user = licences.vault.create(username__sys=address, email__sys=address, **fields)
    if group:
        licences.vault.update(user, engage_group_request__v=group)
    licences.vault.settle()
    return user


def nobodys(licences: Licences) -> set[str]:
    return set(bootstrap.unlinked_holder_table().holders("acme"))


def entries(licences: Licences) -> list[dict[str, Any]]:
    return [each for each in licences.company.errors() if each["code"] == "licence_of_nobody"]


def test_a_licence_of_nobody_is_recorded_counted_and_told_once(licences: Licences) -> None:
    licences.people(2)
    user = stranger(licences)
    stranger(licences, "nogroup", group=None)
    said = licences.imported()
    assert (said["status"], said["vault_crm"]["licences_of_nobody"]) == ("succeeded_with_errors", 1)
    assert nobodys(licences) == {user}
    [entry] = entries(licences)
    assert entry["record"] == user
    assert 'is in the group "UK" of Engage' in entry["message"]
    assert "clear engage_group_request__v" in entry["remedy"]
    assert "agency.example" not in str(entry)

    again = licences.imported()
    assert (again["status"], again["vault_crm"]["licences_of_nobody"]) == ("succeeded", 1)
    assert len(entries(licences)) == 1


def test_nothing_is_written_while_nothing_changes(
    licences: Licences, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger(licences)
    licences.people(1)
    licences.imported()
    monkeypatch.setattr(UnlinkedHolderTable, "record", None)
    for mode in ("full", "incremental"):
        assert licences.imported(mode)["vault_crm"]["licences_of_nobody"] == 1


def in_no_group(licences: Licences, user: str) -> None:
    licences.vault.update(user, engage_group_request__v=None)
    licences.vault.settle()


def has_come_to_salesforce(licences: Licences, user: str) -> None:
    address = bootstrap.unlinked_holder_table().holders("acme")[user].email
    licences.company.salesforce.create(Department="Sales", Username=address, Email=address)


@pytest.mark.parametrize("mode", ["full", "incremental"])
@pytest.mark.parametrize("mended", [in_no_group, has_come_to_salesforce])
def test_who_is_mended_is_forgotten(
    licences: Licences, mended: Callable[[Licences, str], None], mode: str
) -> None:
    licences.people(1)
    eve, other = stranger(licences), stranger(licences, "mallory")
    licences.imported()
    assert nobodys(licences) == {eve, other}
    mended(licences, eve)
    if mended is has_come_to_salesforce:
        # The vault's own record changes as well, or an incremental import would not read it.
        licences.vault.update(eve, last_name__sys="Adams")
    assert licences.imported(mode)["vault_crm"]["licences_of_nobody"] == 1
    assert nobodys(licences) == {other}


def test_an_incremental_import_finds_who_is_new_and_keeps_the_others(licences: Licences) -> None:
    licences.people(1)
    eve = stranger(licences)
    licences.imported()
    mallory = stranger(licences, "mallory")
    assert licences.imported("incremental")["vault_crm"]["licences_of_nobody"] == 2
    assert nobodys(licences) == {eve, mallory}


def test_who_left_before_muster_came_and_who_shares_an_address_are_among_them(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    email = licences.member(ada)["email"]
    second = licences.vault.create(username__sys=f"second.{email}", email__sys=email)
    licences.vault.update(second, engage_group_request__v="UK")
    gone = stranger(licences, status__v="inactive__v")
    licences.imported()
    found = bootstrap.unlinked_holder_table().holders("acme")
    assert {name: str(each.reason) for name, each in found.items()} == {
        second: "member_linked_to_another",
        gone: "no_member",
    }
    assert found[second].members == (licences.member(ada)["id"],)
    assert not found[gone].active


def test_a_preview_records_and_tells_nothing(licences: Licences) -> None:
    licences.people(1)
    licences.imported()
    stranger(licences)
    licences.company.run("full", preview=True)
    assert (nobodys(licences), entries(licences)) == (set(), [])


def test_an_import_that_is_interrupted_tells_each_once_all_the_same(
    licences: Licences, monkeypatch: pytest.MonkeyPatch
) -> None:
    licences.people(1)
    licences.imported()
    user = stranger(licences)
    record = UnlinkedHolderTable.record

    def lost(self: UnlinkedHolderTable, *given: Any) -> None:
        record(self, *given)
        raise Unavailable("the answer is lost")

    with monkeypatch.context() as down:
        down.setattr(UnlinkedHolderTable, "record", lost)
        with pytest.raises(Unavailable):
            licences.company.run("full")
    licences.imported()
    assert nobodys(licences) == {user}
    assert len(entries(licences)) == 1


def test_alarm_and_dashboard_are_told(licences: Licences, capsys: pytest.CaptureFixture[str]) -> None:
    licences.people(1)
    stranger(licences)
    capsys.readouterr()
    licences.imported()
    found = [each for each in told(capsys.readouterr().out) if each.metric == "LicencesOfNobody"]
    assert [(each.value, each.of) for each in found] == [
        (1, {"service": "muster"}),
        (1, {"service": "muster", "organization": "acme"}),
    ]
    licences.imported("incremental")
    found = [each for each in told(capsys.readouterr().out) if each.metric == "LicencesOfNobody"]
    assert [each.of for each in found] == [{"service": "muster"}], "an idle organization costs little"


def test_without_vault_crm_nobody_is_remembered(licences: Licences) -> None:
    licences.people(1)
    stranger(licences)
    licences.imported()
    connections = licences.company.document["connections"]
    licences.company.put_and_approve(connections={"salesforce": connections["salesforce"]})
    licences.company.run("full")
    assert nobodys(licences) == set()


# ── The list of licences ─────────────────────────────────────────────────────────────────────────────


def test_licences_are_listed_by_group_with_who_is_nobody_and_who_waits(licences: Licences) -> None:
    licences.vault.group("Online", None, feature="engage_connect")
    ada, bob, cy = licences.people(3)
    eve = stranger(licences)
    licences.imported()
    licences.ask(ada, bob, cy)
    licences.ask(ada, group="Online", feature="engage_connect")
    licences.push()
    licences.calls()
    said = licences.company.ask("licences")
    assert not licences.calls(), "Vault CRM is not asked"
    waits = next(each for each in (ada, bob, cy) if licences.status(each)[1] == "no_licenses_remaining")
    [uk, online] = sorted(said["groups"], key=lambda each: str(each["feature"]))
    assert uk == {
        "feature": "engage",
        "group": "UK",
        "used": 2,
        "members": 1,
        "members_who_left": 0,
        "nobody": 1,
        "waiting": 2,
    }
    assert (online["group"], online["used"], online["nobody"]) == ("Online", 1, 0)
    [nobody] = said["nobody"]
    assert said["nobody_in_all"] == 1
    assert (nobody["user"], nobody["username"], nobody["reason"]) == (eve, "eve@agency.example", "no_member")
    assert nobody["groups"] == {"engage": {"group": "UK", "request": "UK"}}
    assert nobody["why"]
    assert "clear engage_group_request__v" in nobody["do"]
    in_line = [(each["place"], each["name"]) for each in said["waiting"]]
    assert [place for place, _ in in_line] == [1, 2]
    assert (said["waiting"][0]["feature"], said["waiting"][0]["group"]) == ("engage", "UK")
    assert licences.member(waits)["name"] in [name for _, name in in_line]
    held = {each["member"]: each["groups"] for each in said["members"]}
    assert held[licences.member(ada)["id"]]["engage_connect"] == "Online"
    assert said["as_of"] == bootstrap.run_table().state("acme").vault_crm.read_at is not None
    assert said["counted_all"]
    news = "3 licences of 2 groups in use, 1 of them by nobody; 2 people wait in line."
    assert said["message"].startswith(news)


def test_who_has_left_and_is_still_in_the_group_is_told_apart(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    licences.push()
    licences.company.salesforce.update(licences.member(ada)["crm"]["salesforce"]["id"], IsActive=False)
    licences.imported("incremental")
    said = licences.company.ask("licences")
    assert [(each["used"], each["members_who_left"]) for each in said["groups"]] == [(1, 1)]
    assert [each["active"] for each in said["members"]] == [False]


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_members_come_page_by_page_each_once(licences: Licences, limit: int) -> None:
    licences.vault.group("UK", 9)
    people = licences.people(6)
    licences.imported()
    licences.ask(*people[:5])
    licences.push()
    said = licences.company.ask("licences", limit=limit)
    assert said["groups"][0]["members"] == 5, "all are counted, whatever the page"
    listed = [each["member"] for each in said["members"]]
    while said["cursor"]:
        said = licences.company.ask("licences", limit=limit, cursor=said["cursor"])
        assert "groups" not in said
        assert len(said["members"]) <= limit
        listed += [each["member"] for each in said["members"]]
    assert sorted(listed) == sorted(licences.member(each)["id"] for each in people[:5])


def test_of_a_huge_roster_only_so_many_members_are_read_at_once(
    licences: Licences, monkeypatch: pytest.MonkeyPatch
) -> None:
    licences.vault.group("UK", 9)
    people = licences.people(5)
    licences.imported()
    licences.ask(*people)
    licences.push()
    monkeypatch.setattr(listing_licences, "MOST_READ", 2)
    said = licences.company.ask("licences")
    assert (said["groups"][0]["members"], said["counted_all"]) == (2, False)
    assert "(among the first 2 members)" in said["message"]
    assert (len(said["members"]), said["cursor"]) == (2, None)


def test_the_entry_of_it_is_open_until_an_import_finds_it_gone(licences: Licences) -> None:
    eve = stranger(licences)
    licences.people(1)
    licences.imported()
    licences.imported()
    (entry,) = licences.company.ask("errors", state="open")["log"]
    assert (entry["code"], entry["record"]) == ("licence_of_nobody", eve)
    licences.vault.log_in()
    licences.vault.update(eve, engage_group_request__v=None)
    licences.vault.clock.pass_s(10)
    licences.imported()
    assert licences.company.ask("errors", state="open")["log"] == []


def test_without_vault_crm_nobody_is_listed(licences: Licences) -> None:
    stranger(licences)
    licences.people(1)
    licences.imported()
    connections = licences.company.document["connections"]
    licences.company.put_and_approve(connections={"salesforce": connections["salesforce"]})
    said = licences.company.ask("licences")
    assert (said["nobody"], said["nobody_in_all"], said["groups"]) == ([], 0, [])


def test_before_the_first_import_nothing_is_known(licences: Licences) -> None:
    stranger(licences)
    said = licences.company.ask("licences")
    assert (said["as_of"], said["groups"], said["nobody"], said["cursor"]) == (None, [], [], None)
    assert said["message"] == "0 licences of 0 groups in use. Vault CRM has not been read."


def test_of_many_the_first_are_listed_and_all_are_counted(licences: Licences) -> None:
    licences.vault.group("UK", 9)
    licences.people(1)
    for name in ("eve", "mallory", "trudy"):
        stranger(licences, name)
    licences.imported()
    said = licences.company.ask("licences", limit=2)
    assert (len(said["nobody"]), said["nobody_in_all"], said["groups"][0]["nobody"]) == (2, 3, 3)
