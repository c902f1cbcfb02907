"""Edits and group requests from a CSV file, and previews, by both functions on a real table (A11, G6)."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import group_assignment
import member_settings
from muster import bootstrap
from muster.edits import carrying_out_lines
from muster.errors import Unavailable
from tests.integration.company import table
from tests.integration.edits import test_group_assignment
from tests.integration.edits.acme import break_second_write, wheres
from tests.integration.edits.test_group_assignment import CRM_IDS, IN_UK

MANUAL: dict[str, Any] = {"assignment": "Support", "update_mode": "manual"}
SEATS = {"gong": {"limit": 2}, "forecast": {}}


@dataclass
class Acme(test_group_assignment.Acme):
    """The organization: Ada (automatic), Bob, Cy and Dee (manual); Zoe has left; two seats of Gong."""

    def edit(self, *lines: str, header: str = "member,seats,end_date", **event: Any) -> dict[str, Any]:
        """Send MemberSettingsFunction a file of these lines; a member is called by first name."""
        return self.send(member_settings.handler, header, *lines, **event)

    def request(self, *lines: str, **event: Any) -> dict[str, Any]:
        """Send GroupAssignmentFunction a file of these lines; a member is called by first name."""
        return self.send(group_assignment.handler, "member,action,feature,group", *lines, **event)

    def send(self, handler: Callable[..., Any], *lines: str, **event: Any) -> dict[str, Any]:
        named = [
            line.replace(",", "@acme.example,", 1) if place else line for place, line in enumerate(lines)
        ]
        csv = "\n".join(named)
        asked = {"organization": "acme", "by": "jane@acme.example", "csv": csv, **event}
        said: dict[str, Any] = json.loads(json.dumps(handler(asked, self.context)))
        return said

    def seats(self, *names: str) -> list[dict[str, str]]:
        """Return the states of these members' seats."""
        return [{seat: place.state for seat, place in self.member(name).seats.items()} for name in names]

    def has_time_for(self, monkeypatch: pytest.MonkeyPatch, chunks: int) -> None:
        """Let a call have the time for so many chunks of two lines."""
        monkeypatch.setattr(carrying_out_lines, "CHUNK", 2)
        left = chain(repeat(300_000, chunks - 1), repeat(60_000))
        monkeypatch.setattr(self.context, "get_remaining_time_in_millis", lambda: next(left))


@pytest.fixture
def acme(aws: SimpleNamespace, context: LambdaContext) -> Acme:
    acme = Acme(context)
    acme.put(seats=SEATS)
    acme.add("ada", assignment="Sales", update_mode="automatic", engage=IN_UK)
    acme.add("bob", **MANUAL, engage=IN_UK)
    acme.add("zoe", active=False, inactive_reason="inactive_user")
    acme.add("cy", in_vault=False, **MANUAL)
    acme.add("dee", **MANUAL)
    return acme


# ── What a file does ──────────────────────────────────────────────────────────────────────────────────


def test_members_are_edited_line_by_line(acme: Acme) -> None:
    said = acme.edit("bob,gong,", "cy,,2030-12-31", 'dee,"forecast, gong",null')
    assert (said["status"], said["message"]) == ("succeeded", "3 of 3 lines: 3 changes were made.")
    assert said["counts"] == {"lines": 3, "changed": 3, "unchanged": 0, "refused": 0}
    assert [result["where"] for result in said["results"]] == ["line 2", "line 3", "line 4"]
    assert said["lines"][1] == "~ line 3, cy@acme.example: end_date nothing → 2030-12-31"
    assert acme.seats("bob", "dee") == [{"gong": "held"}, {"forecast": "held", "gong": "held"}]
    assert (acme.member("cy").end_date, acme.member("cy").seats) == ("2030-12-31", {})
    entry = acme.history("bob")[0]
    assert (entry["origin"], entry["run"]) == ("manual:jane@acme.example", said["run"])


def test_groups_are_requested_line_by_line(acme: Acme) -> None:
    said = acme.request(
        "bob,assign,engage,US", "bob,assign,engage_connect,'=EU", "ada,remove,engage", "cy,remove,engage"
    )
    assert said["message"] == ("3 of 4 lines: 2 changes were made, 1 was already so, 1 was refused.")
    assert said["lines"][1] == (
        "~ line 2, bob@acme.example: engage US. The next push asks Vault CRM for group 'US'."
    )
    assert wheres(said) == ["line 4, feature"]
    bob = acme.member("bob")
    assert (bob.engage.request, bob.engage_connect.request) == ("US", "=EU")


