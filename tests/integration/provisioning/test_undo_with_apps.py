"""An import undone whose leavers a push has closed in an app: the next push opens them again (Q2, O2)."""

import scheduled_push
from tests.integration.company import SALES, SUPPORT
from tests.integration.provisioning.apps import Apps

NOBODY = {**SUPPORT, "filter": "Department = 'Nobody'"}


def test_whom_an_undo_brings_back_the_next_push_opens_again(apps: Apps) -> None:
    ada, bob = apps.person("ada"), apps.person("bob", "Support")
    apps.imported()
    assert apps.push()["counts"] == {"made": 2}
    before = apps.account(bob)
    apps.company.put(assignments=[SALES, NOBODY])
    bad = apps.imported()["run_id"]
    closed = apps.push()
    assert closed["counts"] == {"closed": 1}
    assert apps.truth() == {"ada": True, "bob": False}
    apps.company.put(assignments=[SALES, SUPPORT])
    said = apps.company.run(None, undo=bad, by="joe")
    assert (said["status"], said["counts"]) == ("succeeded", {"reactivated": 1})
    # The undo itself puts back nothing of an account: what was read there last stands until the push.
    assert apps.account(bob)["state"] == "inactive"
    apps.calls()
    assert apps.push()["counts"] == {"opened": 1}
    assert apps.truth() == {"ada": True, "bob": True}
    assert apps.groups() == {"Sales": ["ada"], "Support": ["bob"]}
    assert apps.account(bob) == before
    assert apps.account(ada)["state"] == "active"
    assert apps.push()["counts"] == {}
    # A push to an app is not undone itself; what it did follows from the members.
    event = {"organization": "acme", "by": "joe", "undo": closed["run_id"]}
    said = scheduled_push.handler(event, apps.company.context)
    assert (said["status"], said["errors"][0]["where"]) == ("rejected", "undo")
