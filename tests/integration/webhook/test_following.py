"""The worker's use case against the real adapter and table: order, identity, races, the error log."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from muster import bootstrap
from muster.adapters.aws.roster_views import RosterViews
from muster.roster.member import Json
from muster.settings import Settings
from muster.webhook.applying_changes import Applied, apply_message
from muster.webhook.messages import ParkedNotification, QueuedChange, QueuedMessage
from muster.webhook.ports import Ports
from tests.examples import ADA, BOB, NOW, settings, user

ACME = settings()
BOB_USER = {"Id": BOB, "Username": "bob@acme.example", "Email": "bob@acme.example", "FirstName": "Bob"}


pytestmark = pytest.mark.usefixtures("aws")


def message(
    *users: dict[str, str], parked: Iterable[ParkedNotification] = (), organization: str = "acme"
) -> QueuedMessage:
    """Return a queued message; the second of its SystemModstamp numbers each notification."""
    changes = tuple(
        QueuedChange(f"04l0000000000{fields['SystemModstamp'][17:19]}AAA", fields) for fields in users
    )
    return QueuedMessage(organization, "salesforce", NOW, changes, tuple(parked))


def ports() -> Ports:
    """Return the table, without a Salesforce."""
    return Ports(bootstrap.roster_table(), bootstrap.loss_table())


def followed(*users: dict[str, str], to: Settings = ACME) -> Counter[str]:
    return apply_message(
        message(*users, organization=to.organization),
        to,
        ports(),
        NOW,
    ).outcomes


def roster(active: bool | None = None, organization: str = "acme") -> dict[str, Json]:
    """Return the roster by username, without what depends on the order of arrival."""
    members = bootstrap.roster_views().everyone(organization, active)
    shapes = {member.username or "": member.to_json() for member in members}
    return {
        name: {key: value for key, value in shape.items() if key not in ("id", "version")}
        for name, shape in shapes.items()
    }


def the_member(views: RosterViews) -> Any:
    (only,) = views.everyone("acme", None)
    return only


def test_the_seeds_own_test_of_auto_provisioning() -> None:
    views = bootstrap.roster_views()
    assert followed(user(1, CallCenterId=None)) == {"not_provisioned": 1}
    assert roster() == {}
    assert followed(user(2)) == {"created": 1}
    assert roster()["ada@acme.example"]["active"]
    assert followed(user(3, FirstName="Augusta")) == {"updated": 1}
    assert roster()["ada@acme.example"]["name"] == "Augusta Lovelace"
    assert followed(user(4, Title="Lead"), user(5, Title="Chief")) == {"updated": 1}
    assert roster()["ada@acme.example"]["title"] == "Chief"
    assert followed(user(6, Title="Chief", IsActive="false")) == {"deactivated": 1}
    assert roster(active=True) == {}
    entries, _ = views.history("acme", the_member(views).id, 10, None)
    assert [entry["version"] for entry in entries] == [4, 3, 2, 1]


def test_the_same_message_twice_writes_nothing_the_second_time(aws: SimpleNamespace) -> None:
    users = [user(1), user(1, **BOB_USER)]
    assert followed(*users) == {"created": 2}
    before = aws.dynamodb.scan(TableName="roster")["Items"]
    assert followed(*users) == {"stale": 2}
    assert aws.dynamodb.scan(TableName="roster")["Items"] == before


def test_a_changed_address_stays_the_same_member_and_moves_its_match_keys() -> None:
    views = bootstrap.roster_views()
    followed(user(1))
    ada = the_member(views)
    followed(user(2, Email="countess@acme.example", Username="countess@acme.example"))
    assert views.matching("acme", ("email#ada@acme.example", "username#ada@acme.example")) == []
    assert views.matching("acme", ("email#countess@acme.example",)) == [ada.id]


NEWCOMER = {"Id": BOB, "Username": "ada@acme.example.new"}


def claims() -> list[tuple[str, str]]:
    """Return who is named in the error log because of a namesake, and under which code."""
    entries = list(bootstrap.roster_views().error_log("acme"))
    return sorted((entry["record"], entry["code"]) for entry in entries)


@pytest.mark.parametrize(
    "order",
    [
        [user(1), user(2, IsActive="false"), user(3, **NEWCOMER)],
        [user(1), user(3, **NEWCOMER), user(2, IsActive="false"), user(4, **NEWCOMER)],
        [user(1), user(3, **NEWCOMER), user(3, **NEWCOMER), user(2, IsActive="false"), user(4, **NEWCOMER)],
    ],
)
def test_a_recreated_user_takes_over_with_its_own_next_message_once_the_old_one_is_inactive(
    order: list[dict[str, str]],
) -> None:
    for fields in order:
        followed(fields)
    ada = the_member(bootstrap.roster_views())
    assert ada.active
    assert ada.crm["salesforce"]["id"] == BOB
    # The former Salesforce user has no say any more.
    assert followed(user(9, IsActive="false")) == {"not_provisioned": 1}
    assert the_member(bootstrap.roster_views()).active


def test_a_namesake_in_the_message_that_brings_the_leaving_takes_over_at_once() -> None:
    followed(user(1))
    assert followed(user(2, IsActive="false"), user(3, **NEWCOMER)) == {"deactivated": 1, "linked": 1}
    assert claims() == []


def test_without_salesforce_nobody_is_let_in_from_memory_and_each_is_named_once() -> None:
    followed(user(1))
    assert followed(user(3, **NEWCOMER)) == {"waiting": 1}
    assert followed(user(4, Title="Boss", **NEWCOMER)) == {"waiting": 1}
    assert claims() == [(BOB, "waits_for_namesake")]
    assert followed(user(2, IsActive="false")) == {"deactivated": 1, "waiting": 1}
    assert not the_member(bootstrap.roster_views()).active
    assert claims() == [(BOB, "namesake_left"), (BOB, "waits_for_namesake")]
    # What was said before the namesake left is no news, and nobody is told twice.
    assert followed(user(4, Title="Boss", **NEWCOMER)) == {"stale": 1}
    assert followed(user(2, IsActive="false")) == {"stale": 1}
    assert len(claims()) == 2


def test_who_waits_is_told_even_if_the_worker_died_right_after_the_deactivation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    followed(user(1))
    followed(user(3, **NEWCOMER))
    table = bootstrap.roster_table()
    with monkeypatch.context() as dying:
        dying.setattr(table, "waiting", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            followed(user(2, IsActive="false"))
    assert followed(user(2, IsActive="false")) == {"stale": 1, "waiting": 1}
    assert (BOB, "namesake_left") in claims()


def test_who_waits_for_two_goes_on_waiting_when_one_of_them_leaves() -> None:
    cleo = {"Id": "005000000000003AAA", "Username": "cleo@acme.example", "Email": "cleo@acme.example"}
    followed(user(1))
    followed(user(2, **cleo))
    assert followed(user(3, Id=BOB, Username=cleo["Username"])) == {"waiting": 1}
    assert followed(user(4, IsActive="false")) == {"deactivated": 1}
    assert followed(user(5, **cleo, IsActive="false"))["waiting"] == 1
    assert claims() == [(BOB, "namesake_left"), (BOB, "waits_for_namesake")]


def beaten_by(fields: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another worker handle this change right after the next one has gathered what is known."""
    table = bootstrap.roster_table()
    gather = table.gather

    def gather_and_lose(organization: str, wanted: Any) -> Any:
        known = gather(organization, wanted)
        monkeypatch.setattr(table, "gather", gather)
        followed(fields)
        return known

    monkeypatch.setattr(table, "gather", gather_and_lose)


