"""What is new of each member, folded from history entries, which are given newest first."""

from typing import Any

import pytest

from muster.insight import member_news

type Changes = dict[str, tuple[Any, Any]]


def entry(changes: Changes, at: int = 1, member: str = "m1", **fields: Any) -> dict[str, Any]:
    listed = [{"field": name, "before": before, "after": after} for name, (before, after) in changes.items()]
    moment = f"2026-11-20T08:00:{at:02d}.000Z"
    known = {"member": member, "version": at, "at": moment, "run": "run:r1", "origin": "crm"}
    return {**known, "changes": listed, **fields}


def by_member(*entries: dict[str, Any]) -> dict[str, member_news.MemberNews]:
    found: dict[str, member_news.MemberNews] = {}
    for each in entries:
        member_news.add_to(found, each)
    return found


def said(*entries: dict[str, Any]) -> dict[str, Any]:
    [news] = by_member(*entries).values()
    shown = member_news.shown(news)
    return {name: value for name, value in shown.items() if name not in ("member", "at", "causes")}


JOINS: Changes = {
    "id": (None, "m1"),
    "active": (None, True),
    "title": (None, "Rep"),
    "assignment": (None, "Sales"),
    "seats.gong.state": (None, "held"),
    "seats.forecast.state": (None, "waiting"),
    "seats.forecast.since": (None, "2026"),
    "data_capture.import_emails.effective": (None, "prevented"),
    "data_capture.record_web_conferences.effective": (None, "enabled"),
}
LEAVES: Changes = {
    "active": (True, False),
    "inactive_reason": (None, "inactive_user"),
    "assignment": ("Sales", None),
    "seats.gong.state": ("held", None),
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            JOINS,
            {
                "news": "joined",
                "assignment": {"from": None, "to": "Sales"},
                "gained": [{"seat": "gong"}, {"data_capture": "record_web_conferences"}],
                "waits_for": [{"seat": "forecast"}],
            },
        ),
        (
            LEAVES,
            {
                "news": "left",
                "reason": "inactive_user",
                "assignment": {"from": "Sales", "to": None},
                "lost": [{"seat": "gong"}],
            },
        ),
        ({"active": (False, True), "inactive_reason": ("unmatched", None)}, {"news": "returned"}),
        ({"inactive_reason": ("inactive_user", "erased")}, {"news": "erased", "reason": "erased"}),
        ({"title": ("Rep", "Lead"), "name": ("A", "B")}, {"news": "changed", "other": ["title"]}),
        (
            {"assignment": ("Sales", "Support")},
            {"news": "changed", "assignment": {"from": "Sales", "to": "Support"}},
        ),
        (
            {"workspaces.EMEA": ("Member", "Manager")},
            {
                "news": "changed",
                "lost": [{"workspace": "EMEA", "profile": "Member"}],
                "gained": [{"workspace": "EMEA", "profile": "Manager"}],
            },
        ),
        (
            {"engage.group": (None, "UK"), "engage.status": ("request_sent", "success")},
            {"news": "changed", "gained": [{"engage": "UK"}]},
        ),
        (
            {"engage_connect.group": ("UK", "US")},
            {
                "news": "changed",
                "lost": [{"engage_connect": "UK"}],
                "gained": [{"engage_connect": "US"}],
            },
        ),
        (
            {"engage.request": (None, "UK"), "engage.status": (None, "no_licenses_remaining")},
            {"news": "changed", "waits_for": [{"engage": "UK"}]},
        ),
        (
            {"engage.request": (None, "UK"), "engage_connect.request": ("US", None), "title": ("A", "B")},
            {"news": "changed", "asked": [{"engage": "UK"}, {"engage_connect": None}], "other": ["title"]},
        ),
        (
            {"engage.status": ("request_sent", "invalid_group_name")},
            {"news": "changed", "failed": [{"engage": None, "status": "invalid_group_name"}]},
        ),
        (
            {
                "data_capture.import_emails.effective": ("enabled", "disabled"),
                "data_capture.import_emails.intended": ("enabled", "disabled"),
                "data_capture.import_emails.origin": ("assignment:Sales", "manual:jane"),
            },
            {
                "news": "changed",
                "lost": [{"data_capture": "import_emails"}],
                "other": ["data_capture.import_emails.intended"],
            },
        ),
        ({"seats.gong.state": ("waiting", "held")}, {"news": "changed", "gained": [{"seat": "gong"}]}),
        (
            {"accounts.scim.gong.state": (None, "active"), "accounts.scim.gong.id": (None, "7")},
            {"news": "changed", "gained": [{"account": "scim.gong"}]},
        ),
        (
            {"accounts.scim.gong.state": ("active", "inactive")},
            {"news": "changed", "lost": [{"account": "scim.gong"}]},
        ),
        (
            {
                "accounts.scim.gong.state": (None, "to_adopt"),
                "accounts.scim.b.state": (None, "no_licence"),
            },
            {
                "news": "changed",
                "failed": [{"account": "scim.gong", "status": "to_adopt"}],
                "waits_for": [{"account": "scim.b"}],
            },
        ),
        (
            {"seats.gong.state": ("held", "waiting")},
            {"news": "changed", "lost": [{"seat": "gong"}], "waits_for": [{"seat": "gong"}]},
        ),
    ],
    ids=str,
)
def test_what_is_new_is_told_by_what_it_means(changes: Changes, expected: dict[str, Any]) -> None:
    assert said(entry(changes)) == expected


