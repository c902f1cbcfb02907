"""What a push sends, as lines and as a table."""

from typing import Any

from muster.presentation import sendings

type Json = dict[str, Any]


def item(does: str, name: str, writes: Json | None = None, **others: Any) -> Json:
    now = {"engage": {"request": None, "status": None, "group": others.pop("group", None)}}
    known = {"member": "m", "user": "10042", "active": None, "if_freed": None, **others}
    return {**known, "name": name, "does": does, "writes": writes or {}, "now": now}


ITEMS = [
    item("removal", "Bob Stone", {"engage": {"request": None}}, group="UK Field Force"),
    item("removal", "Eve Eden", {"engage": {"request": None}}),
    item("activation", "Fay Fox", active=True),
    item("addition", "Clara Ng", {"engage": {"request": "UK Field Force"}}, if_freed="engage"),
    item("addition", "Ada Lovelace", {"engage": {"request": "Key Accounts"}}, group="UK Field Force"),
    item("addition", "Gus Gray", {"engage": {"status": "retry_request"}}),
    item("inactivation", "Bob Stone", active=False),
]
LINES = [
    "- Bob Stone: taken out of UK Field Force (Engage)",
    "- Eve Eden: request cleared (Engage)",
    "+ Fay Fox: user activated in Vault CRM",
    "+ Clara Ng: UK Field Force (Engage) once a licence of it is free",
    "+ Ada Lovelace: asks for Key Accounts (Engage), is in UK Field Force",
    "+ Gus Gray: request sent once more (Engage)",
    "- Bob Stone: user inactivated in Vault CRM",
]


def test_each_item_is_a_line() -> None:
    assert sendings.of_items(ITEMS) == LINES
    assert sendings.lines({"changes": ITEMS, "counts": {}}) == LINES


def test_what_blocks_a_push_comes_first() -> None:
    check = {"check": "language", "found": "It is German", "remedy": "Set it to English."}
    answer = {"changes": ITEMS[:1], "counts": {"removed": 1}, "blocked_by": [check]}

    assert sendings.lines(answer) == ["! language: It is German. Set it to English.", LINES[0]]


def test_of_many_the_others_are_counted() -> None:
    answer = {"changes": ITEMS[:1] * 50, "counts": {"removed": 1_200, "looked_at": 7}}

    assert sendings.lines(answer)[-1] == "… and 1,181 more"


def test_a_push_that_was_applied_shows_nobody() -> None:
    assert sendings.lines({"counts": {"removed": 3}}) == []


def test_a_push_to_an_app_is_a_line_a_person() -> None:
    known = {"steps": ["create"], "account": "ada@acme.example", "why": None, "member": "m"}
    made = {**known, "name": "Ada Lovelace", "does": "made"}
    other = {**known, "name": None, "does": "conflict", "why": "two of that name"}

    assert sendings.are_sent([made])
    assert sendings.of_items([made, other]) == [
        "+ Ada Lovelace: gets an account, ada@acme.example",
        "! m: has an account that is not clearly theirs, two of that name",
    ]
    shown = sendings.sendings_table([made, other]).rows
    assert shown[0] == ("Ada Lovelace", "gets an account", "ada@acme.example", "")


def test_a_push_as_a_table() -> None:
    shown = sendings.sendings_table([*ITEMS[:1], *ITEMS[3:4], *ITEMS[-1:]])

    assert shown.headings == ("Name", "Step", "Feature", "Group now", "Would ask for", "If")
    assert shown.rows == (
        ("Bob Stone", "removal", "Engage", "UK Field Force", "", ""),
        ("Clara Ng", "addition", "Engage", "", "UK Field Force", "a licence of UK Field Force becomes free"),
        ("Bob Stone", "inactivation", "Vault CRM user", "", "", ""),
    )
