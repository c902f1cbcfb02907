"""Why somebody is in the roster and has what they have, or is not, in sentences (Q1, Q5)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from muster.presentation import members, words
from muster.presentation.answers import Answer
from muster.presentation.lines import at_most, counted
from muster.presentation.tables import Table, table

_CHANGES = 3
# The states of accounts that are the member's own.
_LINKED = frozenset({"active", "inactive", "deleted"})


def news(answer: Answer) -> str:
    """Return in a sentence whether somebody is in and with which seats, and in another one why."""
    if not answer["member"]:
        return f"Not in the roster. {answer['why']}"
    places: Mapping[str, Mapping[str, Any]] = answer["seats"]
    held = [name for name, seat in places.items() if seat["state"] == "held"]
    waits = [_place(name, seat) for name, seat in places.items() if seat["state"] == "waiting"]
    said = ["is active" if answer["in"] else "is not active"]
    said += [f"holds {words.listed(held)}"] if held else []
    said += [f"waits for {words.listed(waits)}"] if waits else []
    return f"{answer['identity']['name'] or 'The member'} {words.listed(said)}. {answer['why']}"


def _place(name: str, seat: Mapping[str, Any]) -> str:
    return f"{name} (place {seat['place']:,} of {seat['of']:,})" if seat.get("place") else name


def lines(answer: Answer) -> Sequence[str]:
    """Return what an admin reads of an explanation, top to bottom."""
    return at_most([*_about_a_member(answer), *_now(answer)] if answer["member"] else [*_outsider(answer)])


def explanation_table(answer: Answer) -> Table:
    """Return an explanation, a line a value."""
    rows: list[Sequence[object]] = [["In the roster", answer["in"], answer["why"]]]
    if answer["member"]:
        rows += _rows(answer)
    return table(_who(answer), "What", "Why, or where it comes from", rows=rows)


# ── Lines ────────────────────────────────────────────────────────────────────────────────────────────


def _about_a_member(answer: Answer) -> Iterator[str]:
    yield from _standing(answer)
    for name, seat in answer["seats"].items():
        yield _seat(name, seat)
    for feature, group in answer["groups"].items():
        yield _group(feature, group)
    for app, account in answer["accounts"].items():
        yield from _account(app, account)
    for name, workspace in answer["workspaces"].items():
        yield f"Workspace {name}: {workspace['profile']}, {words.origin(workspace['origin'])}."
    yield from _data_capture(answer["data_capture"])
    yield _manager(answer["manager"])
    for key in ("crm_user_status", "end_date"):
        if answer[key]["value"] is not None:
            by = words.origin(answer[key]["origin"])
            yield f"{words.attribute(key).capitalize()}: {answer[key]['value']}, {by}."
    if answer["identity"]["why"]:
        yield f"Called {answer['identity']['email']}. {answer['identity']['why']}"
    for change in answer["last_changes"][:_CHANGES]:
        yield members.entry(change)


def _standing(answer: Answer) -> Iterator[str]:
    if answer["since"]:
        yield f"{'In' if answer['in'] else 'Out'} since {words.moment(answer['since'])}."
    if answer["assignment"]:
        yield _assignment(answer)
    if answer["note"]:
        yield f"! {answer['note']}"
    for key in ("keep_active", "frozen"):
        if answer[key]:
            yield f"! {answer[key]['why']}"


def _assignment(answer: Answer) -> str:
    won = answer["assignment"]
    number = f"number {won['position']}" if won["position"] else "no longer in the settings"
    others = [f"also matched: {', '.join(answer['also_matched'])}"] if answer["also_matched"] else []
    others += [f"did not match: {', '.join(answer['did_not_match'])}"] if answer["did_not_match"] else []
    return f"Assignment {won['name']} ({words.joined([number, won['update_mode'], *others])})."


def _seat(name: str, seat: Mapping[str, Any]) -> str:
    match seat["state"]:
        case "held":
            since = f" since {words.moment(seat['since'])}" if seat.get("since") else ""
            return f"Holds {name}{since}, {words.origin(seat['origin'])}."
        case "waiting":
            place = f", at place {seat['place']:,} of {seat['of']:,}" if seat.get("place") else ""
            since, by = words.moment(seat["since"]), words.origin(seat["origin"])
            return f"! Waits for {name} since {since}{place}, {by}."
    return f"Has no {name}: {seat['why']}"


def _group(feature: str, group: Mapping[str, Any]) -> str:
    called = words.FEATURES[feature]
    is_in = f"in group {group['group']}" if group["group"] else "in no group"
    asks = ""
    if group["request"] != group["group"]:
        asked = f"asks for {group['request']}" if group["request"] else "asks for none"
        asks = f", {asked} {words.origin(group['origin'])}".rstrip()
    status = f"; status {words.status(group['status'])}" if group["status"] else ""
    note = f". {group['note']}" if group.get("note") else "."
    return f"{called}: {is_in}{asks}{status}{note}"


def _account(app: str, account: Mapping[str, Any]) -> Iterator[str]:
    """Yield an account in an app, then what is not as it is to be, and what comes next."""
    called = words.connection(app)
    comes = _comes(account)
    if account["state"] not in _LINKED:
        mark = "! " if account["do"] else ""
        yield f"{mark}No account in {called}: {_told(account['why'], comes, account['do'])}"
        return
    yield f"Account in {called}: {_of_account(account)}."
    if said := _told(account["why"], comes, account["do"], account["stays_valid"]):
        yield f"{'! ' if account['do'] else ''}{called}: {said}"


def _of_account(account: Mapping[str, Any]) -> str:
    """Return whose account it is there, whether it is open, how it came to be, and in which groups it is."""
    stands = words.ACCOUNTS[account["state"]]
    read = "" if account["read_back"] else ", not read back yet"
    since = f" since {words.moment(account['since'])}" if account["since"] else ""
    origin, _, who = (account["origin"] or "").partition(":")
    came = {"created": "made by Muster", "external_id": "found by its external id"}.get(origin, "")
    if origin == "adopted":
        came = f"adopted by {words.RULES.get(who, who)}"
    groups = f"in {words.listed(account['groups'])}" if account["groups"] else None
    named = f"{account['user_name'] or 'unnamed'}{f' ({account["id"]})' if account['id'] else ''}"
    return words.joined([named, f"{stands}{since}{read}", came, groups], ", ")


def _comes(account: Mapping[str, Any]) -> str | None:
    """Return what a push does next, and when."""
    if account["due"] is None:
        return None
    does = words.listed(account["next"], len(account["next"]))
    if account["due"]:
        when = f"It is tried again from {words.moment(account['due'])} on"
        return f"{when}: a push {does}." if does else f"{when}."
    return f"The next push {does or 'looks at the member'}."


def _told(*parts: str | None) -> str:
    return words.joined(parts, " ")


def _data_capture(settings: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the settings that are as intended, those of one value and origin in one line, then the others."""
    alike: dict[tuple[str, str], list[str]] = {}
    for name, setting in settings.items():
        if setting["why"]:
            yield f"! {words.spaced(name).capitalize()}: {setting['effective']}. {setting['why']}"
        else:
            key = (setting["effective"], words.origin(setting["origin"]))
            alike.setdefault(key, []).append(words.spaced(name))
    for (effective, by), names in alike.items():
        yield f"Data capture, {effective} {by}: {', '.join(names)}."


