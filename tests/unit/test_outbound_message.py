"""The SOAP of outbound messages: what is understood, what is refused and how, and what is answered."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from muster.adapters import outbound_message
from muster.adapters.outbound_message import parse
from muster.errors import Problem, Rejected, TooLarge
from muster.webhook.messages import Notification
from tests.doubles.outbound_messages import (
    FIELDS,
    OUTBOUND,
    SOAP,
    message,
    notification,
    record,
    user,
)

EVENTS = Path(__file__).parent.parent.parent / "events"


def fields_of(text: str) -> dict[str, str]:
    [only] = parse(text.encode()).notifications
    return only.fields


def test_the_sample_message_is_read_field_by_field() -> None:
    parsed = parse((EVENTS / "outbound_user_webhook.xml").read_bytes())

    assert parsed.organization_id == "00D000000000062EAA"
    assert parsed.action_id == "04k000000000001AAA"
    ada, grace = parsed.notifications
    assert ada == Notification(
        id="04l000000000001AAA",
        object="User",
        fields={
            "Id": "005000000000001AAA",
            "CallCenterId": "04v000000000001AAA",
            "CreatedDate": "2026-11-01T09:30:00.000Z",
            "Email": "ada@acme.example",
            "FirstName": "Ada",
            "IsActive": "true",
            "LanguageLocaleKey": "en_US",
            "LastModifiedDate": "2026-11-20T08:15:31.000Z",
            "LastName": "O'Neil & Søn",
            "MobilePhone": "+44 20 7946 0001",
            "ProfileId": "00e000000000001AAA",
            "SystemModstamp": "2026-11-20T08:15:31.000Z",
            "UserType": "Standard",
            "Username": "ada@acme.example",
        },
    )
    assert (grace.id, grace.fields["IsActive"]) == ("04l000000000002AAA", "false")
    assert "CallCenterId" not in grace.fields


def test_a_deleted_record_comes_without_data_and_other_objects_keep_their_name() -> None:
    parsed = parse((EVENTS / "outbound_user_webhook_parked.xml").read_bytes())

    assert parsed.notifications == (
        Notification("04l000000000003AAA", "User", {}),
        Notification("04l000000000004AAA", "Account", {"Id": "001000000000001AAA", "Name": "Acme"}),
    )


@pytest.mark.parametrize("prefix", ["soapenv", "sf", "xsi"])
def test_prefixes_do_not_matter(prefix: str) -> None:
    text = message().replace(f"{prefix}:", "other:").replace(f"xmlns:{prefix}=", "xmlns:other=")

    assert text != message()
    assert parse(text.encode()) == parse(message().encode())


def test_a_default_namespace_on_the_envelope_is_fine() -> None:
    text = message().replace("soapenv:", "").replace("xmlns:soapenv", "xmlns")

    assert parse(text.encode()) == parse(message().encode())


@pytest.mark.parametrize(
    "prolog",
    [
        "",
        "\n",
        "<!-- a comment -->",
        "\ufeff",
        '<?xml version="1.0"?>',
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?>",
        '\ufeff<?xml version="1.0" encoding="Utf-8"?>',
    ],
)
def test_what_may_stand_before_the_envelope(prolog: str) -> None:
    assert parse(message(prolog=prolog).encode()) == parse(message().encode())


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("O&apos;Neil &amp; &lt;Co&gt;", "O'Neil & <Co>"),
        ("&#x41;&#66;", "AB"),
        ("<![CDATA[<b> & ]]>x", "<b> & x"),
        ("Love<!-- nothing -->lace", "Lovelace"),
        (" two\r\nlines ", " two\nlines "),
        ("&#13;", "\r"),
        ("😀\u0085\u2028\ufffd", "😀\u0085\u2028\ufffd"),
        ("", ""),
        ("x" * outbound_message.MAX_FIELD_BYTES, "x" * outbound_message.MAX_FIELD_BYTES),
        ("ø" * (outbound_message.MAX_FIELD_BYTES // 2), "ø" * (outbound_message.MAX_FIELD_BYTES // 2)),
    ],
)
def test_text_arrives_as_xml_means_it(sent: str, text: str) -> None:
    assert fields_of(message().replace("Lovelace", sent))["LastName"] == text


@pytest.mark.parametrize(("nil", "present"), [("true", False), ("1", False), ("false", True), ("0", True)])
def test_a_nil_field_is_an_absent_one(nil: str, present: bool) -> None:
    assert ("Title" in fields_of(user(f'{FIELDS}<sf:Title xsi:nil="{nil}"></sf:Title>'))) is present


def test_ids_come_out_with_18_characters() -> None:
    body = (
        message()
        .replace("04l000000000001AAA", "04l000000000001")
        .replace("005000000000001AAA", "005000000000001")
    )

    [only] = parse(body.encode()).notifications
    assert (only.id, only.fields["Id"]) == ("04l000000000001AAA", "005000000000001AAA")


def test_neither_session_nor_addresses_become_a_value() -> None:
    head = (
        "<OrganizationId>00D000000000062</OrganizationId><ActionId>04k000000000001</ActionId>"
        "<SessionId>canary</SessionId><EnterpriseUrl>canary</EnterpriseUrl><PartnerUrl>canary</PartnerUrl>"
    )

    assert "canary" not in repr(parse(message(head=head).encode()))


def test_a_hundred_notifications_of_two_hundred_fields_are_within_all_limits() -> None:
    fields = "<sf:Id>005000000000001AAA</sf:Id>" + "".join(f"<sf:F{n}/>" for n in range(199))
    body = message("".join(notification(record(fields), number) for number in range(100)))

    parsed = parse(body.encode())
    assert len(parsed.notifications) == 100
    assert {len(one.fields) for one in parsed.notifications} == {200}


def test_a_notification_id_may_come_twice() -> None:
    assert len(parse(message(notification() * 2).encode()).notifications) == 2


WITHIN_FIELD = message().index("Lovelace") + 1
REFUSED = {
    "empty": ("", "line 1, column 1"),
    "JSON": ("null", "line 1, column 1"),
    "HTML": ("<html></html>", "Envelope"),
    "declaration not first": (message(prolog='\n<?xml version="1.0"?>'), "line 2, column 1"),
    "utf8": (message(prolog='<?xml version="1.0" encoding="utf8"?>'), "XML declaration"),
    "a codec": (message(prolog='<?xml version="1.0" encoding="base64"?>'), "XML declaration"),
    "DTD": (message(prolog="<!DOCTYPE x>"), "body"),
    "entity declaration": (message(prolog='<!DOCTYPE x [<!ENTITY e "e">]>'), "body"),
    "processing instruction": (message(prolog="<?php exit ?>"), "body"),
    "second root": (message() + "<x/>", f"line 1, column {len(message()) + 1}"),
    "SOAP 1.2": (message().replace(SOAP, "http://www.w3.org/2003/05/soap-envelope"), "Envelope"),
    "other notifications": (message().replace(OUTBOUND, "urn:other"), "Body"),
    "header": (message().replace("<soapenv:Body>", "<soapenv:Header/><soapenv:Body>"), "Envelope"),
    "two bodies": (message().replace("</soapenv:Body>", "</soapenv:Body><soapenv:Body/>"), "Envelope"),
    "text before": (message().replace("<soapenv:Body>", "x<soapenv:Body>"), "Envelope"),
    "text after": (message().replace("</soapenv:Body>", "</soapenv:Body>x"), "Envelope"),
    "no notification": (message(""), "notifications"),
    "101 notifications": (message(notification() * 101), "notifications"),
    "no organization": (message(head=""), "notifications"),
    "empty organization": (message().replace("00D000000000062EAA", ""), "OrganizationId"),
    "17 characters": (message().replace("00D000000000062EAA", "00D000000000062EA"), "OrganizationId"),
    "element in an id": (message().replace("04k000000000001AAA", "<b/>"), "ActionId"),
    "element in an address": (message().replace("https://a.example/c", "<b/>"), "EnterpriseUrl"),
    "two records": (message(notification(record() * 2)), "Notification 1"),
    "no notification id": (message("<Notification/>"), "Notification 1"),
    "empty type": (message(notification(record(attributes='xsi:type=""'))), "Notification 1, sObject"),
    "text in the record": (user("x"), "Notification 1, sObject"),
    "text after a field": (user(f"{FIELDS}x"), "Notification 1, field 4"),
    "not a field": (user(f"{FIELDS}<Title/>"), "Notification 1, field 5"),
    "no API name": (user(f"{FIELDS}<sf:A-b/>"), "Notification 1, field 5"),
    "long name": (user(f"{FIELDS}<sf:{'A' * 81}/>"), "Notification 1, field 5"),
    "field twice": (user(f"{FIELDS}<sf:LastName/>"), "Notification 1, field 5"),
    "nil and again": (user('<sf:A xsi:nil="true"/><sf:A/>'), "Notification 1, field 2"),
    "nested field": (user("<sf:Id><b/></sf:Id>"), "Notification 1, field 1"),
    "nil yes": (user('<sf:A xsi:nil="yes"/>'), "Notification 1, field 1"),
    "nil with text": (user('<sf:A xsi:nil="1">x</sf:A>'), "Notification 1, field 1"),
    "empty record id": (user("<sf:Id/>"), "Notification 1, sObject Id"),
    "201 fields": (user("".join(f"<sf:F{n}/>" for n in range(201))), "Notification 1, sObject"),
    "long text": (user(f"<sf:A>{'x' * 32769}</sf:A>"), "Notification 1, field 1"),
    "long UTF-8": (user(f"<sf:A>{'ø' * 16385}</sf:A>"), "Notification 1, field 1"),
    "17 levels": ("<a>" * 17 + "</a>" * 17, "Envelope"),
    "20,000 levels": ("<a>" * 20_000 + "</a>" * 20_000, "Envelope"),
    "100,000 levels": ("<a>" * 100_000, "body"),
    "too many elements": ("<a>" + "<b/>" * outbound_message.MAX_TAGS, "body"),
    "NUL": (message().replace("Lovelace", "\0"), "body"),
    "NUL as a reference": (message().replace("Lovelace", "&#0;"), f"line 1, column {WITHIN_FIELD}"),
    "unknown entity": (message().replace("Lovelace", "&secret;"), f"line 1, column {WITHIN_FIELD}"),
}


@pytest.mark.parametrize(("body", "where"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused_with_its_place(body: str, where: str) -> None:
    with pytest.raises(Rejected) as refusal:
        parse(body.encode())

    [problem] = refusal.value.problems
    assert problem.where == where
    assert problem.remedy


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (message().encode("utf-16"), "body"),
        (message().encode("utf-16-le"), "body"),
        (message().encode("utf-32"), "body"),
        (message().encode("utf-8") + b"\xff", f"byte {len(message()) + 1}"),
        ("<ø/>".encode("latin-1"), "byte 2"),
        (b"<a>\xed\xa0\x80</a>", "byte 4"),
        (b"<a>\xc0\xbc</a>", "byte 4"),
        (b"\x1f\x8b\x08", "byte 2"),
        ("<ø/>".encode("cp037"), "line 1, column 1"),
    ],
)
def test_anything_but_utf_8_is_refused(body: bytes, where: str) -> None:
    with pytest.raises(Rejected) as refusal:
        parse(body)

    assert refusal.value.problems[0].where == where


def test_a_body_may_have_1_mib_and_not_a_byte_more() -> None:
    room = outbound_message.MAX_BODY_BYTES - len(message())
    largest = message() + "\n" * room

    assert len(parse(largest.encode()).notifications) == 1
    with pytest.raises(TooLarge):
        parse(largest.encode() + b"\n")


def test_a_refusal_quotes_nothing_of_the_body() -> None:
    with pytest.raises(Rejected) as refusal:
        parse(message().replace("Lovelace", "&canary;").encode())

    assert "canary" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(("accepted", "text"), [(True, "true"), (False, "false")])
def test_the_acknowledgement_is_what_salesforce_looks_for(accepted: bool, text: str) -> None:
    answer = outbound_message.acknowledgement(accepted=accepted)

    assert answer.startswith("<?xml")
    assert (
        ElementTree.fromstring(answer).findtext(  # noqa: S314 - our own text
            f"./{{{SOAP}}}Body/{{{OUTBOUND}}}notificationsResponse/{{{OUTBOUND}}}Ack"
        )
        == text
    )


def test_a_fault_says_where_and_what_to_do() -> None:
    answer = outbound_message.fault(Problem("a < b", "is so & so", "Do this."))

    assert answer.startswith("<?xml")
    [fault] = ElementTree.fromstring(answer).iter(f"{{{SOAP}}}Fault")  # noqa: S314 - our own text
    assert fault.findtext("faultcode") == "soapenv:Client"
    assert fault.findtext("faultstring") == "a < b: is so & so. Do this."
