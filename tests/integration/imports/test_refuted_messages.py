"""What a message said is refuted by what is read after it: mended, and told (W11)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from muster import bootstrap
from muster.errors import Unavailable
from muster.roster.member import Json
from tests.examples import user
from tests.integration.company import Company
from tests.integration.told_metrics import metrics

BELIEVED = {"read_back": False, "require_call_center": False}
READ_BACK = {"require_call_center": False}


def stamp(ahead: timedelta) -> str:
    return (datetime.now(UTC) + ahead).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def forged(crm_id: str, **fields: Any) -> dict[str, str]:
    """Return a message of a user that is stamped as far ahead as one may be."""
    ahead = stamp(timedelta(minutes=4))
    return user(Id=crm_id, **{"Department": "Sales", "SystemModstamp": ahead, **fields})


def refuted(company: Company) -> list[Json]:
    return [entry for entry in company.errors() if entry["code"] == "message_refuted"]


@pytest.mark.parametrize("mode", ["full", "named", "read back"])
@pytest.mark.parametrize("active", [True, False], ids=["let in", "shut out"])
def test_whoever_reads_after_a_forged_message_mends_it_and_tells(
    company: Company,
    pass_time: Callable[[timedelta], None],
    capsys: pytest.CaptureFixture[str],
    mode: str,
    active: bool,
) -> None:
    ada = company.salesforce.create(Department="Sales", IsActive=not active)
    company.put_and_approve(auto_provision=BELIEVED)
    company.run()
    assert company.hear(forged(ada, IsActive=str(active).lower())) == 0
    assert (company.active() == {ada}) == active
    assert refuted(company) == []

    pass_time(timedelta(minutes=1))
    capsys.readouterr()
    if mode == "read back":
        company.put(auto_provision=READ_BACK)
        assert company.hear({"Id": ada}) == 0
    else:
        said = company.run() if mode == "full" else company.run(None, members=[ada])
        assert (said["status"], said["counts"]["message_refuted"]) == ("succeeded", 1)
        assert "1 message was refuted" in said["message"]
    assert metrics(capsys.readouterr().out)["MessagesRefuted"] == 1
    assert (company.active() == {ada}) != active
    [entry] = refuted(company)
    assert (entry["record"], entry["notification"]) == (ada, "04l000000000001AAA")
    assert "rotate_token" in entry["remedy"]

    assert company.run()["counts"] == {}
    assert len(refuted(company)) == 1


def test_a_message_that_was_under_way_while_salesforce_was_read_is_refuted_as_it_comes(
    company: Company, pass_time: Callable[[timedelta], None], capsys: pytest.CaptureFixture[str]
) -> None:
    ada = company.salesforce.create(Department="Sales")
    pass_time(timedelta(minutes=1))
    company.run()
    company.put_and_approve(auto_provision=BELIEVED)
    before = company.items()
    capsys.readouterr()
    # It was taken in a minute before the import read.
    assert company.hear(forged(ada, IsActive="false"), received_at=datetime.now(UTC)) == 0
    assert company.items() == before
    assert metrics(capsys.readouterr().out)["MessagesRefuted"] == 1
    assert [entry["record"] for entry in refuted(company)] == [ada]


def test_a_message_that_was_true_is_refuted_by_nobody(
    company: Company, pass_time: Callable[[timedelta], None]
) -> None:
    org = company.salesforce
    ada, bob = org.create(Department="Sales"), org.create(Department="Sales")
    company.put_and_approve(auto_provision=BELIEVED)
    company.run()
    rows = {row: org.call("GET", f"/services/data/v66.0/sobjects/User/{row}") for row in (ada, bob)}
    # Ada's message is what Salesforce shows; Bob's is overtaken by a change.
    for crm_id, row in rows.items():
        org.update(crm_id, IsActive=False)
        row |= org.call("GET", f"/services/data/v66.0/sobjects/User/{crm_id}")
        told = row["SystemModstamp"].replace("+0000", "Z")
        assert company.hear(forged(crm_id, IsActive="false", SystemModstamp=told)) == 0
    org.update(bob, IsActive=True, Title="Back")
    pass_time(timedelta(minutes=1))
    company.run()
    assert company.active() == {bob}
    assert company.errors() == []


def test_many_refuted_messages_are_counted_and_some_of_them_named(
    company: Company, pass_time: Callable[[timedelta], None]
) -> None:
    company.put_and_approve(auto_provision=BELIEVED, guard={"floor": 100})
    crm_ids = company.salesforce.create_many(30, Department=["Sales"])
    company.run()
    messages = [forged(each, IsActive="false", Username=f"{each}@a.example") for each in crm_ids]
    assert company.hear(*messages) == 0
    assert company.active() == set()
    pass_time(timedelta(minutes=1))
    assert company.run()["counts"]["message_refuted"] == 30
    assert company.active() == {*crm_ids}
    named = [entry for entry in refuted(company) if entry["record"]]
    assert (len(named), len(refuted(company))) == (20, 21)


def test_it_is_told_though_nobody_knows_that_it_was_mended(
    company: Company, pass_time: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is written nothing shows it any more: so it is told before."""
    ada = company.salesforce.create(Department="Sales")
    company.put_and_approve(auto_provision=BELIEVED)
    company.run()
    assert company.hear(forged(ada, IsActive="false")) == 0
    pass_time(timedelta(minutes=1))
    roster = bootstrap.roster_table()
    write = roster.write

    first = iter([True])

    def loses_the_answer(*given: Any) -> Any:
        void = write(*given)
        if next(first, False):
            raise Unavailable("the roster table could not be reached")
        return void

    monkeypatch.setattr(roster, "write", loses_the_answer)
    assert company.run(None, members=[ada])["status"] == "succeeded"
    assert company.active() == {ada}
    assert len(refuted(company)) == 1
