"""Shows what Muster answers as tables that an admin reads, 110 columns wide at most."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from sandbox.company import Person
from sandbox.vault_crm.standard_objects import CONNECT_STATUS, PROVISIONING_STATUS, standard_picklists

type Answer = Mapping[str, Any]


def table(*headings: str, rows: Iterable[Sequence[object]]) -> Table:
    """Return a table; a list of nobody and nothing says so."""
    shown = Table(*headings, header_style="bold", title_justify="left")
    for row in rows:
        shown.add_row(*(_text(value) for value in row))
    if not shown.row_count:
        shown.add_row("(nobody)", *[""] * (len(headings) - 1))
    return shown


# ── Connections ──────────────────────────────────────────────────────────────────────────────────────


def checks(rows: Iterable[Answer]) -> Table:
    """Return checks of connections, or links of the webhook's chain: what was found, and what to do."""
    shown = Table("Check", "Found", "What to do", header_style="bold", show_lines=True)
    for row in rows:
        name = f"{row['check']} ({row['connection']})" if "connection" in row else row["check"]
        shown.add_row(*map(_text, (name, row["found"], row["remedy"])))
    return shown


def links(rows: Iterable[Answer]) -> Table:
    """Return the links between Salesforce and Muster, in the order in which a change passes them."""
    return table(
        "Link", "Holds", "Found", rows=[[row["check"], _HOLDS[row["result"]], row["found"]] for row in rows]
    )


_HOLDS = {"passed": True, "failed": False, "warning": "not seen yet", "could_not_check": "not known"}


# ── The roster ───────────────────────────────────────────────────────────────────────────────────────


def roster(members: Iterable[Answer]) -> Table:
    """Return members as a table."""
    shown = ("name", "email", "title", "active", "inbound_enabled", "inactive_reason")
    headings = ("Name", "E-mail", "Title", "Active", "Takes calls", "Why not active")
    rows = [
        [_words(member[name]) if name == shown[-1] else member[name] for name in shown] for member in members
    ]
    return table(*headings, rows=rows)


def history(entries: Iterable[Answer]) -> Table:
    """Return a member's history as a table, newest first; all that came with the first entry is one line."""
    rows: list[Sequence[object]] = []
    for entry in entries:
        at, changes = entry["at"][11:19], entry["changes"]
        if entry["version"] == 1:
            rows.append([at, "(added to the roster)", None, f"{len(changes)} values"])
        else:
            rows += [[at, _words(change["field"]), change["before"], change["after"]] for change in changes]
    return table("Time (UTC)", "What changed", "Before", "After", rows=rows)


def moved(before: Iterable[Answer], after: Iterable[Answer]) -> Table:
    """Return people's activity and seats before and after something happened."""
    rows = [
        [was["name"], was["active"], _places(was), "→", becomes["active"], _places(becomes)]
        for was, becomes in zip(before, after, strict=True)
    ]
    return table("Name", "Active", "Seats", "", "Active", "Seats", rows=rows)


# ── A company and its assignments ────────────────────────────────────────────────────────────────────


def people(everyone: Iterable[Person]) -> Table:
    """Return a company's people by department."""
    departments: dict[str, list[Person]] = defaultdict(list)
    for person in everyone:
        departments[person.department].append(person)
    rows = [
        [
            name,
            len(some),
            _counted(person.country for person in some),
            _counted(person.title for person in some),
        ]
        for name, some in departments.items()
    ]
    return table("Department", "People", "Countries", "Titles", rows=rows)


def assignments(given: Iterable[Answer]) -> Table:
    """Return the assignments of a settings document, in their order."""
    rows = [
        [
            number,
            each["name"],
            each["filter"],
            each.get("update_mode", "automatic"),
            "\n".join(_choice(seat) for seat in each.get("seats", ())),
            _settings(each),
        ]
        for number, each in enumerate(given, 1)
    ]
    return table("", "Assignment", "Whom (SOQL)", "Updates", "Seats", "Workspaces, data capture", rows=rows)


