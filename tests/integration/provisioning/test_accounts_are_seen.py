"""What admins see of members' accounts in an app, asked by the real handlers (Q1, Q3)."""

from typing import Any

import member_settings
from tests.integration.provisioning.apps import APP, Apps, address


def asked(apps: Apps, action: str, **event: Any) -> dict[str, Any]:
    return apps.company.ask(action, **event, detail=True)


def test_an_account_is_explained_listed_and_told_from_the_first_push_to_the_leaver(apps: Apps) -> None:
    ada, bob = apps.person("ada"), apps.person("bob")
    apps.scim.create(address("bob"))
    apps.imported()
    before = asked(apps, "explain", member=ada)["accounts"][APP]
    assert (before["state"], before["due"]) == (None, "")
    assert before["next"] == ["looks for the account", "makes it", "puts it into Sales"]
    run = apps.push()["run_id"]

    explained = asked(apps, "explain", member=ada)
    account = explained["accounts"][APP]
    assert account | {"id": None, "since": None} == {
        "state": "active",
        "user_name": address("ada"),
        "id": None,
        "since": None,
        "origin": "created",
        "groups": ["Sales"],
        "read_back": "open",
        "is_to_be_in": True,
        "why": None,
        "next": [],
        "due": None,
        "do": None,
        "stays_valid": None,
    }
    assert None not in (account["id"], account["since"])
    assert any("made by Muster, in Sales" in line for line in explained["summary"])
    waiting = asked(apps, "explain", member=bob)
    assert waiting["accounts"][APP]["state"] == "to_adopt"
    assert "adopt it with MemberSettingsFunction" in waiting["accounts"][APP]["do"]
    assert [each["code"] for each in waiting["errors"]] == ["account_to_adopt"]
    (adopting,) = waiting["to_do"]
    said = member_settings.handler({**adopting["event"], "by": "jane"}, apps.company.context)
    assert said["status"] == "succeeded"
    assert "would be made" in said["message"]
    table = "\n".join(apps.company.ask("explain", member=bob, **{"as": "text"})["text"])
    assert "Account in app (SCIM)" in table

    # By state, and by app.
    for account_filter in ("to_adopt", {APP: "to_adopt"}):
        (listed,) = asked(apps, "list", filter={"account": account_filter})["members"]
        assert listed["id"] == waiting["member"]
    assert asked(apps, "list", filter={"account": {APP: None}})["total"] == 0

    # The run says which app it was to, and what its plan did to whom.
    (pushed,) = asked(apps, "runs", filter={"kind": "push"})["runs"]
    assert (pushed["id"], pushed["app"]) == (run, APP)
    shown = asked(apps, "run", run_id=run)
    assert {each["name"]: each["does"] for each in shown["items"]} == {
        "Ada Lovelace": "made",
        "Bob Lovelace": "to_adopt",
    }
    assert any(line.startswith("+ Ada Lovelace: gets an account") for line in shown["summary"])
    assert "push to app (SCIM)" in str(apps.company.ask("runs", **{"as": "text"}))
    brought = asked(apps, "changes", run_id=run)
    news = {each["name"]: each for each in brought["people"]}
    assert news["Ada Lovelace"]["gained"] == [{"account": APP}]
    assert news["Bob Lovelace"]["failed"] == [{"account": APP, "status": "to_adopt"}]
    assert any(
        "Ada Lovelace" in line and "gained account in app (SCIM)" in line for line in brought["summary"]
    )

    apps.company.salesforce.update(ada, IsActive=False)
    apps.imported("incremental")
    apps.push()
    closed = asked(apps, "explain", member=ada)["accounts"][APP]
    assert (closed["state"], closed["read_back"], closed["due"]) == ("inactive", "closed", None)
    assert closed["why"] == "The member is not active."
    assert closed["stays_valid"].startswith("SCIM has no call that ends a session")
    assert asked(apps, "list", filter={"account": "inactive"})["total"] == 1
    history = apps.company.ask("history", member=ada)["summary"]
    assert "loses account in app (SCIM)" in history[0]
    was = asked(apps, "as_of", member=ada, at="today")
    assert was["was"]["accounts"][APP]["state"] == "inactive"
    assert asked(apps, "as_of", at="today", filter={"account": {APP: "inactive"}})["total"] == 1
