"""A change of address that makes a second account: one is the member's, and both end closed (O2, O3)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.provisioning.provisioned import Crash, Provisioned

DAY = timedelta(days=1)
ADA, LOVELACE, STRANGER = (f"{name}@acme.example" for name in ("ada", "lovelace", "stranger"))
TWIN: dict[str, Any] = {"email_change_makes_a_user": True}


def _married(app: Provisioned, **quirks: Any) -> None:
    """Let Ada be in the app, in Sales, and get another address in the next push."""
    app.target.user(STRANGER)
    app.want("ada", ["Sales"], title="Rep")
    app.push()
    app.target.quirks(**quirks)
    app.want("ada", ["Sales"], title="Rep", **{"userName": LOVELACE, "emails.work": LOVELACE})


@pytest.mark.parametrize(
    "quirks",
    [
        TWIN,
        TWIN | {"patch_answer": "body"},
        TWIN | {"refuses": ["PATCH /Users"]},
        TWIN | {"filterable": ["userName", "displayName"]},
        TWIN | {"inactive": "gone"},
        TWIN | {"inactive_members": "refused", "unknown_members": "refused"},
    ],
    ids=str,
)
def test_the_account_of_the_former_address_is_closed(app: Provisioned, quirks: dict[str, Any]) -> None:
    _married(app, **quirks)
    app.push()
    assert {name: active for name, active in app.target.truth().items() if active} == {
        LOVELACE: True,
        STRANGER: True,
    }
    account = app.account("ada")
    assert app.target.users()[LOVELACE]["id"] == account.id
    assert app.target.members("Sales") == [account.id]
    assert app.push(DAY) == 0
    app.leave("ada")
    app.push()
    assert [name for name, active in app.target.truth().items() if active] == [STRANGER]
    assert app.push(DAY) == 0


def test_a_change_of_address_costs_one_call_more_and_so_does_leaving_then(app: Provisioned) -> None:
    _married(app)
    assert app.push() == 2
    assert app.push(DAY) == 0
    app.want("ada", ["Sales"], title="Lead", **{"userName": LOVELACE, "emails.work": LOVELACE})
    assert app.push() == 1
    app.leave("ada")
    # Out of the group, closed, read back, and looked for once more.
    assert app.push() == 4
    assert app.push(DAY) == 0


def test_what_opens_beside_the_account_is_closed_when_the_member_leaves(app: Provisioned) -> None:
    _married(app)
    app.push()
    # The app was slow to show it: nobody has seen it until now.
    app.target.user(ADA, externalId="ada")
    app.leave("ada")
    app.push()
    assert [name for name, active in app.target.truth().items() if active] == [STRANGER]
    assert app.push(DAY) == 0


def test_one_that_cannot_be_closed_is_told_and_tried_again(app: Provisioned) -> None:
    _married(app, **TWIN, protected=[ADA])
    app.push()
    assert app.target.truth() == {ADA: True, LOVELACE: True, STRANGER: True}
    ((who, why),) = app.told
    assert who == "ada"
    assert "another account of the member's" in why
    app.leave("ada")
    app.push()
    assert app.account("ada").state == "active"
    assert app.target.truth() == {ADA: True, LOVELACE: False, STRANGER: True}
    app.target.quirks(**TWIN)
    app.push(DAY)
    assert app.target.truth() == {ADA: False, LOVELACE: False, STRANGER: True}
    assert app.account("ada").state == "inactive"
    assert app.push(DAY) == 0


# Around the change, the look, and the closing.
@pytest.mark.parametrize("moment", [1, 2, 4, 6, 8, 11, 14, 17])
def test_wherever_a_push_is_interrupted_both_end_closed(app: Provisioned, moment: int) -> None:
    _married(app, **TWIN)
    left = moment

    def crash(when: str, what: str) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            raise Crash

    app.hooks.append(crash)
    try:
        app.push()
    except Crash:
        app.hooks.clear()
        app.push()
    app.hooks.clear()
    assert app.target.truth()[LOVELACE]
    assert not any(active for name, active in app.target.truth().items() if name not in (LOVELACE, STRANGER))
    app.leave("ada")
    app.push()
    assert [name for name, active in app.target.truth().items() if active] == [STRANGER]
    assert app.push(DAY) == 0
