"""A change of settings undone: the version before it is saved again, like any change (S1, S2, Q2)."""

from typing import Any

import pytest

from tests.integration.organization_settings.settings_examples import LEEDS, OTHERS, SALES, Acme

GUESTS: dict[str, Any] = {
    "assignments": [SALES, OTHERS, {"name": "Guests", "filter": "Department = 'Guests'"}]
}


def refusal(said: dict[str, Any]) -> tuple[str, str, str]:
    assert said["status"] == "rejected", said
    [error] = said["errors"]
    return error["where"], error["message"], error["remedy"]


def test_a_version_is_undone_by_its_number_or_by_the_run_that_tried_it(staffed: Acme) -> None:
    for name in ("version", "undo"):
        before = staffed.invoke("get")
        saved = staffed.put(**GUESTS)
        named = {"version": saved["version"], "undo": saved["run_id"]}[name]
        previewed = staffed.invoke("undo", preview=True, **{name: named})
        assert (previewed["restores"], staffed.version()) == (before["version"], saved["version"])
        said = staffed.invoke("undo", **{name: named})
        assert (said["saved"], said["undoes_version"], said["restores"]) == (
            True,
            saved["version"],
            before["version"],
        )
        now = staffed.invoke("get")
        assert now["settings"] == before["settings"]
        assert (now["version"], now["why"]) == (saved["version"] + 1, f"undo of version {saved['version']}")


def test_undone_once_more_it_changes_nothing_and_says_so(staffed: Acme) -> None:
    version = staffed.put(**GUESTS)["version"]
    staffed.invoke("undo", version=version)
    where, message, _ = refusal(staffed.invoke("undo", version=version))
    assert (where, message) == ("version", "2 is undone already: version 3 is the same as 1")
    # An undo is a version, and can be undone.
    assert staffed.invoke("undo", version=3)["restores"] == 2
    assert staffed.version() == 4


def test_what_was_saved_since_stands_in_the_way(staffed: Acme) -> None:
    first = staffed.put(**GUESTS)
    staffed.put(time_zone="Europe/Paris")
    for named in ({"version": 2}, {"undo": first["run_id"]}):
        where, message, remedy = refusal(staffed.invoke("undo", **named))
        assert (where, message) == (
            "version",
            "2 was changed since: version 3 was saved after it, by jane@acme.example, and 3 is in force",
        )
        assert '"action": "undo", "version": 3' in remedy
        assert '"action": "restore", "version": 1' in remedy
    assert staffed.version() == 3


def test_it_is_parked_and_approved_like_any_change(staffed: Acme) -> None:
    leeds: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}
    parked = staffed.put(**leeds)
    _, message, _ = refusal(staffed.invoke("undo", undo=parked["run_id"]))
    assert message == "waits for approval and has saved nothing yet"
    staffed.put(approve=parked["run_id"], **leeds)
    staffed.run()
    assert staffed.active() == 1
    assert staffed.invoke("undo", undo=parked["run_id"])["restores"] == 1
    assert staffed.run()["status"] == "succeeded"
    assert staffed.active() == 4


@pytest.mark.parametrize(
    ("event", "where", "said"),
    [
        ({"version": 1}, "version", "1 is the first one"),
        ({"version": 9}, "version", "9 does not exist"),
        ({"undo": "20261120T081532000-0a1b2c3d"}, "undo", "is not a run"),
        ({}, "event", "names no version"),
        ({"version": 1, "undo": "20261120T081532000-0a1b2c3d"}, "event", "names no version"),
        ({"version": 2, "expected_version": 7}, "expected_version", "is 7, but"),
    ],
)
def test_what_cannot_be_undone_is_refused(
    staffed: Acme, event: dict[str, Any], where: str, said: str
) -> None:
    staffed.put(**GUESTS)
    place, message, remedy = refusal(staffed.invoke("undo", **event))
    assert place == where
    assert message.startswith(said)
    assert remedy
    assert staffed.version() == 2


def test_an_import_is_not_the_settings_to_undo(staffed: Acme) -> None:
    run = staffed.run()["run_id"]
    where, message, remedy = refusal(staffed.invoke("undo", undo=run))
    assert (where, message) == ("undo", "is an import, not a change of settings")
    assert "ScheduledImportFunction" in remedy
