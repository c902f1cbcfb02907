"""Sessions that end in a Cognito user pool, whatever happens on the way (O4)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import product
from typing import Any, cast

import pytest

from muster.errors import ApiCallsUsedUp, MusterError, NotAllowed, Unavailable
from muster.provisioning.ports import Target
from muster.provisioning.wanted_accounts import WantedAccount
from muster.roster.accounts import CONFLICT, LINKED, UNKNOWN
from muster.settings.target_connection import TargetConnection
from tests.doubles.user_pool import UserPool
from tests.integration.provisioning.provisioned import Crash, Provisioned

DAY = timedelta(days=1)


def address(name: str) -> str:
    return f"{name}@acme.example"


class InPool(Provisioned):
    """A pool, and all that a roster would hold of it."""

    def __init__(self) -> None:
        super().__init__(cast(Any, None))
        self.pool = UserPool()

    def connection(self) -> TargetConnection:
        """Return the section of the settings."""
        return self.pool.connection(**self.settings)

    def client(self) -> Target:
        """Return an adapter with a client of its own."""
        return self.pool.adapter(**self.settings)

    def calls(self) -> int:
        """Return how many calls the pool has received."""
        return len(self.pool.calls)

    def user(self, name: str, email: str | None = None) -> None:
        """Let there be a user who is signed in."""
        self.pool.add(name, email=email or address(name))
        self.pool.sign_in(name)

    def known(self, name: str, by: str | None = None) -> None:
        """Let a member be known by that."""
        self.wanted[name] = WantedAccount({"userName": by or address(name)})


@pytest.fixture
def app() -> InPool:
    app = InPool()
    app.user("stranger")
    return app


def assert_quiet(app: InPool) -> None:
    """Check that nothing is left to do."""
    assert app.push(DAY) == 0


def others(app: InPool) -> dict[str, str]:
    """Return how users are, but for the stranger, who is as ever."""
    truth = app.pool.truth()
    assert truth.pop("stranger") == "signed in"
    return truth


# ── One member's way ─────────────────────────────────────────────────────────────────────────────────


def test_a_member_is_found_leaves_and_comes_back(app: InPool) -> None:
    app.user("ada", "Ada@Acme.example")
    app.known("ada")
    # To find somebody makes nobody a monthly active user, whom AWS counts.
    assert (app.push(), app.pool.calls) == (1, ["ListUsers"])
    account = app.account("ada")
    assert (account.standing, account.id, account.origin) == (LINKED, "ada", "adopted:known_by")
    assert_quiet(app)
    app.leave("ada")
    assert app.push() == 4
    assert app.pool.calls[1:] == [
        "AdminGetUser",
        "AdminDisableUser",
        "AdminUserGlobalSignOut",
        "AdminGetUser",
    ]
    assert others(app) == {"ada": "disabled"}
    assert app.account("ada").active is False
    assert_quiet(app)
    app.known("ada")
    app.push()
    assert others(app) == {"ada": "enabled"}
    assert_quiet(app)
    assert app.told == []


def test_who_has_no_user_is_looked_for_once_and_once_more_when_leaving(app: InPool) -> None:
    app.known("ada")
    app.known("bob")
    assert app.push() == 2
    assert_quiet(app)
    app.user("ada")
    app.leave("ada")
    app.leave("bob")
    app.push()
    assert others(app) == {"ada": "disabled"}
    assert (app.account("ada").standing, app.account("bob").standing) == (LINKED, UNKNOWN)
    assert_quiet(app)
    app.user("bob")
    app.known("bob")
    app.push()
    assert others(app) == {"ada": "disabled", "bob": "signed in"}
    assert app.account("bob").standing == LINKED


def test_whom_somebody_else_has_disabled_stays_disabled(app: InPool) -> None:
    app.user("ada")
    app.pool.disable("ada")
    app.known("ada")
    app.push()
    assert_quiet(app)
    app.leave("ada")
    assert_quiet(app)
    app.known("ada")
    assert_quiet(app)
    assert others(app) == {"ada": "disabled, signed in"}


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_user_who_was_deleted_has_left_and_is_found_if_there_is_a_new_one(
    app: InPool, comes_back: bool
) -> None:
    app.user("ada")
    app.known("ada")
    app.push()
    app.pool.delete("ada")
    if comes_back:
        app.user("ada-2", address("ada"))
    app.leave("ada")
    app.push()
    assert others(app) == ({"ada-2": "disabled"} if comes_back else {})
    assert_quiet(app)
    assert app.told == []


def test_a_name_that_is_another_users_alias_by_now_touches_nobody() -> None:
    app = InPool()
    app.pool = UserPool(AliasAttributes=["preferred_username"])
    app.user("ada")
    app.known("ada")
    app.push()
    app.pool.delete("ada")
    app.user("eve")
    app.pool.change("eve", preferred_username="ada")
    app.leave("ada")
    app.push()
    assert app.pool.truth() == {"eve": "signed in"}
    assert_quiet(app)


# ── Whose an account is ──────────────────────────────────────────────────────────────────────────────


def test_of_several_with_the_value_nobody_is_touched_and_it_is_told_again_of_who_leaves(app: InPool) -> None:
    app.user("ada")
    app.user("okta_ada", address("ada"))
    app.known("ada")
    app.push()
    assert app.account("ada").standing == CONFLICT
    assert_quiet(app)
    app.leave("ada")
    app.push()
    assert others(app) == {"ada": "signed in", "okta_ada": "signed in"}
    assert [who for who, _ in app.told] == ["ada", "ada"]
    assert app.told[1][1].startswith("the member has left")
    assert_quiet(app)


def test_who_is_known_by_another_value_stays_who_it_is_until_the_pool_has_another(app: InPool) -> None:
    app.user("ada")
    app.known("ada")
    app.push()
    app.known("ada", "ada.king@acme.example")
    app.push()
    # Nobody has it yet: that is no fault, and is seen again some time.
    assert (app.account("ada").id, app.told) == ("ada", [])
    app.user("ada-2", "ada.king@acme.example")
    app.push(DAY)
    assert app.account("ada").id == "ada"
    assert ["both are enabled" in words for _, words in app.told] == [True]
    app.pool.delete("ada")
    app.push(DAY)
    assert app.account("ada").id == "ada-2"
    assert_quiet(app)
    app.leave("ada")
    app.push()
    assert others(app) == {"ada-2": "disabled"}
    assert_quiet(app)


def test_who_takes_the_new_value_along_is_still_the_same(app: InPool) -> None:
    app.user("ada")
    app.known("ada")
    app.push()
    app.pool.change("ada", email="ada.king@acme.example")
    app.known("ada", "ada.king@acme.example")
    assert app.push() == 1
    assert_quiet(app)


# ── What goes wrong ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("operation", ["AdminGetUser", "AdminDisableUser", "AdminUserGlobalSignOut"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("lost", Unavailable),
        ("InternalErrorException", Unavailable),
        ("TooManyRequestsException", ApiCallsUsedUp),
        ("AccessDeniedException", NotAllowed),
    ],
)
def test_what_is_not_answered_is_done_again_as_a_whole(
    app: InPool, operation: str, answer: str, error: type[MusterError]
) -> None:
    app.user("ada")
    app.known("ada")
    app.push()
    app.leave("ada")
    app.pool.answers = {operation: answer}
    with pytest.raises(error):
        app.push()
    app.pool.answers = {}
    app.push()
    assert others(app) == {"ada": "disabled"}
    assert app.told == []
    assert_quiet(app)


def test_who_cannot_be_signed_out_is_told_once_and_tried_until_it_is_done(app: InPool) -> None:
    app.user("ada")
    app.user("bob")
    app.known("ada")
    app.known("bob")
    app.push()
    app.leave("ada")
    app.pool.answers = {"AdminUserGlobalSignOut": "NotAuthorizedException"}
    app.push()
    app.push(DAY)
    assert others(app) == {"ada": "disabled, signed in", "bob": "signed in"}
    assert [who for who, _ in app.told] == ["ada"]
    assert app.account("ada").active is not False
    app.pool.answers = {}
    app.push(DAY)
    assert others(app) == {"ada": "disabled", "bob": "signed in"}
    assert_quiet(app)


def test_who_is_enabled_without_effect_is_tried_again(app: InPool) -> None:
    app.user("ada")
    app.known("ada")
    app.push()
    app.leave("ada")
    app.push()
    app.known("ada")

    def undone(_: str, operation: str) -> None:
        if operation == "AdminEnableUser":
            app.pool.disable("ada")

    app.pool.hooks = [undone]
    app.push()
    assert others(app) == {"ada": "disabled"}
    assert [who for who, _ in app.told] == ["ada"]
    app.pool.hooks = []
    app.push(DAY)
    assert others(app) == {"ada": "enabled"}
    assert_quiet(app)


# ── Interrupted anywhere ─────────────────────────────────────────────────────────────────────────────


def begin(app: InPool) -> None:
    """Let there be somebody in each state before a push that concerns them all."""
    for name in ("ada", "bob", "carl", "dora", "eve"):
        app.user(name)
    for name in ("bob", "carl", "dora"):
        app.known(name)
    app.push()
    app.leave("carl")
    app.push()
    app.known("eve")
    app.pool.answers = {"ListUsers": "InternalErrorException"}
    with suppress(Unavailable):
        app.push()
    app.pool.answers = {}
    app.known("ada")
    app.leave("bob")
    app.known("carl")
    app.known("dora")


def interrupted(place: int, when: str, fault: Callable[[], Exception]) -> Callable[[str, str], None]:
    """Return a hook that raises at the n-th moment."""
    seen = 0

    def hook(moment: str, _: str) -> None:
        nonlocal seen
        seen += moment == when
        if seen == place and moment == when:
            raise fault()

    return hook


def down() -> Exception:
    return ConnectionError("no answer")


# Of records and of calls on the wire: also between disabling somebody and signing out.
SWEEP = list(product(range(1, 20), ("before", "after"), ("record", "wire"), (Crash, down)))
SAMPLE = [
    (2, "before", "record", Crash),
    (2, "after", "record", Crash),
    (2, "after", "wire", Crash),  # disabled, and not signed out
    (3, "after", "wire", down),  # both, and not recorded
    (4, "before", "wire", down),
    (5, "after", "wire", Crash),
]
WHOLE = [pytest.param(*each, marks=pytest.mark.long) for each in SWEEP if each not in SAMPLE]


@pytest.mark.parametrize(("place", "when", "what", "fault"), [*SAMPLE, *WHOLE])
def test_a_push_that_is_interrupted_anywhere_is_made_good_by_the_next(
    app: InPool, place: int, when: str, what: str, fault: Callable[[], Exception]
) -> None:
    begin(app)
    hooks = app.hooks if what == "record" else app.pool.hooks
    hooks.append(interrupted(place, when, fault))
    with suppress(Crash, Unavailable, ConnectionError):
        app.push()
    hooks.clear()
    app.push(DAY)
    signed_in = dict.fromkeys(("ada", "dora", "eve"), "signed in")
    assert others(app) == signed_in | {"bob": "disabled", "carl": "enabled"}
    assert app.told == []
    assert_quiet(app)
