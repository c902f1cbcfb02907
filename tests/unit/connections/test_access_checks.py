"""What preflight makes of what was found, as tables: secret, host, login, place, version, limits (U1, U5)."""

import pytest

from muster.checks import NotAsked, Read, unread
from muster.connections.access_checks import (
    AccessFound,
    ConnectionProfile,
    SecretFound,
    access,
    api_access,
    calls_left,
    expiry,
    version,
)
from muster.errors import (
    ApiCallsUsedUp,
    Downtime,
    LoginUnderWay,
    Misconfigured,
    MusterError,
    NotServed,
    Problem,
    Rejected,
    Unavailable,
    WrongSystem,
)

PROFILE = ConnectionProfile(
    connection="vault_crm",
    secret="muster/acme/vault_crm",  # noqa: S106 - a name
    needs=("username", "password"),
    place="right vault",
    login_remedy="Mend the login.",
    place_remedy="Mend the place.",
    renewal="Renew them.",
)
BOTH = SecretFound(frozenset(PROFILE.needs))
OK, BAD, UNKNOWN = "passed", "failed", "could_not_check"


@pytest.mark.parametrize(
    ("secret", "login", "results"),
    [
        (BOTH, None, [OK, OK, OK, OK]),
        (SecretFound(BOTH.keys | {"more"}), None, [OK, OK, OK, OK]),
        (BOTH, Misconfigured("refused"), [OK, OK, BAD, UNKNOWN]),
        (BOTH, NotServed("no such version"), [OK, OK, BAD, UNKNOWN]),
        (BOTH, WrongSystem("elsewhere"), [OK, OK, OK, BAD]),
        (BOTH, Unavailable("down"), [OK, BAD, UNKNOWN, UNKNOWN]),
        # Neither says anything of the host.
        (BOTH, ApiCallsUsedUp("used up"), [OK, UNKNOWN, UNKNOWN, UNKNOWN]),
        (BOTH, LoginUnderWay("another process"), [OK, UNKNOWN, UNKNOWN, UNKNOWN]),
        (SecretFound(frozenset({"username"})), NotAsked("no"), [BAD, UNKNOWN, UNKNOWN, UNKNOWN]),
        (Misconfigured("not there"), NotAsked("no"), [BAD, UNKNOWN, UNKNOWN, UNKNOWN]),
        (Unavailable("Secrets Manager is down"), NotAsked("no"), [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]),
    ],
)
def test_how_far_the_credentials_led(
    secret: Read[SecretFound], login: Read[None], results: list[str]
) -> None:
    found = list(access(PROFILE, AccessFound(secret=secret, answered=login, login=login)))
    assert [check.check for check in found] == ["secret", "reachable", "login", "right vault"]
    assert [check.result for check in found] == results
    assert all(bool(check.remedy) is (check.result != OK) for check in found)


def test_a_version_that_is_not_served_is_no_matter_of_credentials() -> None:
    found = AccessFound(secret=BOTH, answered=None, login=NotServed("no such version"))
    (login,) = [check for check in access(PROFILE, found) if check.check == "login"]
    assert "connections.vault_crm: its api_version" in login.remedy
    assert PROFILE.login_remedy not in login.remedy


def test_whoever_is_down_for_maintenance_is_waited_for() -> None:
    down = Downtime("down for 240 minutes", 14_400)
    found = list(access(PROFILE, AccessFound(secret=BOTH, answered=down, login=down)))
    assert [check.result for check in found] == [OK, BAD, UNKNOWN, UNKNOWN]
    assert "Check" not in found[1].remedy


def test_a_secret_comes_with_a_recipe_for_its_keys() -> None:
    secret, *_ = access(
        PROFILE, AccessFound(secret=SecretFound(frozenset()), answered=None, login=NotAsked("no"))
    )
    assert secret.found == "the secret muster/acme/vault_crm lacks username, password"
    assert '{"username": "…", "password": "…"}' in secret.remedy
    assert (
        "put-secret-value --secret-id muster/acme/vault_crm --secret-string file://secret.json"
        in secret.remedy
    )


def dated(left: int | None) -> SecretFound:
    """Return a secret that names a day, with so many days left; `None`: one that cannot be read."""
    return SecretFound(BOTH.keys | {"expires_on"}, left)