def _manager(manager: Mapping[str, Any]) -> str:
    if manager["id"] is None:
        return f"No manager. {manager['why']}"
    return f"Manager: {manager.get('name') or manager['id']}, {words.origin(manager['origin'])}."


def _now(answer: Answer) -> Iterator[str]:
    if answer["salesforce"]:
        yield f"! {answer['salesforce']}"
    if answer["now"]:
        yield f"Now: {answer['now']['why']}"


def _outsider(answer: Answer) -> Iterator[str]:
    recorded, now = answer["recorded"], answer["now"]
    if answer["salesforce"]:
        yield f"! {answer['salesforce']}"
    if recorded and recorded["why"] != answer["why"]:
        at = f" {words.moment(recorded['as_of'])}" if recorded["as_of"] else ""
        yield f"Recorded{at}: {recorded['why']}"
    if not now:
        return
    judged = [f"{words.spaced(name)} {each}" for name, each in now["would_have"].items() if each]
    if judged:
        yield f"Judged by: {', '.join(judged)}."
    if now["assignment"]:
        yield _assignment(now)
    elif now["did_not_match"]:
        yield f"Assignments that do not match: {', '.join(now['did_not_match'])}."


# ── The table ────────────────────────────────────────────────────────────────────────────────────────


def _rows(answer: Answer) -> Iterator[Sequence[object]]:
    if won := answer["assignment"]:
        also = ", ".join(answer["also_matched"]) or "none"
        not_matched = ", ".join(answer["did_not_match"] or ()) or "none"
        number = f"number {won['position']}, {won['update_mode']}"
        yield ["Assignment", won["name"], f"{number}; also matched: {also}; did not: {not_matched}"]
    for name, seat in answer["seats"].items():
        yield [f"Seat {name}", words.spaced(seat["state"]), seat["why"] or words.origin(seat["origin"])]
    for app, account in answer["accounts"].items():
        called = words.connection(app)
        is_own = account["state"] in _LINKED
        why = _told(account["why"], _comes(account), account["do"], account["stays_valid"])
        yield [f"Account in {called}", _of_account(account) if is_own else "none", why or "as it is to be"]
    for name, workspace in answer["workspaces"].items():
        yield [f"Workspace {name}", workspace["profile"], words.origin(workspace["origin"])]
    for name, setting in answer["data_capture"].items():
        value = f"{setting['effective']} (wanted: {setting['intended']})"
        yield [words.spaced(name), value, setting["why"] or words.origin(setting["origin"])]
    for feature, group in answer["groups"].items():
        yield [words.FEATURES[feature], group["group"], _group(feature, group)]
    manager = answer["manager"]
    yield ["Manager", manager.get("name") or manager["id"], manager["why"] or words.origin(manager["origin"])]
    for run in answer["runs"]:
        yield ["Changed by run", run["run_id"], counted(len(run["changed"]), "value")]


def _who(answer: Answer) -> str:
    name = answer["identity"]["name"] if answer["member"] else None
    return str(name or answer["user"] or "Who")