def test_only_what_differs_in_the_end_is_new() -> None:
    back = entry({"title": ("Lead", "Rep"), "extension": ("1", "3")}, at=3)
    there = entry({"title": ("Rep", "Lead"), "extension": (None, "1")}, at=2)
    assert said(back, there) == {"news": "changed", "other": ["extension"]}
    assert said(back, entry({"title": ("Rep", "Lead"), "extension": ("3", "1")}, at=2)) == {"news": "changed"}


def test_who_joins_and_is_seated_in_the_same_period_joins_with_the_seat() -> None:
    seated = entry({"seats.forecast.state": ("waiting", "held")}, at=2)
    gained = said(seated, entry(JOINS))
    assert [each["seat"] for each in gained["gained"] if "seat" in each] == ["forecast", "gong"]
    assert "waits_for" not in gained


def test_who_joins_and_leaves_again_has_left_and_has_lost_nothing() -> None:
    assert said(entry(LEAVES, at=2), entry(JOINS)) == {"news": "left", "reason": "inactive_user"}
    # Without assignments as well.
    assert said(entry({"active": (True, False)}, at=2), entry({"active": (None, True)})) == {"news": "left"}


def test_causes_are_kept_the_latest_first_and_once_each() -> None:
    entries = [
        entry({"title": ("B", "C")}, at=3, run="erase:x", origin="manual:jane", why="asked for"),
        entry({"title": ("A", "B")}, at=2),
        entry({"title": (None, "A")}, at=1),
    ]
    [news] = by_member(*entries).values()
    assert news.at == "2026-11-20T08:00:03.000Z"
    assert member_news.shown(news)["causes"] == [
        {"run": "erase:x", "origin": "manual:jane", "why": "asked for"},
        {"run": "run:r1", "origin": "crm"},
    ]


def test_the_weightiest_news_is_first() -> None:
    entries = [
        entry({"title": ("A", "B")}, member="m6"),
        entry({"seats.gong.state": (None, "held")}, member="m5"),
        entry({"seats.gong.state": ("held", None)}, member="m4"),
        entry({"engage.status": (None, "request_failed")}, member="m3"),
        entry(LEAVES, member="m2"),
        entry(JOINS, member="m1"),
    ]
    shown = sorted(map(member_news.shown, by_member(*entries).values()), key=member_news.weight)
    assert [each["member"] for each in shown] == ["m1", "m2", "m3", "m4", "m5", "m6"]


def test_a_group_that_was_asked_for_earlier_is_named_by_what_is_asked_for_now() -> None:
    shown = said(entry({"engage.status": (None, "request_failed")}))
    engage = {"engage": "UK", "engage_connect": "US"}
    assert member_news.with_requests(shown, engage)["failed"] == [
        {"engage": "UK", "status": "request_failed"}
    ]
    waits = {"waits_for": [{"seat": "gong"}, {"engage": "DE"}]}
    assert member_news.with_requests(waits, engage) == waits


def test_attributes_are_counted_of_who_has_no_weightier_news() -> None:
    entries = [
        entry({"title": ("A", "B")}, member="m1"),
        entry({"extension": ("1", "2"), "title": ("A", "B")}, member="m2"),
        entry({"locale": ("1", "2"), "seats.gong.state": (None, "held")}, member="m3"),
        entry(JOINS, member="m4"),
    ]
    shown = map(member_news.shown, by_member(*entries).values())
    assert list(member_news.attributes(shown).items()) == [("title", 2), ("extension", 1)]