@pytest.mark.parametrize(
    ("secret", "login", "result", "says"),
    [
        (dated(365), None, OK, "is 365 days from now"),
        (dated(30), None, OK, "is 30 days from now"),
        (dated(29), None, "warning", "is 29 days from now"),
        (dated(1), None, "warning", "is 1 day from now"),
        (dated(0), None, "warning", "is today"),
        # It may have been renewed without writing so, or be a certificate that Salesforce takes all the same.
        (dated(-1), None, "warning", "was 1 day ago"),
        (dated(-400), None, "warning", "was 400 days ago"),
        (dated(-1), WrongSystem("elsewhere"), "warning", "was 1 day ago"),
        (dated(-1), Unavailable("down"), "warning", "was 1 day ago"),
        (dated(-1), Misconfigured("refused"), BAD, "was 1 day ago, and the login is refused"),
        # The login fails by itself; whatever it is, it is not the day.
        (dated(29), Misconfigured("refused"), "warning", "is 29 days from now"),
        (dated(None), None, BAD, "cannot be read as a day"),
        (SecretFound(frozenset({"expires_on"}), 3), NotAsked("no"), UNKNOWN, "not as it has to be"),
        (Misconfigured("not there"), NotAsked("no"), UNKNOWN, "not as it has to be"),
    ],
)
def test_when_credentials_end(secret: Read[SecretFound], login: Read[None], result: str, says: str) -> None:
    check = expiry("password expiry", PROFILE, AccessFound(secret=secret, answered=login, login=login))
    assert check
    assert (check.check, check.result) == ("password expiry", result)
    assert says in check.found
    assert bool(check.remedy) is (result != OK)
    # What is to be renewed is said, with the command that writes it.
    renewed = "Renew them." in check.remedy and '"expires_on": "2027-01-31"' in check.remedy
    assert renewed is (result in ("warning", BAD) and "cannot be read" not in says)


def test_a_secret_without_a_day_says_nothing_of_it() -> None:
    assert expiry("password expiry", PROFILE, AccessFound(secret=BOTH, answered=None, login=None)) is None


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (NotAsked("x"), "Correct what failed above"),
        (Unavailable("x"), "in some minutes"),
        (Misconfigured("x"), "Do what the error says"),
        (Rejected(Problem("q", "is wrong", "Write it so.")), "Write it so."),
    ],
)
def test_what_could_not_be_read_says_what_to_do(error: MusterError, remedy: str) -> None:
    check = unread("language", error)
    assert (check.check, check.result, check.found) == ("language", UNKNOWN, str(error))
    assert remedy in check.remedy


@pytest.mark.parametrize(
    ("served", "result", "found"),
    [
        (["v25.3", "v26.1"], OK, "v26.1 is served"),
        (
            ["v24.1", "v25.1", "v25.2", "v25.3"],
            BAD,
            "v26.1 is not served; the newest are v25.1, v25.2, v25.3",
        ),
        ([], BAD, "v26.1 is not served; the newest are none"),
        (Unavailable("down"), UNKNOWN, "down"),
    ],
)
def test_whether_a_version_is_served(served: Read[list[str]], result: str, found: str) -> None:
    check = version("align", "v26.1", served)
    assert (check.result, check.found) == (result, found)
    assert ("connections.align.api_version" in check.remedy) is (result == BAD)


@pytest.mark.parametrize(
    ("first", "result"),
    [
        ({}, OK),
        (Rejected(Problem("x", "is refused", "")), OK),
        (Misconfigured("no API access"), BAD),
        (NotServed("no such version"), UNKNOWN),
        (NotAsked("no login"), UNKNOWN),
        (Unavailable("down"), UNKNOWN),
    ],
)
def test_whether_the_api_answers_the_user(first: Read[object], result: str) -> None:
    assert api_access(first, "Tick it.").result == result


@pytest.mark.parametrize(
    ("left", "result", "found"),
    [
        ((2000, 2000), OK, "2,000 of 2,000 calls are left"),
        ((400, 2000), OK, "400 of 2,000 calls are left"),
        ((399, 2000), "warning", "399 of 2,000 calls are left"),
        ((0, 2000), "warning", "0 of 2,000 calls are left"),
        ((0, 0), OK, "0 of 0 calls are left"),
        (None, UNKNOWN, "no answer said how many calls are left"),
    ],
)
def test_how_much_of_a_limit_is_left(left: tuple[int, int] | None, result: str, found: str) -> None:
    check = calls_left("burst limit", left, 0.2, "Find out.")
    assert (check.result, check.found) == (result, found)
