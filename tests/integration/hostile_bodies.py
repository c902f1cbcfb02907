"""A corpus of bodies for the webhook: malformed, oversized, booby-trapped, and good ones that look odd.

`cases()` yields the same cases each time. Each is an event as API Gateway makes it, with the status
that must be answered; `None` where `outbound_message_oracle.py` has to say.
"""

import encodings
import encodings.aliases
import gzip
import pkgutil
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from muster.adapters.outbound_message import MAX_BODY_BYTES, acknowledgement
from tests.doubles.outbound_messages import (
    DECLARATION,
    FIELDS,
    HEAD,
    OUTBOUND,
    SOAP,
    event,
    message,
    notification,
    record,
    user,
)
from tests.integration.webhook.mutated_bodies import damaged, restructured

ACCEPTED, MALFORMED, REFUSED, TOO_LARGE = 200, 400, 404, 413


@dataclass(frozen=True, slots=True)
class Case:
    """One call: its event, the status it must get (`None`: ask the oracle), and the body in bytes."""

    name: str
    event: dict[str, Any]
    status: int | None
    body: bytes


def case(name: str, body: bytes | str, status: int | None, /, **changed: Any) -> Case:
    raw = body if isinstance(body, bytes) else body.encode()
    return Case(name, event(raw, **changed), status, raw)


def cases() -> Iterator[Case]:
    """Yield the whole corpus."""
    yield from _encodings()
    yield from _document_types()
    yield from _sizes()
    yield from _characters()
    yield from _labelled("good", GOOD, ACCEPTED)
    yield from _labelled("much", MUCH, ACCEPTED)
    yield from _labelled("too much", TOO_MUCH, MALFORMED)
    yield from _labelled("text", named(TEXTS), ACCEPTED)
    yield from _labelled("text", named(NO_TEXTS), MALFORMED)
    yield from _labelled("no XML", NO_XML, MALFORMED)
    for name, body in (*restructured(), *damaged()):
        yield case(name, body, None)


def named(names: Iterable[str]) -> dict[str, str]:
    """Return messages about someone of each name."""
    return {name: GOOD_MESSAGE.replace("Lovelace", name) for name in names}


def _labelled(
    title: str, bodies: Mapping[str, str] | Mapping[str, str | bytes], status: int
) -> Iterator[Case]:
    """Yield each body as API Gateway passes it on here, in Base64, and where it can be as text."""
    for name, body in bodies.items():
        yield case(f"{title}: {name}", body, status)
        if isinstance(body, str):
            yield Case(f"{title}: {name}, as text", event(body), status, body.encode())


# ── Tables: what must be accepted, what must be refused ──────────────────────────────────────────


def attributes(name: str, count: int, value: str = "") -> str:
    """Return many attributes; `{n}` in the name becomes the number of each."""
    return " ".join(f'{name.replace("{n}", str(n))}="{value}"' for n in range(count))


