"""Licences of an app: who waits for one gets it as soon as somebody leaves (O2, O3)."""

from tests.integration.provisioning.apps import Apps


def test_who_waits_for_a_licence_gets_it_in_the_push_that_closes_a_leaver(apps: Apps) -> None:
    apps.scim.quirks(seats=2)
    ids = {name: apps.person(name) for name in ("ada", "bob")}
    apps.imported()
    apps.push()
    for name in ("cyd", "dan"):
        # One after the other, so that Cyd waits longer.
        ids[name] = apps.person(name)
        apps.imported()
        apps.push()
        apps.push()
    assert {name: apps.account(ids[name])["state"] for name in ("cyd", "dan")} == {
        "cyd": "no_licence",
        "dan": "no_licence",
    }
    apps.calls()
    # Their next try is hours away, and nothing is asked until then.
    assert apps.push()["counts"] == {}
    assert apps.calls() == []
    apps.company.salesforce.update(ids["ada"], IsActive=False)
    ids["eve"] = apps.person("eve")
    apps.imported()
    previewed = apps.push(preview=True)
    assert {each["name"]: each["does"] for each in previewed["changes"]} == {
        "Ada Lovelace": "closed",
        "Cyd Lovelace": "made",
        "Eve Lovelace": "made",
    }
    # Whoever has waited longest comes before who has just joined.
    assert apps.push()["counts"] == {"closed": 1, "made": 1, "no_licence": 1}
    assert apps.truth() == {"ada": False, "bob": True, "cyd": True}
    apps.push()
    apps.calls()
    assert apps.push()["counts"] == {}
    assert apps.calls() == []
    apps.company.salesforce.update(ids["bob"], IsActive=False)
    apps.company.salesforce.update(ids["cyd"], IsActive=False)
    apps.imported()
    assert apps.push()["counts"] == {"closed": 2, "made": 2}
    assert apps.truth() == {"ada": False, "bob": False, "cyd": False, "dan": True, "eve": True}
