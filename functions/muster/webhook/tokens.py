"""Webhook tokens: the secret in the address Salesforce calls, and the digest that is stored (W3, T1, T20).

Salesforce signs nothing, so the token is what proves the sender. Only its SHA-256 is stored: the
token is 256 random bits, which nobody can guess, so a slow hash would add nothing. Two tokens are
valid at once while one replaces the other.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from muster.times import timestamp

# Salesforce goes on sending queued messages to the old address for 24 hours; the admin who enters the
# new one has another 24.
OVERLAP = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as stored: its digest, when it expires (ISO 8601; `None`: never), and who it was issued to."""

    sha256: str
    expires_at: str | None = None
    issued_to: str = ""


@dataclass(frozen=True, slots=True)
class WebhookRegistration:
    """Who may call an organization's webhook.

    `organization_id` is Salesforce's id of the customer's org, empty where no connection is
    configured, which matches nobody; `action_ids` are the outbound messages allowed, all when empty;
    `tokens` are newest first; `version` counts the writes and guards against lost updates.
    """

    organization_id: str
    action_ids: tuple[str, ...]
    tokens: tuple[Token, ...]
    version: int = 0


def issue() -> str:
    """Return a new token: 256 random bits as 43 characters that need no quoting in a URL."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return the SHA-256 of a token, in hex."""
    # Whatever text a stranger sends must not raise, lone surrogates included.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def matches(presented: str, tokens: Iterable[Token], now: datetime) -> bool:
    """Whether `presented` is one of `tokens` and still valid at `now`.

    Every token is compared, in constant time, whatever the comparisons before it found.
    """
    presented_digest = digest(presented)
    found = False
    for token in tokens:
        equal = hmac.compare_digest(presented_digest, token.sha256)
        found |= equal and _is_valid(token, now)
    return found


def rotated(tokens: Iterable[Token], new: Token, now: datetime) -> tuple[Token, ...]:
    """Return the tokens once `new` has taken over: `new`, and those without an expiry for another 48 hours.

    Tokens that already had an expiry are dropped. So rotating twice revokes a token that has leaked.
    """
    ends = timestamp(now + OVERLAP, to="seconds")
    return new, *(replace(token, expires_at=ends) for token in tokens if token.expires_at is None)


def find(presented: str, tokens: Iterable[Token], now: datetime) -> Token | None:
    """Return the one of `tokens` that was presented, if it is valid at `now`."""
    presented_digest = digest(presented)
    return next(
        (token for token in tokens if token.sha256 == presented_digest and _is_valid(token, now)), None
    )


def offered(tokens: Iterable[Token], new: Token) -> tuple[Token, ...]:
    """Return the tokens with `new` added: all stay valid until `new` is known to be in use."""
    return new, *tokens


def settled(
    tokens: Iterable[Token], used: str, now: datetime, replaced: str | None = None
) -> tuple[Token, ...]:
    """Return the tokens once the one with the digest `used` is known to be in use.

    It takes over as in `rotated`. The token with the digest `replaced`, in use until now, keeps the same
    48 hours as the others, whatever expiry it had. Nothing changes if `used` has already taken over, or is
    not among the tokens.
    """
    known = tuple(tokens)
    in_use = next((token for token in known if token.sha256 == used), None)
    others = without(known, used)
    if in_use is None or (in_use.expires_at is None and all(token.expires_at for token in others)):
        return known
    lasting = (replace(token, expires_at=None) if token.sha256 == replaced else token for token in others)
    return rotated(lasting, replace(in_use, expires_at=None), now)


def without(tokens: Iterable[Token], sha256: str) -> tuple[Token, ...]:
    """Return the tokens without the one with this digest."""
    return tuple(token for token in tokens if token.sha256 != sha256)


def _is_valid(token: Token, now: datetime) -> bool:
    return token.expires_at is None or now < datetime.fromisoformat(token.expires_at)


_WEBHOOK_PATH = "/features/agent-auto-provision/organizations/{organization}/integrations/salesforce/webhook"


def webhook_address(base_url: str, organization: str, token: str) -> dict[str, str]:
    """Return a token and the webhook URL that contains it: `{token, url}`."""
    path = _WEBHOOK_PATH.format(organization=organization)
    return {"token": token, "url": f"{base_url}{path}?token={token}"}