GOOD_MESSAGE = message()
# The longest name of a namespace that is taken.
URN = "urn:" + "u" * 96
# A field is on the sixth level, and sixteen is the limit.
DEPTHS = (10, 11, 15, 16, 17, 1_000, 100_000)
GOOD: dict[str, str] = {
    "plain": GOOD_MESSAGE,
    "no declaration": message(prolog=""),
    "lower case": message(prolog="<?xml version='1.0' encoding='utf-8'?>"),
    "byte order mark": "\ufeff" + GOOD_MESSAGE,
    "newline first": "\n" + message(prolog=""),
    "newline last": GOOD_MESSAGE + "\n",
    "comments": GOOD_MESSAGE.replace("<Notification>", "<!-- a --><Notification><!-- b -->"),
    "other prefixes": GOOD_MESSAGE.replace("soapenv", "S")
    .replace("sf:", "q:")
    .replace("xmlns:sf", "xmlns:q"),
    "default namespace": GOOD_MESSAGE.replace("soapenv:", "").replace("xmlns:soapenv", "xmlns"),
    "a hundred notifications": message("".join(notification(None, n) for n in range(100))),
    "one notification id twice": message(notification() * 2),
    "one user twice": message(notification(None, 1) + notification(None, 2)),
    "15 characters": re.sub("(00D|04k|04l|005)([0-9]{12})[A-Z]{3}", r"\1\2", GOOD_MESSAGE),
    "no sObject": message(notification("")),
    "empty sObject": message(notification(record(""))),
    "only the Id": user("<sf:Id>005000000000001AAA</sf:Id>"),
    "no Id": user("<sf:IsActive>true</sf:IsActive>"),
    "other object": message(notification(record(attributes='xsi:type="sf:Account"'))),
    "no xsi:type": message(notification(record(attributes=""))),
    "nil fields": user(FIELDS + '<sf:Title xsi:nil="true"/><sf:Phone xsi:nil="1"></sf:Phone>'),
    "session": GOOD_MESSAGE.replace('<SessionId xsi:nil="true"/>', "<SessionId>00D!session</SessionId>"),
    "no session, no addresses": message(head=HEAD.partition("<SessionId")[0]),
}
MUCH = {
    "200 fields": user(FIELDS + "".join(f"<sf:F{n}__c/>" for n in range(196))),
    "attributes": user(FIELDS + f"<sf:A {attributes('a{n}', 9_000)}/>"),
    "attributes in a namespace": user(FIELDS + f'<sf:A xmlns:a="{URN}" {attributes("a:b{n}", 9_000)}/>'),
    "namespaces": user(FIELDS + f"<sf:A {attributes('xmlns:a{n}', 9_000, 'u')}/>"),
    "equals signs": GOOD_MESSAGE.replace("Lovelace", "=" * (10_000 - GOOD_MESSAGE.count("="))),
    "namespace of 100 bytes": user(FIELDS + f'<sf:A xmlns:a="{URN}"/>'),
    "attribute value": user(FIELDS + f"<sf:A a='{'x' * 1_000_000}'/>"),
    "text of 32 KiB": user(FIELDS + f"<sf:A>{'x' * 32_768}</sf:A>"),
    "CDATA sections": user(FIELDS + f"<sf:A>{'<![CDATA[x]]>' * 32_768}</sf:A>"),
    "comments": user(FIELDS + f"<sf:A>{'<!---->' * 140_000}</sf:A>"),
    "address": GOOD_MESSAGE.replace("https://a.example/c", "x" * 1_000_000),
}
TOO_MUCH = {
    "no notification": message(""),
    "101 notifications": message("".join(notification(None, n) for n in range(101))),
    "1,000 notifications": message("".join(notification(None, n) for n in range(1_000))),
    "201 fields": user(FIELDS + "".join(f"<sf:F{n}__c/>" for n in range(197))),
    "fields": user("".join(f"<sf:F{n}/>" for n in range(80_000))),
    "elements": user("<a/>" * 250_000),
    "attributes": user(FIELDS + f"<sf:A {attributes('a{n}', 80_000)}/>"),
    "attributes in a namespace": user(FIELDS + f'<sf:A xmlns:a="u" {attributes("a:b{n}", 70_000)}/>'),
    "attributes in namespaces": user(FIELDS + f"<sf:A {attributes('xmlns:a{n}=\"u\" a{n}:b', 30_000)}/>"),
    "namespaces": user(FIELDS + f"<sf:A {attributes('xmlns:a{n}', 40_000, 'u')}/>"),
    "equals signs": GOOD_MESSAGE.replace("Lovelace", "=" * (10_001 - GOOD_MESSAGE.count("="))),
    "namespace of 101 bytes": user(FIELDS + f'<sf:A xmlns:a="{URN}u"/>'),
    "long namespace of attributes": user(f"<sf:A xmlns:a='{URN * 500}' {attributes('a:b{n}', 9_000)}/>"),
    "long namespace of elements": f"<a:b xmlns:a='{URN * 500}'>{'<a:c/>' * 80_000}</a:b>",
    "long default namespace": f"<b xmlns = '{URN * 500}'>{'<c/>' * 120_000}</b>",
    "long namespace in disguise": (
        f"<a xmlns:{'p' * 40}\n=\r\n'{'&#117;' * 50_000}'>{f'<{"p" * 40}:c/>' * 9_000}</a>"
    ),
    "tag name": user(f"<sf:{'A' * 500_000}/>"),
    "attribute twice": user(FIELDS + "<sf:A a='' a=''/>"),
    "text of 32 KiB and one byte": user(FIELDS + f"<sf:A>{'x' * 32_769}</sf:A>"),
    "text of 1 MB": user(FIELDS + f"<sf:A>{'x' * 1_000_000}</sf:A>"),
    "character references": user(FIELDS + f"<sf:A>{'&#65;' * 190_000}</sf:A>"),
    "escapes": user(FIELDS + f"<sf:A>{'&lt;' * 240_000}</sf:A>"),
    "instructions": user("<?a?>" * 180_000),
    "brackets": user("<" * 900_000),
    "ampersands": user("&" * 900_000),
    "quotes": user("<a b='" + '"' * 900_000),
    "open comment": user("<!--" + "-" * 900_000),
    "open CDATA": user("<![CDATA[" + "]" * 900_000),
    **{f"depth {n}, open": "<a>" * n for n in DEPTHS},
    **{f"depth {n}, closed": "<a>" * n + "</a>" * n for n in DEPTHS},
    **{f"depth {n}, in a field": user(f"<sf:A>{'<b>' * n}{'</b>' * n}</sf:A>") for n in DEPTHS},
    "depth 100,000 with namespaces": "<a xmlns='u'>" * 70_000,
}  # fmt: skip
TEXTS: tuple[str, ...] = (
    "&lt;",
    "&amp;lt;",
    "&quot;",
    "<![CDATA[&secret;]]>",
    "%secret;",
    "<![CDATA[<b/>]]>x",
    "Love<!-- x -->lace",
    "  ",
    "]]",
)
NO_TEXTS: tuple[str, ...] = (
    *("&#xD800;", "&#x110000;", "&#-1;", "&#99999999999999999999;", "&#x;", "&#;", "&;", "&", "&lt", "&LT;"),
    *(
        "&secret;",
        "]]>",
        "<",
        "<b>",
        "<!-- -- -->",
        "<!-",
        "<![CDATA[",
        "<![cdata[]]>",
        "</sf:Id>",
    ),
)
NO_XML: dict[str, str | bytes] = {
    "empty": "",
    "null": "null",
    "JSON": '{"notifications": []}',
    "text": "hello",
    "HTML": "<!DOCTYPE html><html><body>Sign in</body></html>",
    "tag soup": "<html><br><p>",
    "form": "a=b&c=%3C",
    "gzip": gzip.compress(GOOD_MESSAGE.encode(), mtime=0),
    "another XML": "<rss/>",
    "twice": GOOD_MESSAGE * 2,
    "bracket": "<",
    "newline first": "\n" + GOOD_MESSAGE,
    "blank first": " " + GOOD_MESSAGE,
    "text first": "x" + GOOD_MESSAGE,
    "text last": GOOD_MESSAGE + "x",
    "element last": GOOD_MESSAGE + "<a/>",
    "instruction last": GOOD_MESSAGE + "<?a?>",
    "declaration twice": DECLARATION + GOOD_MESSAGE,
    "NUL first": "\0" + GOOD_MESSAGE,
    "NUL last": GOOD_MESSAGE + "\0",
    "NULs": "\0" * 1_000,
    "two marks": "\ufeff\ufeff" + GOOD_MESSAGE,
    "half a mark": b"\xef\xbb" + GOOD_MESSAGE.encode(),
    "mark of UTF-16": b"\xff\xfe" + GOOD_MESSAGE.encode(),
    "version 1.1": GOOD_MESSAGE.replace("1.0", "1.1", 1),
    "version x": GOOD_MESSAGE.replace("1.0", "x", 1),
    "empty encoding": GOOD_MESSAGE.replace("UTF-8", "", 1),
    "NUL in the encoding": GOOD_MESSAGE.replace("UTF-8", "UTF-8\0", 1),
    "standalone maybe": GOOD_MESSAGE.replace('"?>', '" standalone="maybe"?>', 1),
    "SOAP 1.2": GOOD_MESSAGE.replace(SOAP, "http://www.w3.org/2003/05/soap-envelope"),
    "no namespace": GOOD_MESSAGE.replace("soapenv:", ""),
    "header": GOOD_MESSAGE.replace("<soapenv:Body>", "<soapenv:Header/><soapenv:Body>"),
    "fault": f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault/></s:Body></s:Envelope>',
    "answer": acknowledgement(accepted=True),
    "partner objects": GOOD_MESSAGE.replace("urn:sobject.enterprise", "urn:sobject.partner"),
    "other notifications": GOOD_MESSAGE.replace(OUTBOUND, OUTBOUND + "/"),
}  # fmt: skip


