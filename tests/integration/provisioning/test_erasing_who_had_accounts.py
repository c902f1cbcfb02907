"""Nobody is erased whose account in an app is open; what apps hold of the erased is said (T5, O3)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import member_settings
from tests.integration.company import table
from tests.integration.provisioning.apps import APP, APP_HOST, Apps, address


def erase(apps: Apps, *names: str) -> dict[str, Any]:
    asked = {"organization": "acme", "by": "jane", "why": "asked", "erase": [address(each) for each in names]}
    said: dict[str, Any] = member_settings.handler(asked | {"detail": True}, apps.company.context)
    return said


def left(apps: Apps, **keys: Any) -> str:
    """Return the CRM id of Ada, who has an account in the app, and has left; the push has not closed it."""
    assert apps.connect(**keys)["saved"] in (True, False)
    ada = apps.person("ada")
    apps.imported()
    assert apps.push()["counts"] == {"made": 1}
    apps.company.salesforce.update(ada, IsActive=False)
    apps.imported("incremental")
    return ada


def owned() -> list[str]:
    """Return the items that say whose an account is."""
    return [item["pk"]["S"] for item in table() if "#ACCOUNT#" in item["pk"]["S"]]


def test_who_has_an_open_account_is_erased_once_a_push_has_closed_it(apps: Apps) -> None:
    left(apps)
    said = erase(apps, "ada")
    assert said["status"] == "rejected"
    assert said["message"] == (
        "erase[0] has an account for which a push has work: app (SCIM) (ada@acme.example)."
    )
    assert said["errors"][0]["remedy"].startswith("Wait for a push to that app")
    apps.push()
    assert owned()
    said = erase(apps, "ada")
    assert said["results"][0]["note"] == (
        "The account in app (SCIM) (ada@acme.example) stays there: delete it there."
    )
    assert said["summary"][0].endswith(f"erased. {said['results'][0]['note']}")
    # Nothing of it is left here: no name, and nothing that says whose the account was.
    assert owned() == []
    assert not [item for item in table() if "ada@acme" in str(item)]
    assert apps.push()["counts"] == {}


def test_an_account_that_was_deleted_is_said_to_be(apps: Apps) -> None:
    left(apps, on_leave="delete")
    apps.push()
    assert erase(apps, "ada")["results"][0]["note"] == "The account in app (SCIM) was deleted."


def test_an_account_that_no_push_closes_any_more_is_closed_by_hand_and_ignored(apps: Apps) -> None:
    left(apps)
    salesforce = apps.company.salesforce.connection
    apps.company.put_and_approve(connections={"salesforce": salesforce})
    said = erase(apps, "ada")
    assert "open account in app (SCIM) (ada@acme.example), which no push closes any more" in said["message"]
    assert f'{{"accounts": {{"{APP}": "ignore"}}}}' in said["errors"][0]["remedy"]
    asked = {"organization": "acme", "by": "jane", "accounts": {APP: "ignore"}}
    said = member_settings.handler(asked | {"filter": {"account": "active"}}, apps.company.context)
    assert said["counts"]["changed"] == 1
    assert owned() == []
    assert erase(apps, "ada")["status"] == "succeeded"


def test_the_daily_import_leaves_them_for_later_and_tells_whom_no_push_closes(
    apps: Apps, pass_time: Callable[[timedelta], None]
) -> None:
    ada = left(apps)
    apps.company.put(retention_days=30)
    pass_time(timedelta(days=31))
    assert apps.imported()["counts"] == {}
    assert apps.company.errors() == []
    other = {"host": APP_HOST, "path": "/another/v2", "who": "everyone"}
    salesforce = apps.company.salesforce.connection
    apps.company.put_and_approve(connections={"salesforce": salesforce, "scim": {"app": other}})
    assert apps.imported()["counts"] == {}
    [entry] = apps.company.errors()
    assert (entry["code"], entry["system"]) == ("erasure_waits_for_account", APP)
    assert "keeps 1 person from being erased" in entry["message"]
    assert "ada" not in str(entry).casefold()
    assert ada in apps.company.roster()