def test_what_is_wrong_is_said_by_line_and_the_others_are_done(acme: Acme) -> None:
    said = acme.edit(
        "nobody,,2030-12-31",
        "bob,,31.12.2030",
        "cy,,2030-12-31,x",
        "ada,gong,",
        ",,2030-12-31",
        "zoe,gongg,",
        "dee,,2030-12-31",
    )
    assert said["status"] == "succeeded_with_errors"
    assert said["message"] == "1 of 7 lines: 1 change was made, 6 were refused."
    assert wheres(said) == [
        "line 2, member",
        "line 3, end_date",
        "line 4",
        "line 5, seats",
        "line 6, member",
        "line 7, seats",
    ]
    assert said["lines"][0].startswith("! line 2: member is not in the roster: 'nobody@acme.example'")
    assert said["lines"][1].startswith("! line 3, bob@acme.example: end_date is not a date. Write year")
    assert said["lines"][2].startswith("! line 4: has 4 cells, and the first line 3. Write")
    assert said["lines"][-1].startswith("~ line 8, dee@acme.example: end_date")


@pytest.mark.parametrize("also", ["bob@acme.example", "BOB@acme.example ", "id-bob", CRM_IDS["bob"][:15]])
def test_several_lines_of_one_member_are_all_refused_whatever_they_call_it(acme: Acme, also: str) -> None:
    before = acme.member("bob")
    csv = f"member,end_date\nbob@acme.example,2030-12-31\ncy@acme.example,2030-12-31\n{also},2031-12-31\n"
    said = acme.edit(csv=csv)
    assert [(each["where"], each["message"]) for each in said["errors"]] == [
        ("line 2", "is about the same as line 4"),
        ("line 4", "is about the same as line 2"),
    ]
    assert acme.member("bob") == before
    assert acme.member("cy").end_date == "2030-12-31"


def test_two_lines_about_one_feature_of_a_member_are_refused_and_of_two_features_are_not(acme: Acme) -> None:
    said = acme.request("bob,assign,engage,US", "bob,remove,engage", "bob,assign,engage_connect,EU")
    assert wheres(said) == ["line 2", "line 3"]
    assert (acme.member("bob").engage, acme.member("bob").engage_connect.request) == (IN_UK, "EU")


def test_the_same_file_again_writes_nothing(acme: Acme) -> None:
    files: list[Callable[[], dict[str, Any]]] = [
        lambda: acme.edit("bob,gong,2030-12-31", "cy,gong,", "dee,gong,"),
        lambda: acme.request("bob,assign,engage,US", "cy,assign,engage,US"),
    ]
    for send in files:
        send()
    before = table()
    assert [send()["message"] for send in files] == [
        "3 of 3 lines: 0 changes were made, 3 were already so.",
        "2 of 2 lines: 0 changes were made, 2 were already so.",
    ]
    assert table() == before


def test_a_file_in_which_no_line_is_good_is_rejected(acme: Acme) -> None:
    said = acme.edit("nobody,,2030-12-31")
    assert (said["status"], said["counts"]["refused"]) == ("rejected", 1)
    assert said["message"] == "0 of 1 line: 0 changes were made, 1 was refused."


def test_lines_that_ask_for_nothing_are_told_apart(acme: Acme) -> None:
    said = acme.edit("bob,,", "cy,,2030-12-31")
    assert said["message"] == "1 of 1 line: 1 change was made. 1 other line asks for nothing."


def test_a_manager_switches_data_capture_by_file(acme: Acme) -> None:
    acme.put(seats=SEATS, managers={"may_toggle_capture": True})
    acme.change("bob", manager="id-cy")
    header = "member,data_capture.import_emails"
    event = {"by": "cy@acme.example", "as": "manager"}
    said = acme.edit("bob,disabled", "dee,disabled", header=header, **event)
    assert wheres(said) == ["line 3, member"]
    assert acme.member("bob").data_capture["import_emails"].origin == "manager:id-cy"