# ── Generated ────────────────────────────────────────────────────────────────────────────────────


def _encodings() -> Iterator[Case]:
    names = {*encodings.aliases.aliases, *encodings.aliases.aliases.values(), "utf-8", "UTF-8", "Utf-8", ""}
    names |= {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    text = message(prolog="").replace("Lovelace", "Søn")
    for name in sorted(names):
        status = ACCEPTED if name.lower() == "utf-8" else MALFORMED
        declared = message(prolog=f'<?xml version="1.0" encoding="{name}"?>')
        yield case(f"encoding {name}: declared", declared, status)
        for spelling in (name.upper(), name.replace("_", "-")):
            body = declared.replace(f'"{name}"', f"'{spelling}'")
            yield case(f"encoding {name}: declared as {spelling}", body, None)
        try:
            yield case(f"encoding {name}: encoded", text.encode(name), None)
            yield case(f"encoding {name}: declared and encoded", declared.encode(name), status)
        # Some codecs are not for text, some only exist elsewhere, some cannot encode this text.
        except (LookupError, ValueError, AssertionError):
            continue


LAUGHS = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
DOCUMENT_TYPES = {
    "internal": "<!DOCTYPE soapenv:Envelope>",
    "entity": '<!DOCTYPE x [<!ENTITY e "v">]>',
    "external": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    "public": '<!DOCTYPE x PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://127.0.0.1:9/x.dtd">',
    "file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    "parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>',
    "parameter inside": "<!DOCTYPE x [<!ENTITY % p \"<!ENTITY e 'v'>\"> %p;]>",
    "notation": '<!DOCTYPE x [<!NOTATION n SYSTEM "n"><!ENTITY e SYSTEM "e" NDATA n>]>',
    "attribute default": '<!DOCTYPE x [<!ATTLIST sObject xsi:type CDATA "sf:User">]>',
    "element": "<!DOCTYPE x [<!ELEMENT x ANY>]>",
    "after a comment": "<!-- c --><!DOCTYPE x>",
    "lower case": "<!doctype x>",
    "laughs": f"<!DOCTYPE x [<!ENTITY e0 'ha'>{LAUGHS}<!ENTITY e '&e9;'>]>",
    "quadratic": f"<!DOCTYPE x [<!ENTITY e '{'a' * 50_000}'>]>",
}
DISGUISES = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "cp1140")


