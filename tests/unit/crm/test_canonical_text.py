"""One text for one value, whoever brought it; and answers that hold half a character (W14)."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.crm import canonical_text
from muster.crm.pages import read_salesforce_page, read_vault_page


@pytest.mark.parametrize(
    ("by_rest", "by_soap", "text"),
    [
        ("2026-11-20T08:15:31.000+0000", "2026-11-20T08:15:31.000Z", "2026-11-20T08:15:31.000Z"),
        ("2026-11-20T10:15:31.25+02:00", "2026-11-20T08:15:31.250Z", "2026-11-20T08:15:31.250Z"),
        ("2026-11-20T08:15:31+0000", "2026-11-20T08:15:31Z", "2026-11-20T08:15:31.000Z"),
        (39.0, "39.0", "39.0"),
        (7, "7", "7"),
        (12345678.0, "1.2345678E7", "12345678.0"),
        (123456789012345.67, "1.2345678901234567E14", "123456789012345.67"),
        (1e21, "1.0E21", "1000000000000000000000.0"),
        (1.2e-05, "1.2E-5", "0.000012"),
        (-0.00012, "-1.2E-4", "-0.00012"),
        (True, "true", "true"),
        ("2026-11-20", "2026-11-20", "2026-11-20"),
        ("  Rep ", "Rep\n", "Rep"),
        (None, "", None),
    ],
)
def test_a_value_has_one_text_whoever_brought_it(by_rest: object, by_soap: str, text: str | None) -> None:
    assert canonical_text.of("Value__c", by_rest) == text
    assert canonical_text.of("Value__c", by_soap) == text


@pytest.mark.parametrize(
    "text",
    [
        "1E5",
        "E7",
        "007.50",
        "12345678.90",
        "1.5E400",
        "0001-01-01T00:00:00.000+14:00",
        "2026-13-20T08:15:31.000Z",
        "2026-11-20T08:15:31",
        "2026-11-20T08:15:31.123456Z",
        "since 2026-11-20T08:15:31.000+0000",
        "Señor 🦋",
    ],
)
def test_what_only_looks_like_one_is_kept_character_by_character(text: str) -> None:
    assert canonical_text.of("Note__c", text) == text


@pytest.mark.parametrize("name", ["ManagerId", "managerid", "ProfileId", "Id", "DelegatedApproverId"])
def test_an_id_has_eighteen_characters_in_every_field_of_ids(name: str) -> None:
    assert canonical_text.of(name, "005000000000001") == "005000000000001AAA"
    assert canonical_text.of(name, "005000000000001AAA") == "005000000000001AAA"


@pytest.mark.parametrize("name", ["Title", "FederationIdentifier", "Staff_Id__c"])
def test_a_text_of_fifteen_letters_is_no_id(name: str) -> None:
    assert canonical_text.of(name, "Businessmanager") == "Businessmanager"


@given(st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_canonical_text_stays_as_it_is(value: object) -> None:
    once = canonical_text.of("Value__c", value)
    assert canonical_text.of("Value__c", once) == once


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_loses_anything(value: float) -> None:
    text = canonical_text.of("Value__c", value)
    assert text is not None
    assert float(text) == value
    assert "e" not in text.lower()


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'"Rep \\ud83d"', "Rep �"),
        (b'"Rep \\uDD8B!"', "Rep �!"),
        (b'"\\ud83d\\ud83e\\udd8b"', "�🦋"),
        (b'"\\ud83e\\udd8b"', "🦋"),
        (b'"C:\\\\ud83d"', "C:\\ud83d"),
        (b'"C:\\\\\\ud83d"', "C:\\�"),
        (b'"Rep \xed\xa0\xbd"', "Rep �"),
        (b'"Rep"', "Rep"),
    ],
)
def test_half_a_character_is_repaired_and_all_others_are_kept(body: bytes, text: str) -> None:
    read = canonical_text.read_json(body)
    assert read == text
    assert orjson.loads(orjson.dumps(read)) == read


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": "\\ud83d"', b'"\xff"', b'"\\u12"', b"[" * 5_000])
def test_what_is_no_json_is_none_repaired_or_not(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - no message: it would quote the body
        canonical_text.read_json(body)


@given(st.text(st.characters()))
def test_half_a_character_anywhere_leaves_the_rest(text: str) -> None:
    escaped = "".join(f"\\u{ord(each):04x}" if "\ud800" <= each <= "\udfff" else "." for each in text)
    read = canonical_text.read_json(f'"{escaped}"'.encode())
    assert read.count(".") == escaped.count(".")


def test_a_page_with_half_a_character_is_read() -> None:
    row = b'{"Id": "005000000000001AAA", "Title": "Rep \\ud83d"}'
    body = b'{"totalSize": 1, "done": true, "records": [' + row + b"]}"
    assert read_salesforce_page(body).records[0]["Title"] == "Rep \N{REPLACEMENT CHARACTER}"
    details = b'"responseDetails": {"total": 1}'
    body = b'{"responseStatus": "SUCCESS", ' + details + b', "data": [' + row + b"]}"
    assert read_vault_page(body).records[0]["Title"] == "Rep \N{REPLACEMENT CHARACTER}"