def test_a_decision_is_void_when_someone_else_wrote_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both know Ada from the same reading; the older change must not win by writing last."""
    followed(user(1))
    beaten_by(user(9, Title="Newest"), monkeypatch)
    assert followed(user(5, Title="Older")) == {"stale": 1}
    assert roster()["ada@acme.example"]["title"] == "Newest"


def test_two_new_users_with_one_address_never_both_become_members(monkeypatch: pytest.MonkeyPatch) -> None:
    beaten_by(user(1), monkeypatch)
    assert followed(user(2, **NEWCOMER)) == {"waiting": 1}
    assert len(roster()) == 1


def test_organizations_do_not_touch_one_another() -> None:
    followed(user(1))
    followed(user(2, IsActive="false"), to=settings(organization="other"))
    assert roster()["ada@acme.example"]["active"]
    assert roster(organization="other") == {}


@pytest.mark.parametrize("current", [None, settings(auto_provision={"enabled": False})])
def test_switched_off_or_unknown_changes_are_counted_and_dropped(
    current: Settings | None, aws: SimpleNamespace
) -> None:
    outcome = apply_message(message(user(1), user(2)), current, ports(), NOW)
    assert outcome.outcomes == {"dropped": 2}
    assert aws.dynamodb.scan(TableName="roster")["Items"] == []


def test_what_is_not_understood_is_parked_and_the_rest_goes_on() -> None:
    broken = user(1, IsActive=None)
    foreign = ParkedNotification("04l000000000077AAA", "Account", "001000000000001AAA", "other_object")
    empty = ParkedNotification("04l000000000078AAA", "User", None, "no_fields")
    outcome: Applied = apply_message(
        message(broken, user(2, **BOB_USER), parked=[foreign, empty]),
        ACME,
        ports(),
        NOW,
    )
    assert outcome.outcomes == {"created": 1}
    log = list(bootstrap.roster_views().error_log("acme"))
    assert {(entry["code"], entry["record"]) for entry in log} == {
        ("not_understood", ADA),
        ("other_object", "001000000000001AAA"),
        ("no_fields", None),
    }
    assert all(entry["message"] and entry["remedy"] for entry in log)
    # The same delivery again adds nothing.
    apply_message(
        message(broken, parked=[foreign, empty]),
        ACME,
        ports(),
        NOW + timedelta(minutes=5),
    )
    assert len(list(bootstrap.roster_views().error_log("acme"))) == 3


@pytest.mark.parametrize("rest", [{}, {"Title": "", "IsActive": "  "}])
@pytest.mark.parametrize("read_back", [True, False])
def test_an_id_alone_says_nothing_where_users_are_not_read_back(
    rest: dict[str, str], read_back: bool, aws: SimpleNamespace
) -> None:
    """Read-back that is on needs a connection, and here there is none."""
    followed(user(1))
    hint = QueuedChange("04l000000000079AAA", {"Id": ADA, **rest})
    outcome = apply_message(
        QueuedMessage("acme", "salesforce", NOW, (hint,)),
        settings(auto_provision={"read_back": read_back}),
        ports(),
        NOW,
    )
    assert outcome.outcomes == {}
    assert roster()["ada@acme.example"]["active"], "who is only named has not left"
    [entry] = bootstrap.roster_views().error_log("acme")
    assert (entry["code"], entry["record"]) == ("no_fields", ADA)
    assert "read_back" in str(entry["remedy"])


def test_a_message_that_nobody_can_read_is_set_aside_in_few_entries() -> None:
    deleted = [ParkedNotification(f"04l0000000001{n:02d}AAA", "User", None, "no_fields") for n in range(50)]
    unclear = [user(1, Id=f"0050000000001{n:02d}AAA", IsActive=None) for n in range(25)]
    changes = tuple(QueuedChange(f"04l0000000002{n:02d}AAA", fields) for n, fields in enumerate(unclear))
    outcome = apply_message(
        QueuedMessage("acme", "salesforce", NOW, changes, tuple(deleted)), ACME, ports(), NOW
    )
    assert len(outcome.parked) == 75
    log = list(bootstrap.roster_views().error_log("acme"))
    assert Counter(entry["code"] for entry in log) == {"no_fields": 21, "not_understood": 21}
    assert [entry["message"].partition(" ")[0] for entry in log if "more like" in entry["message"]] == [
        "5",
        "30",
    ]


def test_a_hundred_users_are_gathered_in_three_calls(aws: SimpleNamespace) -> None:
    users = [
        user(1, Id=f"0050000000001{n:02d}AAA", Username=f"u{n}@acme.example", Email=f"u{n}@acme.example")
        for n in range(100)
    ]
    calls: Counter[str] = Counter()
    client = bootstrap._dynamodb()
    client.meta.events.register("before-call.dynamodb", lambda model, **_: calls.update([model.name]))
    assert followed(*users) == {"created": 100}
    # 100 links, then 200 match keys in two batches; nobody to read after that. A new user takes five
    # actions (member, history, link, two match keys), and a transaction holds 99 of them.
    assert calls == {"BatchGetItem": 3, "TransactWriteItems": 6}
