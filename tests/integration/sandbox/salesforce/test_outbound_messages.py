from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.salesforce import running
from sandbox.serving import serve
from tests.doubles.clocks import Clock
from tests.doubles.receiver import Receiver
from tests.doubles.salesforce_over_http import Organization, suffix_by_the_book, wait_for
from tests.integration.sandbox.salesforce.conftest import QUICK

FIELDS = (
    "Username",
    "Email",
    "FirstName",
    "LastName",
    "IsActive",
    "CreatedDate",
    "SystemModstamp",
    "Region__c",
)


def test_a_created_user_is_sent_as_the_wsdl_says(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    action = org.install(receiver_url, *FIELDS)
    user = org.create(
        FirstName="Ada",
        LastName="O'Neil & <Co>",
        Username="ada@acme.example",
        Email="ada@acme.example",
        Region__c='"É"',
    )
    (received,) = receiver.wait(1)
    assert received.method == "POST"
    assert received.content_type == "text/xml; charset=UTF-8"
    assert received.soap_action == '""'
    assert b"O'Neil &amp; &lt;Co&gt;" in received.body
    message = received.message
    assert (message.organization_id, message.action_id) == (org.sandbox.organization_id, action)
    organization15 = org.sandbox.organization_id[:15]
    assert message.enterprise_url.endswith(f"/services/Soap/c/66.0/{organization15}")
    assert message.partner_url.endswith(f"/services/Soap/u/66.0/{organization15}")
    assert message.fields == [
        {
            "Id": user,
            "CreatedDate": "2026-11-21T12:00:00.000Z",
            "Email": "ada@acme.example",
            "FirstName": "Ada",
            "IsActive": "true",
            "LastName": "O'Neil & <Co>",
            "Region__c": '"É"',
            "SystemModstamp": "2026-11-21T12:00:00.000Z",
            "Username": "ada@acme.example",
        }
    ]


def test_ids_have_their_prefix_and_suffix(org: Organization, receiver: Receiver, receiver_url: str) -> None:
    org.install(receiver_url)
    org.deliver(hold=True)
    for _ in range(5):
        org.create()
    org.deliver(hold=False)
    (message,) = receiver.messages(1)
    assert [message.organization_id[:3], message.action_id[:3]] == ["00D", "04k"]
    assert message.ids == sorted(set(message.ids))
    for each in (message.organization_id, message.action_id, *message.ids):
        assert each[15:] == suffix_by_the_book(each[:15])
    assert all(each.startswith("04l") for each in message.ids)


def test_fields_come_in_ascii_order_after_the_id(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    org.control("POST", "custom-fields", {"name": "aardvark__c", "type": "Text"}, status=201)
    org.install(receiver_url, "aardvark__c", "Username", "Alias", "LastName", "AboutMe", "IsActive")
    org.create(aardvark__c="x", AboutMe="y")
    (message,) = receiver.messages(1)
    expected = ["Id", "AboutMe", "Alias", "IsActive", "LastName", "Username", "aardvark__c"]
    assert list(message.fields[0]) == expected


def test_null_and_blank_fields_have_no_element(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    org.install(
        receiver_url, "FirstName", "Title", "ManagerId", "CallCenterId", "IsActive", "Import_Emails__c"
    )
    user = org.create(FirstName=" ", Title="", IsActive=False)
    (message,) = receiver.messages(1)
    assert message.fields == [{"Id": user, "Import_Emails__c": "false", "IsActive": "false"}]


def test_values_of_every_kind(org: Organization, receiver: Receiver, receiver_url: str) -> None:
    for name, kind in (("Quota__c", "Number"), ("Started__c", "Date"), ("Badge_Printed__c", "DateTime")):
        org.control("POST", "custom-fields", {"name": name, "type": kind}, status=201)
    org.install(receiver_url, "Quota__c", "Started__c", "Badge_Printed__c", "ProfileId", "Signature")
    signature = "\U0001f600 tab\tand\x01 \x0b& line"
    user = org.create(
        Quota__c=39, Started__c="2026-02-28", Badge_Printed__c="2026-03-01T10:00:00Z", Signature=signature
    )
    (message,) = receiver.messages(1)
    assert message.fields == [
        {
            "Id": user,
            "Badge_Printed__c": "2026-03-01T10:00:00.000Z",
            "ProfileId": "00e000000000003AAA",
            "Quota__c": "39.0",
            "Signature": "\U0001f600 tab\tand & line",  # XML has no way to say the control characters
            "Started__c": "2026-02-28",
        }
    ]


def test_only_a_change_is_sent(org: Organization, receiver: Receiver, receiver_url: str) -> None:
    user = org.create(Title="Rep")
    org.install(receiver_url, "Title", "Department")
    org.update(user, Title="Rep")
    org.update(user, title=" Rep ", Department="", IsActive=True)
    org.update(user)
    org.update(user, Title="Lead")
    (message,) = receiver.messages(1)
    assert message.fields == [{"Id": user, "Title": "Lead"}]
    wait_for(lambda: org.deliveries()["delivered"] == 1)


def test_a_refused_change_is_not_sent(org: Organization, receiver: Receiver, receiver_url: str) -> None:
    user = org.create()
    org.install(receiver_url, "Title", "Email")
    assert (
        org.call("PATCH", f"/sobjects/User/{user}", json={"Title": "Rep", "Email": "nobody"}).status_code
        == 400
    )
    org.update(user, Title="Lead")
    (message,) = receiver.messages(1)
    assert message.fields[0]["Title"] == "Lead"


def test_the_content_is_the_latest_at_the_time_of_sending(
    org: Organization, receiver: Receiver, receiver_url: str, clock: Clock
) -> None:
    org.install(receiver_url, "Title", "SystemModstamp")
    org.deliver(hold=True)
    user = org.create(Title="Rep")
    clock.set("2026-11-21T12:00:05+00:00")
    org.update(user, Title="Lead")
    clock.set("2026-11-21T12:00:09+00:00")
    org.update(user, Title="Head")
    assert org.deliveries()["pending"] == 3
    org.deliver(hold=False)
    (message,) = receiver.messages(1)
    latest = {"Id": user, "SystemModstamp": "2026-11-21T12:00:09.000Z", "Title": "Head"}
    assert message.fields == [latest] * 3
    assert len(set(message.ids)) == 3


def test_a_snapshot_is_the_record_as_it_was(org: Organization, receiver: Receiver, receiver_url: str) -> None:
    org.install(receiver_url, "Title")
    org.deliver(hold=True, snapshot=True)
    user = org.create()
    for title in ("Rep", "Lead", None):
        org.update(user, Title=title)
    org.deliver(hold=False)
    (message,) = receiver.messages(1)
    assert [fields.get("Title") for fields in message.fields] == [None, "Rep", "Lead", None]


@pytest.mark.parametrize(
    ("count", "sizes"), [(99, [99]), (100, [100]), (101, [1, 100]), (205, [5, 100, 100])]
)
def test_a_message_holds_up_to_a_hundred_notifications(
    org: Organization, receiver: Receiver, receiver_url: str, count: int, sizes: list[int]
) -> None:
    users = [org.create() for _ in range(5)]
    org.install(receiver_url)
    org.deliver(hold=True)
    org.control("POST", "outbound-message/resend", {"records": (users * count)[:count]})
    org.deliver(hold=False)
    messages = receiver.wait_for_notifications(count)
    assert sorted(len(message.ids) for message in messages) == sizes
    assert len({each for message in messages for each in message.ids}) == count


def test_changes_gather_within_the_window(org: Organization, receiver: Receiver, receiver_url: str) -> None:
    org.install(receiver_url)
    org.deliver(window_s=0.5)
    for _ in range(20):
        org.create()
    (message,) = receiver.messages(1)
    assert len(message.ids) == 20


def test_a_smaller_batch_splits(org: Organization, receiver: Receiver, receiver_url: str) -> None:
    org.install(receiver_url)
    org.deliver(hold=True, batch_size=2)
    users = [org.create() for _ in range(5)]
    org.deliver(hold=False)
    messages = receiver.wait_for_notifications(5)
    assert [[fields["Id"] for fields in message.fields] for message in messages] == [
        users[:2],
        users[2:4],
        users[4:],
    ]


def test_duplicates_are_the_same_message_again(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    org.install(receiver_url, "LastName")
    org.deliver(duplicate=2)
    org.create()
    first, second, third = receiver.messages(3)
    assert first == second == third
    wait_for(lambda: len(org.deliveries()["attempts"]) == 3)
    report = org.deliveries()
    assert (report["delivered"], report["pending"]) == (1, 0)
    assert [each["duplicate"] for each in report["attempts"]] == [False, True, True]


def reordered(org: Organization, url: str, receiver: Receiver, seed: int) -> list[int]:
    """The places in the order of creation, in the order of arrival."""
    org.control("POST", "reset")
    org.install(url)
    org.deliver(hold=True, reorder=True, batch_size=3, seed=seed)
    users = [org.create() for _ in range(12)]
    before = len(receiver.received)
    org.deliver(hold=False)
    messages = [each.message for each in receiver.wait(before + 4)[before:]]
    return [users.index(fields["Id"]) for message in messages for fields in message.fields]


def test_reordering_is_repeatable_by_its_seed(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    first = reordered(org, receiver_url, receiver, seed=7)
    assert sorted(first) == list(range(12))
    assert first != list(range(12))
    assert reordered(org, receiver_url, receiver, seed=7) == first
    assert reordered(org, receiver_url, receiver, seed=8) != first


def test_an_unchanged_record_can_be_sent_again(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    user = org.create()
    org.install(receiver_url)
    assert org.control("POST", "outbound-message/resend", {"records": [user[:15], user]}) == {"queued": 2}
    (message,) = receiver.messages(1)
    assert message.fields == [{"Id": user}] * 2


def test_installing_again_keeps_the_action_and_replaces_the_rest(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    first = org.install("http://127.0.0.1:9/nowhere", "Title")
    assert org.install(receiver_url, "LastName") == first
    assert first.startswith("04k")
    org.create(LastName="Hopper", Title="Rep")
    (message,) = receiver.messages(1)
    assert message.action_id == first
    assert list(message.fields[0]) == ["Id", "LastName"]


def test_several_outbound_messages_are_sent_side_by_side(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    actions = {org.install(receiver_url, "LastName", name=name) for name in ("First", "Second")}
    org.create()
    messages = receiver.messages(2)
    assert {message.action_id for message in messages} == actions
    assert messages[0].ids != messages[1].ids
    assert [each["name"] for each in org.control("GET", "outbound-message")] == ["First", "Second"]


def test_a_removed_outbound_message_is_not_sent(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    org.install(receiver_url, name="First")
    org.deliver(hold=True)
    org.create()
    assert org.control("DELETE", "outbound-message", {"name": "First"}) == {"name": "First", "removed": True}
    assert org.control("DELETE", "outbound-message", {"name": "First"})["removed"] is False
    assert org.deliveries()["pending"] == 0
    org.deliver(hold=False)
    org.install(receiver_url, name="Second")
    user = org.create()
    (message,) = receiver.messages(1)
    assert message.fields == [{"Id": user}]


def test_a_reset_empties_the_queue_and_keeps_the_installation(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    action = org.install(receiver_url)
    org.deliver(hold=True, duplicate=1)
    org.create()
    org.control("POST", "reset")
    report = org.deliveries()
    assert report == {"pending": 0, "delivered": 0, "dropped": 0, "attempts": []}
    user = org.create()
    (message,) = receiver.messages(1)
    assert (message.action_id, message.fields) == (action, [{"Id": user}])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "url is"),
        ([], "the body is"),
        ({"url": "ftp://x", "fields": []}, "http or https"),
        ({"url": "http://x", "fields": "Id"}, "list of field names"),
        ({"url": "http://x", "fields": ["Shoe"]}, "no field Shoe"),
        ({"url": "http://x", "fields": ["Profile.Name"]}, "no field Profile.Name"),
        ({"url": "http://x", "fields": ["Name"]}, "FirstName and LastName"),
        ({"url": "http://x", "fields": [], "object": "Profile"}, "object is User"),
        ({"url": "http://x", "fields": [], "name": "a b"}, "name is"),
        ({"url": "http://x", "fields": [], "session": True}, "the body is"),
    ],
)
def test_a_wrong_outbound_message_is_refused_with_what_is_allowed(
    org: Organization, body: object, said: str
) -> None:
    assert said in org.control("PUT", "outbound-message", body, status=400)["error"]
    assert org.control("GET", "outbound-message") == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "the body is"),
        ({"slow": True}, "window_s"),
        ({"hold": 1}, "hold is true or false"),
        ({"duplicate": -1}, "duplicate is a whole number"),
        ({"duplicate": 1.5}, "duplicate is a whole number"),
        ({"window_s": "1"}, "window_s is a number"),
        ({"window_s": True}, "window_s is a number"),
        ({"batch_size": 0}, "from 1 to 100"),
        ({"batch_size": 101}, "from 1 to 100"),
        ({"retry_factor": 0.5}, "from 1 to 10"),
        ({"timeout_s": 0}, "more than 0"),
    ],
)
def test_a_wrong_delivery_setting_is_refused_with_what_is_allowed(
    org: Organization, body: object, said: str
) -> None:
    before = org.control("GET", "outbound-message/delivery")
    assert said in org.control("PUT", "outbound-message/delivery", body, status=400)["error"]
    assert org.control("GET", "outbound-message/delivery") == before


@pytest.mark.parametrize("records", [None, "005", [5], ["x"], ["005999999999999"]])
def test_only_users_that_are_there_can_be_sent_again(
    org: Organization, receiver_url: str, records: object
) -> None:
    org.install(receiver_url)
    org.control("POST", "outbound-message/resend", {"records": records}, status=400)
    assert org.deliveries()["pending"] == 0


def test_the_queue_survives_a_restart(tmp_path: Any, receiver: Receiver) -> None:
    data = str(tmp_path / "salesforce.sqlite")
    with serve(receiver) as url:
        with running(data=data, delivery=QUICK) as sandbox:
            org = Organization(sandbox)
            action = org.install(url, "LastName")
            org.deliver(hold=True)
            user = org.create(LastName="Hopper")
            org.http.close()
        with running(data=data, delivery=QUICK):
            (message,) = receiver.messages(1)
    assert (message.action_id, message.fields) == (action, [{"Id": user, "LastName": "Hopper"}])


def test_stamps_in_messages_are_those_of_the_api(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    org.install(receiver_url, "SystemModstamp")
    user = org.create()
    (message,) = receiver.messages(1)
    by_api = datetime.fromisoformat(org.user(user)["SystemModstamp"])
    by_message = datetime.fromisoformat(message.fields[0]["SystemModstamp"])
    assert by_api == by_message == datetime(2026, 11, 21, 12, tzinfo=UTC)
