"""Calls whose headers, event or sender are hostile rather than the body; goes with `hostile_bodies.py`."""

import base64
from collections.abc import Iterator
from typing import Any

from muster.adapters.outbound_message import MAX_BODY_BYTES
from muster.webhook import tokens
from tests.doubles.outbound_messages import ORGANIZATION_ID, TOKEN, called, event, message
from tests.integration.hostile_bodies import ACCEPTED, MALFORMED, REFUSED, Case, case


def cases() -> Iterator[Case]:
    """Yield calls, each with its label."""
    yield from _headers()
    yield from _events()
    yield from _forgeries()


def _headers() -> Iterator[Case]:
    body = message().encode()
    for content_type, status in {
        "text/xml": ACCEPTED,
        "text/xml; charset=UTF-8": ACCEPTED,
        "text/xml;charset=utf-8": ACCEPTED,
        'text/xml; charset="UTF-8"': ACCEPTED,
        "text/xml ; Charset = utf-8 ; action=x": ACCEPTED,
        "application/octet-stream": ACCEPTED,
        "": ACCEPTED,
        "text/xml; charset=iso-8859-1": MALFORMED,
        "text/xml; charset=utf-16": MALFORMED,
        "text/xml; charset=utf8": MALFORMED,
        "text/xml; charset='utf-8'": MALFORMED,
        "text/xml; charset=": MALFORMED,
        'text/xml; charset=""': MALFORMED,
        "text/xml; charset=utf-8; charset=utf-16": MALFORMED,
        "text/xml; charset=utf-8, text/xml; charset=utf-16": MALFORMED,
        "text/xml; charset=base64": MALFORMED,
        "text/xml; charset=" + "x" * 8_000: MALFORMED,
        ";charset=;" * 1_000: MALFORMED,
    }.items():
        for name in ("Content-Type", "content-type", "CONTENT-TYPE"):
            one, every = {name: content_type}, {name: [content_type]}
            title = f"header {name}: {content_type[:60]}"
            yield case(title, body, status, headers=one, multiValueHeaders=every)
            yield case(f"{title}, single", body, status, headers=one, multiValueHeaders=None)
    two = {"Content-Type": ["text/xml; charset=utf-16", "text/xml; charset=utf-8"]}
    one = {"Content-Type": "text/xml; charset=utf-8"}
    yield case("header twice", body, MALFORMED, headers=one, multiValueHeaders=two)
    yield case("no headers", body, ACCEPTED, headers=None, multiValueHeaders=None)
    yield case("empty headers", body, ACCEPTED, headers={}, multiValueHeaders={})


def _events() -> Iterator[Case]:
    good = message()
    encoded = base64.b64encode(good.encode()).decode()
    for name, changed, status in (
        ("no body", {"body": None}, MALFORMED),
        ("no body as text", {"body": None, "isBase64Encoded": False}, MALFORMED),
        ("empty body", {"body": ""}, MALFORMED),
        ("Base64 not said", {"isBase64Encoded": False}, MALFORMED),
        ("Base64 null", {"isBase64Encoded": None}, MALFORMED),
        ("Base64 said of text", {"body": good}, MALFORMED),
        ("Base64 in lines", {"body": base64.encodebytes(good.encode()).decode()}, MALFORMED),
        ("Base64 with a blank", {"body": encoded[:8] + " " + encoded[8:]}, MALFORMED),
        ("Base64 for URLs", {"body": base64.urlsafe_b64encode(b"\xfb\xff\xfe").decode()}, MALFORMED),
        ("Base64 too short", {"body": encoded[:-1]}, MALFORMED),
        ("Base64 with data after the end", {"body": encoded + "===="}, MALFORMED),
        ("Base64 twice", {"body": base64.b64encode(encoded.encode()).decode()}, MALFORMED),
        ("Base64 with an umlaut", {"body": "ü" + encoded}, MALFORMED),
        ("Base64 of nothing", {"body": "===="}, MALFORMED),
        ("a lone surrogate", {"body": good + "\ud800", "isBase64Encoded": False}, MALFORMED),
        ("a surrogate in Base64", {"body": encoded + "\udc80"}, MALFORMED),
        ("query only once", {"multiValueQueryStringParameters": None}, ACCEPTED),
        ("query with more", {"multiValueQueryStringParameters": {"token": [TOKEN], "a": ["b"]}}, ACCEPTED),
        ("provider literally", called("acme", TOKEN, "provider"), ACCEPTED),
    ):  # fmt: skip
        yield case(f"event: {name}", good, status, **changed)
    without = event(good.encode())
    del without["isBase64Encoded"]
    yield Case("event: Base64 missing", without, MALFORMED, good.encode())
    yield Case("event: Base64 missing for text", without | {"body": good}, ACCEPTED, good.encode())


