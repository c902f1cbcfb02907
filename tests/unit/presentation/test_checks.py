"""Checks of connections and of the webhook's chain, as lines and tables."""

from muster.presentation import checks


def check(name: str, result: str, found: str = "as it should be", remedy: str = "") -> dict[str, str]:
    return {"check": name, "connection": "salesforce", "result": result, "found": found, "remedy": remedy}


CHECKS = [
    check("login", "passed"),
    check("certificate", "warning", "It ends in 9 days.", "Make a new one."),
    check("fields", "could_not_check", "was not asked", "Correct what failed above."),
    check("users", "failed", "It sees only itself.", "Let it read all users."),
    check("version", "passed"),
]


def test_what_is_wrong_comes_first_and_what_passed_is_counted() -> None:
    assert checks.lines({"checks": CHECKS}) == [
        "! Failed: users (Salesforce): It sees only itself. Let it read all users.",
        "! Could not be checked: fields (Salesforce): was not asked. Correct what failed above.",
        "! Mind: certificate (Salesforce): It ends in 9 days. Make a new one.",
        "Passed: 2 checks of Salesforce",
    ]


def test_candidates_are_named() -> None:
    answer = {"checks": [], "candidates": [{"username": "int@align", "name": "Int", "active": True}]}
    assert checks.lines(answer) == ["May be Align's integration user: int@align, Int"]


def test_the_chain_says_when_a_message_last_came() -> None:
    link = {"check": "flow", "result": "passed", "found": "active", "remedy": ""}
    assert checks.setup({"checks": [link], "last_message_at": "2026-11-20T08:15:00Z"}) == [
        "Passed: 1 check",
        "Last message: 2026-11-20 08:15",
    ]
    assert checks.setup({"checks": [], "last_message_at": None}) == ["No message has come yet"]
    assert checks.setup({"message": "Removed."}) == []


def test_checks_and_links_as_tables() -> None:
    assert checks.checks_table(CHECKS[1:2]).rows == (
        ("certificate (Salesforce)", "It ends in 9 days.", "Make a new one."),
    )
    assert [row[1] for row in checks.links_table(CHECKS).rows] == [
        "yes",
        "not seen yet",
        "not known",
        "no",
        "yes",
    ]