def granted(given: Iterable[Answer], members: Sequence[Answer]) -> Table:
    """Return how many people each assignment has, and what they hold, wait for and are set to."""
    rows = []
    for each in given:
        some = [member for member in members if member["assignment"] == each["name"]]
        seats = _grouped((seat, place["state"]) for member in some for seat, place in member["seats"].items())
        workspaces = _grouped(pair for member in some for pair in member["workspaces"].items())
        capture = _grouped(
            (_words(name), _effect(setting))
            for member in some
            for name, setting in member["data_capture"].items()
        )
        rows.append([each["name"], len(some), each["filter"], seats, f"{workspaces}\n{capture}"])
    return table("Assignment", "People", "Why", "Seats", "Workspaces, data capture", rows=rows)


def left_out(explained: Iterable[tuple[Person, Answer]]) -> Table:
    """Return people who are not in the roster, with Muster's reasons."""
    rows = [
        [_name(person), person.title, person.department, person.country, answer["why"]]
        for person, answer in explained
    ]
    return table("Name", "Title", "Department", "Country", "Why not in the roster", rows=rows)


# ── Seats ────────────────────────────────────────────────────────────────────────────────────────────


def seat_use(seats: Mapping[str, Answer]) -> Table:
    """Return how many would hold each seat and wait for it."""
    rows = [[name, seat["limit"], seat["held"], seat["waiting"]] for name, seat in seats.items()]
    return table("Seat", "There are", "Would be held", "Would wait", rows=rows)


def seats(pools: Mapping[str, Answer]) -> Table:
    """Return each seat with its line."""
    rows: list[Sequence[object]] = []
    for name, seat in pools.items():
        use = (name, seat["limit"], seat["held"], seat["free"])
        for waiting in seat["line"]:
            rows.append([*use, waiting["place"], waiting["name"], waiting["assignment"]])
            use = ("", "", "", "")
    return table("Seat", "There are", "Held", "Free", "In line", "Who", "Assignment", rows=rows)


# ── Licences ─────────────────────────────────────────────────────────────────────────────────────────

_FEATURES = {"engage": "Engage", "engage_connect": "Engage Connect"}


def licences(members: Iterable[Answer]) -> Table:
    """Return what members ask for in each Engage feature, what became of it, and where they are."""
    rows = [
        [
            member["name"],
            called,
            member[feature]["request"],
            status(member[feature]["status"]),
            member[feature]["group"],
        ]
        for member in members
        for feature, called in _FEATURES.items()
        if any(member[feature].values())
    ]
    return table("Name", "Feature", "Group request", "Status", "Group", rows=rows)


def groups(groups: Iterable[tuple[str, Answer]], names: Mapping[str, str]) -> Table:
    """Return the groups of the Engage server with their features; `names` are people's by their Vault id."""
    rows = [
        [
            _FEATURES[feature],
            group["name"],
            "any number" if group["licenses"] is None else group["licenses"],
            group["used"],
            ", ".join(names[user] for user in group["members"]) or "nobody",
        ]
        for feature, group in groups
    ]
    return table("Feature", "Group", "Licences", "In use", "By", rows=rows)


def licence_use(groups: Iterable[Answer]) -> Table:
    """Return how many have a licence of each group: members, and nobody."""
    rows = [
        [_FEATURES[group["feature"]], group["group"], group["members"], group["nobody"], group["waiting"]]
        for group in groups
    ]
    return table("Feature", "Group", "By members", "By nobody", "In line", rows=rows)


def licences_of_nobody(users: Iterable[Answer]) -> Table:
    """Return the users of Vault CRM who have a group and are linked to nobody, and what to do."""
    rows = [
        [
            user["username"],
            ", ".join(held["group"] or held["request"] for held in user["groups"].values()),
            user["why"],
            user["do"],
        ]
        for user in users
    ]
    return table("User of Vault CRM", "Group", "Why nobody's", "What to do", rows=rows)


def group_requests(results: Iterable[Answer], names: Mapping[str, str]) -> Table:
    """Return what was asked of Muster and what it said; `names` are people's by their member id."""
    rows = [
        [
            names[result["member"]],
            _FEATURES[result["feature"]],
            result["request"],
            status(result["status"]),
            result["note"],
        ]
        for result in results
    ]
    return table("Name", "Feature", "Group request", "Status", "What Muster says", rows=rows)


def sendings(items: Iterable[Answer]) -> Table:
    """Return what a push would send, a line a person and feature."""
    rows = [
        [
            item["name"],
            item["does"],
            _FEATURES[feature],
            item["now"][feature]["group"],
            writes.get("request"),
            f"a licence of {writes['request']} becomes free" if item["if_freed"] else None,
        ]
        for item in items
        for feature, writes in item["writes"].items()
    ]
    return table("Name", "Step", "Feature", "Group now", "Would ask for", "If", rows=rows)


