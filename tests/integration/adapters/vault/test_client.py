"""Reading a vault: whole pages or an error, never a part taken for the whole (I4, P5, U2, T3)."""

from collections.abc import Iterator

import orjson
import pytest

from muster.crm import vql
from muster.crm.pages import CursorLost
from muster.errors import Incomplete, Rejected, TooLarge, Unavailable
from sandbox import vault_crm
from sandbox.vault_crm import RunningSandbox
from tests.doubles.sandbox_doors import assert_calls, calls, control, misbehave
from tests.doubles.vault_host import AUTH, Admin, VaultHost, client_at, client_of, failure, ids_of, result

QUERY = "/api/v26.1/query"
REPS = "SELECT id, email__sys FROM user__sys WHERE company__sys = 'Acme'"
NUMBER = 25


@pytest.fixture(scope="module")
def module_vault() -> Iterator[RunningSandbox]:
    """A vault of 25 users, three pages of ten."""
    with vault_crm.running() as vault:
        admin = Admin(vault)
        admin.create(NUMBER)
        # Each test logs in; from half of this limit on a vault delays that.
        control(vault.url, "PUT", "burst", {"login_limit": 100_000})
        yield vault
        admin.close()


@pytest.fixture
def vault(module_vault: RunningSandbox) -> RunningSandbox:
    control(module_vault.url, "PUT", "paging", {"max_rows": 10, "shrink": False})
    misbehave(module_vault.url)
    return module_vault


# ── Pages ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_query_yields_all_pages_in_order(vault: RunningSandbox) -> None:
    pages = list(client_of(vault).query(REPS))
    assert [len(page.records) for page in pages] == [10, 10, 5]
    assert len(set(ids_of(pages))) == NUMBER
    assert {page.total for page in pages} == {NUMBER}
    assert pages[-1].next is None
    assert [orjson.loads(page.body)["data"] for page in pages] == [page.records for page in pages]


def test_a_vault_that_shrinks_its_pages_is_read_to_the_end(vault: RunningSandbox) -> None:
    control(vault.url, "PUT", "paging", {"max_rows": 10, "shrink": True})
    pages = list(client_of(vault).query(REPS))
    assert [len(page.records) for page in pages] == [5, 5, 5, 5, 5]
    assert len(set(ids_of(pages))) == NUMBER


def test_reading_goes_on_where_it_stopped(vault: RunningSandbox) -> None:
    first, second, third = client_of(vault).query(REPS)
    assert list(client_of(vault).more(str(first.next))) == [second, third]
    assert list(client_of(vault).more(str(second.next))) == [third]


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 503},
        {"fault": "status", "status": 429},
        {"fault": "html"},
        {"fault": "empty"},
        {"fault": "truncate"},
        {"fault": "lose_answer"},
        {"fault": "delay", "delay_s": 60},
        {"fault": "expire"},
        {"fault": "failure", "error": "EXCEPTION"},
        {"fault": "failure", "error": "UNEXPECTED_ERROR"},
        {"fault": "failure", "error": "API_LIMIT_EXCEEDED"},
        {"fault": "failure", "error": "INVALID_SESSION_ID"},
    ],
    ids=lambda fault: "-".join(str(each) for each in fault.values()),
)
def test_a_passing_fault_at_any_page_is_got_over(
    vault: RunningSandbox, fault: dict[str, object], after: int
) -> None:
    client = client_of(vault, timeout=(5, 0.5 if fault["fault"] == "delay" else 10))
    misbehave(vault.url, {"path": QUERY, "after": after} | fault)
    before, asked = calls(vault.url, AUTH), calls(vault.url, QUERY)
    pages = list(client.query(REPS))
    misbehave(vault.url)
    assert_calls(vault.url, asked + 4, QUERY)
    assert len(set(ids_of(pages))) == NUMBER
    ended = fault["fault"] == "expire" or fault.get("error") == "INVALID_SESSION_ID"
    assert calls(vault.url, AUTH) - before == (2 if ended else 1)


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize(
    "fault", ["status", "html", "empty", "truncate", "lose_answer", "delay", "failure", "foreign_next"]
)
def test_a_lasting_fault_stops_there_and_reading_can_go_on_from_it(
    vault: RunningSandbox, fault: str, after: int
) -> None:
    rule = {"path": QUERY, "fault": fault, "after": after, "count": 3, "delay_s": 60}
    if fault == "failure":
        rule |= {"error": "EXCEPTION"}
    before = calls(vault.url, QUERY)
    client = client_of(vault, timeout=(5, 0.5 if fault == "delay" else 10))
    misbehave(vault.url, rule)
    asked = client.query(REPS)
    pages = [next(asked) for _ in range(after)]
    with pytest.raises(Unavailable):
        next(asked)
    misbehave(vault.url)
    assert_calls(vault.url, before + after + (1 if fault == "foreign_next" else 3), QUERY)
    client = client_of(vault)
    rest = client.more(str(pages[-1].next)) if pages else client.query(REPS)
    assert len(set(ids_of([*pages, *rest]))) == NUMBER