# ── Long files ────────────────────────────────────────────────────────────────────────────────────────


def test_a_long_file_goes_on_where_the_time_was_up(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ("bob,gong,", "nobody,gong,", "cy,gong,", "dee,gong,", "zoe,gong,")
    acme.has_time_for(monkeypatch, 1)
    said = acme.edit(*lines)
    assert (said["status"], said["from_line"]) == ("continue", 4)
    assert said["message"] == (
        "1 of 5 lines: 1 change was made, 1 was refused. The time was up: send the same event again with"
        " from_line 4."
    )
    assert acme.seats("bob", "cy", "dee") == [{"gong": "held"}, {}, {}]
    acme.has_time_for(monkeypatch, 2)
    said = acme.edit(*lines, from_line=4)
    assert said["message"] == "2 of 5 lines, from line 4 on: 2 changes were made, 1 was refused."
    assert (said["status"], wheres(said)) == ("succeeded_with_errors", ["line 6, seats"])
    assert acme.seats("bob", "cy", "dee") == [{"gong": "held"}, {"gong": "held"}, {"gong": "waiting"}]
    assert "from_line" not in said


def test_a_line_before_and_one_after_where_it_goes_on_are_known_to_be_of_one_member(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ("bob,gong,", "cy,gong,", "dee,gong,")
    csv = "member,seats\nbob@acme.example,gong\ncy@acme.example,gong\nid-bob,forecast\n"
    acme.has_time_for(monkeypatch, 1)
    assert wheres(acme.edit(*lines, csv=csv, from_line=4)) == ["line 4"]
    assert acme.seats("bob") == [{}]


def test_seats_that_a_chunk_frees_go_to_who_is_in_line_before_the_next_chunk(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.edit("bob,gong,", "cy,gong,", "dee,gong,")
    acme.has_time_for(monkeypatch, 2)
    acme.put(seats={**SEATS, "gong": {"limit": 3}})
    acme.change("ada", **MANUAL)
    said = acme.edit("bob,null,", "cy,,2030-12-31", "ada,gong,")
    assert said["lines"][-1] == "~ line 4, ada@acme.example: seats.gong.state nothing → held"
    assert acme.seats("bob", "cy", "dee", "ada") == [
        {},
        {"gong": "held"},
        {"gong": "held"},
        {"gong": "held"},
    ]


def test_a_table_that_is_down_is_a_fault_and_the_file_can_be_sent_again(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ("bob,gong,", "cy,gong,")
    with monkeypatch.context() as broken:
        break_second_write(broken)
        with pytest.raises(Unavailable):
            acme.edit(*lines)
    assert acme.seats("bob", "cy") == [{"gong": "held"}, {}]
    assert acme.edit(*lines)["message"] == "2 of 2 lines: 1 change was made, 1 was already so."


def test_ten_thousand_lines_are_looked_up_in_batches_and_answered_in_short(acme: Acme) -> None:
    made: Counter[str] = Counter()
    client = bootstrap._dynamodb()
    client.meta.events.register("before-call.dynamodb", lambda model, **_: made.update([model.name]))
    unreadable = (f"n{number},31.12.2030" for number in range(9_997))
    header = "member,end_date"
    said = acme.edit("bob,2030-12-31", "cy,2030-12-31", *unreadable, "dee,2030-12-31", header=header)
    assert said["message"] == "3 of 10,000 lines: 3 changes were made, 9,997 were refused."
    assert made["TransactWriteItems"] == 3
    assert made["GetItem"] + made["BatchGetItem"] <= 8
    assert (len(said["lines"]), len(said["errors"]), len(said["results"])) == (20, 20, 3)
    assert said["lines"][16] == "… and 9,981 more"
    assert [line[:10] for line in said["lines"][17:]] == ["~ line 2, ", "~ line 3, ", "~ line 100"]


def test_detail_has_more_of_it(acme: Acme) -> None:
    lines = [f"n{number},31.12.2030" for number in range(600)]
    said = acme.edit("bob,2030-12-31", *lines, header="member,end_date", detail=True)
    assert (len(said["errors"]), len(said["lines"])) == (500, 20)


# ── Previews ──────────────────────────────────────────────────────────────────────────────────────────


def previewed(acme: Acme, send: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the answer to a preview, which has to leave the table as it was."""
    before = table()
    said = send()
    assert table() == before
    assert said["preview"] is True
    return said


def test_a_preview_of_a_file_says_what_each_line_would_do_and_writes_nothing(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.has_time_for(monkeypatch, 9)
    lines = ("bob,gong,", "cy,gong,", "dee,gong,", "nobody,gong,")
    said = previewed(acme, lambda: acme.edit(*lines, preview=True))
    assert said["message"] == "3 of 4 lines: 3 changes would be made, 1 was refused."
    assert said["lines"][1:] == [
        "~ line 2, bob@acme.example: seats.gong.state nothing → held",
        "~ line 3, cy@acme.example: seats.gong.state nothing → held",
        "~ line 4, dee@acme.example: seats.gong.state nothing → waiting. No seat gong is free: the member"
        " waits in line.",
    ]
    done = acme.edit(*lines)
    assert [each["changed"] for each in done["results"]][:2] == [each["changed"] for each in said["results"]][
        :2
    ]


def test_a_preview_of_groups_by_file_writes_nothing(acme: Acme) -> None:
    said = previewed(acme, lambda: acme.request("bob,assign,engage,US", preview=True))
    assert said["lines"] == [
        "~ line 2, bob@acme.example: engage US. The next push asks Vault CRM for group 'US'."
    ]


def test_a_preview_of_an_events_lists_writes_nothing(acme: Acme) -> None:
    bob = {"member": "bob@acme.example"}
    changes = [{**bob, "end_date": "2020-12-31"}, {"member": "nobody@acme.example", "end_date": None}]
    event = {"organization": "acme", "by": "jane@acme.example", "preview": True}
    said = previewed(acme, lambda: member_settings.handler({**event, "changes": changes}, acme.context))
    assert said["message"] == "1 change would be made, 1 was refused."
    assert "inactive at once" in said["results"][0]["note"]
    asked = [{**bob, "action": "assign", "feature": "engage", "group": each} for each in ("US", "UK")]
    said = previewed(acme, lambda: group_assignment.handler({**event, "requests": asked}, acme.context))
    assert said["message"] == "2 changes would be made."


# ── The event ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ({"csv": ""}, "csv"),
        ({"csv": ["member"]}, "csv"),
        ({"csv": "member\n\0"}, "csv"),
        ({"csv": "ada@acme.example,gong"}, "csv"),
        ({"csv": None}, "event"),
        ({"csv": None, "from_line": 2}, "event"),
        ({"from_line": 0}, "from_line"),
        ({"from_line": 3}, "from_line"),
        ({"preview": "yes"}, "preview"),
        ({"changes": [{"member": "bob@acme.example", "end_date": None}]}, "event"),
        ({"requests": [{"member": "bob@acme.example"}]}, "event"),
        ({"csv": None, "erase": ["zoe@acme.example"], "why": "asked", "preview": True}, "event"),
    ],
)
def test_an_event_that_is_wrong_as_a_whole_changes_nothing(
    acme: Acme, event: dict[str, Any], where: str
) -> None:
    before = table()
    if "requests" not in event:
        said = acme.edit("bob,gong,", **event)
        assert (said["status"], wheres(said)) == ("rejected", [where])
        assert said["errors"][0]["remedy"]
    if not {"changes", "erase"} & event.keys():
        said = acme.request("bob,remove,engage", **event)
        assert (said["status"], wheres(said)) == ("rejected", [where])
        assert said["errors"][0]["remedy"]
    assert table() == before


def test_another_organization_reaches_no_member(acme: Acme) -> None:
    acme.put(organization="other", seats=SEATS)
    before = acme.member("bob")
    said = acme.edit(csv=f"member,seats\nid-bob,gong\n{CRM_IDS['bob']},gong\n", organization="other")
    assert (said["status"], said["counts"]["refused"]) == ("rejected", 2)
    assert acme.member("bob") == before


def test_no_person_is_in_the_log(acme: Acme, log: StringIO) -> None:
    acme.edit("bob,gong,", "nobody,gong,")
    acme.request("bob,assign,engage,Field Force", "nobody,remove,engage")
    assert '"status":"succeeded_with_errors"' in log.getvalue()
    for private in ("bob@", "nobody", "jane", "Field Force"):
        assert private not in log.getvalue()