def errors(entries: Iterable[Answer], names: Mapping[str, str]) -> Table:
    """Return entries of the error log about users of Vault CRM; `names` are people's by their Vault id."""
    rows = [[names[entry["record"]], entry["message"], entry["remedy"]] for entry in entries]
    return table("Name", "What went wrong", "What to do", rows=rows)


def status(code: str | None) -> str | None:
    """Return the status of a group request as Vault CRM labels it."""
    labels = standard_picklists()
    return code and (labels[PROVISIONING_STATUS] | labels[CONNECT_STATUS]).get(f"{code}__v", code)


# ── Explanations and plans ───────────────────────────────────────────────────────────────────────────


def explanation(explained: Answer, manager: str | None) -> Table:
    """Return an explanation of a member, a line a value."""
    won = explained["assignment"]
    others = f"also matched: {_list(explained['also_matched'])}; did not: {_list(explained['did_not_match'])}"
    rows: list[Sequence[object]] = [
        ["In the roster", explained["in"], explained["why"]],
        ["Assignment", won["name"], f"number {won['position']}, {won['update_mode']}; {others}"],
    ]
    for name, seat in explained["seats"].items():
        rows.append([f"Seat {name}", seat["state"], seat["why"] or seat["origin"]])
    for name, workspace in explained["workspaces"].items():
        rows.append([f"Workspace {name}", workspace["profile"], workspace["origin"]])
    for name, setting in explained["data_capture"].items():
        value = f"{setting['effective']} (wanted: {setting['intended']})"
        rows.append([_words(name), value, setting["why"] or setting["origin"]])
    rows.append(["Manager", manager, explained["manager"]["why"] or explained["manager"]["origin"]])
    for run in explained["runs"]:
        rows.append(["Changed by run", run["run_id"], f"{len(run['changed'])} values"])
    return table(explained["identity"]["name"], "What", "Why, or where it comes from", rows=rows)


def changes(items: Iterable[Answer]) -> Table:
    """Return the changes of a plan: whose, what becomes of them, and which seats come and go."""
    rows = [
        [
            item["name"],
            item["does"],
            item["assignment"],
            _words(item["reason"]),
            _seats_before_and_after(item["changes"]),
        ]
        for item in items
    ]
    return table("Name", "Would be", "Assignment", "Why", "Seats", rows=rows)


def _seats_before_and_after(changed: Iterable[Answer]) -> str:
    found = []
    for change in changed:
        match change["field"].split("."):
            case ["seats", name, "state"]:
                found.append(f"{name}: {change['before'] or 'none'} → {change['after'] or 'none'}")
    return "\n".join(found)


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
    return escape(str(value))


def _words(name: str | None) -> str | None:
    return name and name.replace("_", " ").replace(".", " ")


def _name(person: Person) -> str:
    return " ".join(filter(None, (person.first_name, person.last_name)))


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _counted(values: Iterable[str]) -> str:
    return ", ".join(f"{count} {value}" for value, count in Counter(values).most_common())


def _grouped(pairs: Iterable[tuple[str | None, str]]) -> str:
    """Return a line for each first value, with how many there are of each second one."""
    groups: dict[str | None, list[str]] = defaultdict(list)
    for first, second in pairs:
        groups[first].append(second)
    return "\n".join(f"{first}: {_counted(seconds)}" for first, seconds in groups.items())


def _places(member: Answer) -> str:
    return "\n".join(
        f"{seat}: {place['state']}" + (f", place {place['place']}" if "place" in place else "")
        for seat, place in member["seats"].items()
    )


def _effect(setting: Answer) -> str:
    if setting["effective"] == setting["intended"]:
        return str(setting["effective"])
    return f"{setting['effective']} until the seat is held"


def _choice(choice: Any) -> str:
    if isinstance(choice, str):
        return choice
    mapped = ", ".join(f"{value}: {given}" for value, given in choice["map"].items())
    return f"by {choice['field']} ({mapped})"


def _settings(assignment: Answer) -> str:
    def lines() -> Iterator[str]:
        for name, choice in (*assignment.get("workspaces", {}).items(), *assignment["data_capture"].items()):
            yield f"{_words(name)}: {_choice(choice)}"

    return "\n".join(lines())