@pytest.mark.parametrize(
    ("fault", "after"),
    [
        ("short_page", 0),
        ("short_page", 2),
        ("early_done", 0),
        ("early_done", 1),
        ("duplicate_rows", 0),
        ("duplicate_rows", 2),
        ("no_rows", 1),
    ],
)
def test_what_comes_short_is_incomplete(vault: RunningSandbox, fault: str, after: int) -> None:
    misbehave(vault.url, {"path": QUERY, "fault": fault, "after": after})
    with pytest.raises(Incomplete):
        list(client_of(vault).query(REPS))


def test_a_forgotten_place_is_told_from_other_faults(vault: RunningSandbox) -> None:
    with pytest.raises(CursorLost):
        list(client_of(vault).more(f"{QUERY}/00000000-dead?pagesize=10&pageoffset=10"))


@pytest.mark.parametrize(
    "following", ["http://evil.example/api/v26.1/query/x", "/api/v26.1/auth", "", "//evil.example/api"]
)
def test_only_a_page_of_the_same_vault_is_gone_on_at(host: VaultHost, following: str) -> None:
    with pytest.raises(Unavailable, match="nothing was called"):
        client_at(host.url).more(following)
    assert not host.calls
    assert not host.logins


def test_a_page_that_leads_elsewhere_is_not_yielded(host: VaultHost) -> None:
    host.say(result("1", total=2, following="http://evil.example/api/v26.1/query/x"))
    with pytest.raises(Unavailable, match="not where its queries are"):
        next(client_at(host.url).query(REPS))


def test_pages_in_a_circle_are_left(host: VaultHost) -> None:
    host.say(result("1", total=9, following=f"{QUERY}/x"), *[result(total=9, following=f"{QUERY}/x")] * 3)
    with pytest.raises(Unavailable, match="circle"):
        list(client_at(host.url).query(REPS))


@pytest.mark.parametrize("form", ["{url}{path}", "{path}", "/query/x?a=1", "query/x?a=1"])
def test_a_next_page_is_followed_however_it_is_written(host: VaultHost, form: str) -> None:
    following = form.format(url=host.url, path=f"{QUERY}/x?a=1")
    host.say(result("1", total=2, following=following), result("2", total=2))
    assert ids_of(client_at(host.url).query(REPS)) == ["1", "2"]
    first, second = host.calls
    assert (first.method, first.path, first.form["q"]) == ("POST", QUERY, REPS)
    assert (second.method, second.full_path) == ("POST", f"{QUERY}/x?a=1")
    assert not second.form


# ── Queries ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_character_of_a_query_arrives(vault: RunningSandbox) -> None:
    admin = Admin(vault)
    title = 'O\'Neil & Søn + 100% #1 ?q=\\ é😀; "x"'
    (user,) = admin.create(1, title__sys=title, company__sys="Other")
    admin.create(1, title__sys="O", company__sys="Other")
    admin.close()
    for condition in (vql.equal("title__sys", title), vql.one_of("title__sys", ["nobody", title])):
        assert ids_of(client_of(vault).query(vql.select(["id"], "user__sys", condition))) == [user]


def test_a_query_has_up_to_50000_characters(host: VaultHost) -> None:
    host.say(result())
    asked = vql.select(["id"], "user__sys", vql.equal("email__sys", ""))
    longest = asked[:-1] + "x" * (50_000 - len(asked)) + "'"
    list(client_at(host.url).query(longest))
    assert host.calls[0].form["q"] == longest
    with pytest.raises(TooLarge, match="50,001 characters"):
        client_at(host.url).query(f"{longest} ")
    assert len(host.calls) == 1


def test_a_refused_query_is_refused_once_and_explained(vault: RunningSandbox) -> None:
    before = calls(vault.url, QUERY)
    with pytest.raises(Rejected) as error:
        list(client_of(vault).query("SELECT shoe_size__v FROM user__sys"))
    (problem,) = error.value.problems
    assert problem.where == "query"
    assert "shoe_size__v" in problem.message
    assert calls(vault.url, QUERY) - before == 1


def test_an_explanation_does_not_hold_the_values_it_quotes(host: VaultHost) -> None:
    said = "Field [email__sys] of [10042]: [Ada Lovelace], 'ada', \"ada\" or ada@acme.example is\nnot known"
    host.say(failure("INVALID_DATA", said))
    with pytest.raises(Rejected) as error:
        list(client_at(host.url).query(REPS))
    (problem,) = error.value.problems
    assert problem.message == "INVALID_DATA: Field [email__sys] of [10042]: …, …, … or … is not known"