def _document_types() -> Iterator[Case]:
    for kind, document_type in DOCUMENT_TYPES.items():
        for name in DISGUISES:
            for prolog in ("", f'<?xml version="1.0" encoding="{name.removesuffix("-sig")}"?>'):
                for use in ("x", "&e;", "&e;" * 200):
                    text = message(prolog=prolog + document_type).replace("Lovelace", use)
                    title = f"DTD {kind} in {name}, {bool(prolog)}, {len(use)}"
                    yield case(title, text.encode(name), MALFORMED)
        yield case(f"DTD {kind} inside", message(notification(document_type)), MALFORMED)


def _sizes() -> Iterator[Case]:
    exact = GOOD_MESSAGE + " " * (MAX_BODY_BYTES - len(GOOD_MESSAGE))
    long_fields = "".join(f"<sf:F{n}>{'x' * 30_000}</sf:F{n}>" for n in range(9))
    yield from _labelled("size", {"exact": exact}, ACCEPTED)
    too_large = {
        "one over": exact + " ",
        "two over": exact + "  ",
        "three over": exact + "   ",
        "far over": exact * 2,
        "over in bytes only": user(f"<sf:A>{'ø' * (MAX_BODY_BYTES // 2)}</sf:A>"),
        "one record over 256 KiB": user(FIELDS + long_fields),
    }
    yield from _labelled("size", too_large, TOO_LARGE)
    bad_base64 = event("!" * MAX_BODY_BYTES * 2, isBase64Encoded=True)
    yield Case("size far over, bad Base64", bad_base64, TOO_LARGE, b"")


BAD_UTF_8 = (
    *(b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xed\xa0\xbd\xed\xb8\x80"),  # surrogates
    *(b"\xc0\x80", b"\xc0\xbc", b"\xe0\x80\xbc", b"\xf0\x80\x80\xbc"),  # longer than need be
    *(b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80"),  # beyond Unicode
    *(b"\xff", b"\xfe", b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"S\xf8n"),  # stray and cut short
)


def _characters() -> Iterator[Case]:
    special = (0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF)
    for number in (*range(0x20), *range(0x7F, 0xA0), *special):
        fine = number in (0x9, 0xA, 0xD) or (number >= 0x20 and number not in (0xFFFE, 0xFFFF))
        for text in (chr(number), f"&#{number};", f"&#x{number:x};"):
            body = GOOD_MESSAGE.replace("Lovelace", text)
            yield case(f"character {number:X}, {len(text)}", body, ACCEPTED if fine else MALFORMED)
    good = GOOD_MESSAGE.encode()
    for raw in BAD_UTF_8:
        for place, spoilt in enumerate((good.replace(b"Lovelace", raw), good + raw, raw + good)):
            yield case(f"bytes {raw.hex()}, {place}", spoilt, MALFORMED)
    chance = random.Random(1)  # noqa: S311 - the same bytes each time is the point
    for number in range(100):
        yield case(f"random bytes {number}", chance.randbytes(chance.randint(1, 2_000)), MALFORMED)
