from datetime import UTC, datetime, timedelta

import pytest

from muster.webhook import tokens
from muster.webhook.tokens import Token

NOW = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)


def stored(token: str) -> Token:
    return Token(tokens.digest(token))


def test_a_token_is_256_random_bits_that_need_no_quoting_in_a_url() -> None:
    issued = {tokens.issue() for _ in range(100)}
    assert len(issued) == 100
    assert all(len(token) == 43 and token.replace("-", "").replace("_", "").isalnum() for token in issued)


def test_a_digest_is_the_sha256_of_the_token() -> None:
    assert tokens.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_token_itself_matches_and_nothing_else_does() -> None:
    token = tokens.issue()
    stored = [Token(tokens.digest(token))]
    assert tokens.matches(token, stored, NOW)
    for other in (
        "",
        token[:-1],
        token + "A",
        token.swapcase(),
        tokens.digest(token),
        "\ud800",
        "é" * 50,
        "\0",
    ):
        assert not tokens.matches(other, stored, NOW)
    assert not tokens.matches(token, [], NOW)


@pytest.mark.parametrize(("seconds", "valid"), [(-1, True), (0, False), (1, False)])
def test_a_token_ends_when_it_expires(seconds: int, valid: bool) -> None:
    token = tokens.issue()
    stored = [Token(tokens.digest(token), "2026-11-20T08:15:00Z")]
    assert tokens.matches(token, stored, NOW + timedelta(seconds=seconds)) is valid


def test_either_of_two_tokens_matches_wherever_it_stands() -> None:
    old, new = tokens.issue(), tokens.issue()
    stored = [Token(tokens.digest(new)), Token(tokens.digest(old), "2026-11-22T08:15:00Z")]
    for order in (stored, stored[::-1]):
        assert tokens.matches(old, order, NOW)
        assert tokens.matches(new, order, NOW)


def test_a_rotated_out_token_lasts_two_days() -> None:
    old, new = tokens.issue(), tokens.issue()
    both = tokens.rotated((stored(old),), stored(new), NOW)
    almost = NOW + timedelta(hours=48) - timedelta(seconds=1)
    assert tokens.matches(old, both, almost)
    assert not tokens.matches(old, both, NOW + timedelta(hours=48))
    assert tokens.matches(new, both, NOW + timedelta(days=10_000))


def test_rotating_twice_ends_the_first_token_at_once() -> None:
    first, second, third = tokens.issue(), tokens.issue(), tokens.issue()
    valid = tokens.rotated(tokens.rotated((stored(first),), stored(second), NOW), stored(third), NOW)
    assert len(valid) == 2
    assert not tokens.matches(first, valid, NOW)
    assert tokens.matches(second, valid, NOW)
    assert tokens.matches(third, valid, NOW)


def test_rotation_starts_over_where_no_token_is_left() -> None:
    new = stored(tokens.issue())
    assert tokens.rotated((), new, NOW) == (new,)


def test_rotation_cuts_off_nobody_who_may_be_in_use() -> None:
    """Beside the token in Salesforce there may be one that a set-up is just deploying."""
    old, offered, new = (stored(tokens.issue()) for _ in range(3))
    valid = tokens.rotated(tokens.offered((old,), offered), new, NOW)
    assert [(token.sha256, token.expires_at) for token in valid] == [
        (new.sha256, None),
        (offered.sha256, "2026-11-22T08:15:00Z"),
        (old.sha256, "2026-11-22T08:15:00Z"),
    ]


A, B, C = "a" * 64, "b" * 64, "c" * 64
ENDING, TWO_DAYS = "2026-11-21T00:00:00Z", "2026-11-22T08:15:00Z"


@pytest.mark.parametrize(
    ("known", "used", "becomes"),
    [
        # It has taken over already, and the one before it keeps its end.
        ([(A, None), (B, ENDING)], A, [(A, None), (B, ENDING)]),
        ([(A, None)], A, [(A, None)]),
        # It takes over: the one before it gets an end, an older one ends at once.
        ([(A, None), (B, None)], A, [(A, None), (B, TWO_DAYS)]),
        ([(A, None), (B, None), (C, ENDING)], A, [(A, None), (B, TWO_DAYS)]),
        # A newer one was offered and never arrived.
        ([(A, None), (B, None)], B, [(B, None), (A, TWO_DAYS)]),
        # What is in use has no end, whatever a rotation by hand said before.
        ([(A, None), (B, ENDING)], B, [(B, None), (A, TWO_DAYS)]),
        # Nobody knows that one.
        ([(A, None), (B, None)], C, [(A, None), (B, None)]),
    ],
)
def test_what_is_read_back_takes_over(
    known: list[tuple[str, str | None]], used: str, becomes: list[tuple[str, str | None]]
) -> None:
    settled = tokens.settled([Token(*each) for each in known], used, NOW)
    assert [(token.sha256, token.expires_at) for token in settled] == becomes
    assert tokens.settled(settled, used, NOW + timedelta(hours=1)) == settled


def test_what_was_in_use_up_to_now_lasts_two_days_whatever_end_it_had() -> None:
    """A rotation by hand gave it an end, and Salesforce went on with it all the same."""
    known = [Token(A), Token(B), Token(C, ENDING)]
    settled = tokens.settled(known, A, NOW, replaced=C)
    assert settled == (Token(A), Token(B, TWO_DAYS), Token(C, TWO_DAYS))
    assert tokens.settled(settled, A, NOW + timedelta(hours=1), replaced=C) == settled


def test_only_a_valid_token_is_found() -> None:
    old, new = tokens.issue(), tokens.issue()
    both = [Token(tokens.digest(new)), Token(tokens.digest(old), "2026-11-20T08:15:00Z")]
    assert tokens.find(new, both, NOW) == both[0]
    assert tokens.find(old, both, NOW - timedelta(seconds=1)) == both[1]
    assert tokens.find(old, both, NOW) is None
    assert tokens.find("", both, NOW) is None


def test_a_token_can_be_taken_out_at_once() -> None:
    assert tokens.without([Token(A), Token(B)], A) == (Token(B),)