def _forgeries() -> Iterator[Case]:
    bodies = {
        "good": message().encode(),
        "nothing": b"",
        "DTD": b"<!DOCTYPE x>",
        "deep": b"<a>" * 1_000,
        "far over 1 MiB": b"x" * (2 * MAX_BODY_BYTES),
        "latin-1": "Søn".encode("latin-1"),
    }
    for name, changed in forged_calls().items():
        for body_name, body in bodies.items():
            yield case(f"forged: {name}, {body_name}", body, REFUSED, **changed)
    organization = message().replace(ORGANIZATION_ID, "00D000000000063EAA")
    yield case("forged: another Salesforce org", organization, REFUSED)
    yield case(
        "forged: the id in lower case",
        message().replace(ORGANIZATION_ID, ORGANIZATION_ID.lower()[:15]),
        REFUSED,
    )
    yield case("forged: no settings for the org", message(), REFUSED, **called("unconnected", TOKEN))
    yield case("forged: another outbound message", message(), REFUSED, **called("strict", TOKEN))


def forged_calls() -> dict[str, dict[str, Any]]:
    """Return calls by someone without the organization's token, or at no address there is."""
    no_query = {"queryStringParameters": None, "multiValueQueryStringParameters": None}
    return {
        "wrong token": called("acme", "x" * len(TOKEN)),
        "token cut short": called("acme", TOKEN[:-1]),
        "token in other case": called("acme", TOKEN.upper()),
        "token of another organization": called("globex", TOKEN),
        "expired token": called("expired", TOKEN),
        "no token registered": called("tokenless", TOKEN),
        "no token": no_query,
        "no token among others": {**no_query, "multiValueQueryStringParameters": {"a": ["b"]}},
        "empty token": called("acme", ""),
        "very long token": called("acme", "x" * 8_000),
        "digest for a token": called("acme", tokens.digest(TOKEN)),
        "two tokens": {"multiValueQueryStringParameters": {"token": ["x" * len(TOKEN), TOKEN]}},
        "the right token twice": {"multiValueQueryStringParameters": {"token": [TOKEN, TOKEN]}},
        "token list empty": {"multiValueQueryStringParameters": {"token": []}},
        "token list null": {"multiValueQueryStringParameters": {"token": None}},
        "token by another name": {"multiValueQueryStringParameters": {"Token": [TOKEN]}},
        "token with a surrogate": called("acme", "\ud800" * 43),
        "unknown organization": called("initech", TOKEN),
        "organization in upper case": called("ACME", TOKEN),
        "organization percent-encoded": called("%61cme", TOKEN),
        "organization with a key's separator": called("acme#x", TOKEN),
        "organization with a path": called("../acme", TOKEN),
        "organization with a line break": called("acme\n", TOKEN),
        "organization very long": called("a" * 64, TOKEN),
        "organization empty": called("", TOKEN),
        "wrong provider": called("acme", TOKEN, "hubspot"),
        "provider in upper case": called("acme", TOKEN, "Salesforce"),
        "provider empty": called("acme", TOKEN, ""),
        "no path": {"pathParameters": None},
        "path without names": {"pathParameters": {}},
    }
