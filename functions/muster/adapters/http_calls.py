"""HTTP calls to outside systems: to their own hosts only, https, no redirects, bounded (T2, T3, T4).

    System          one outside system: the hosts it may have, and one call to it
    HttpAnswer      what a call is answered, whole
    session_for     a session that can call given base URLs and takes nothing from the environment

Exceptions of requests quote the URL, and with it the query. They are dropped (`from None`), because
chained exceptions are printed in logs.
"""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from muster.crm import canonical_text
from muster.errors import Misconfigured, Unavailable

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost):([1-9][0-9]{0,4})")

# OpenSSL's error numbers for certificates (X509_V_ERR_…, openssl-verify(1)).
_NOT_YET_VALID, _EXPIRED, _OTHER_NAMES = 9, 10, (62, 64)

# The longest answer that is read, unpacked: some ten times the largest page of users or query of a vault.
LONGEST_ANSWER_BYTES = 32 * 1024 * 1024
# A body has to be there within this many times the wait for its beginning, however steadily it trickles.
LONGEST_BODY_WAITS = 2
_PIECE_BYTES = 64 * 1024

# When urllib3 retries a call it logs the URL, and with it the query.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class Unreached(Unavailable):
    """There was no connection: nothing was sent, so nothing can have happened."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The whole answer to a call; names of `headers` are looked up in any case, `content` is unpacked."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class System:
    """One outside system.

    `name` is its name in messages, `setting` the setting that holds its host, `host` the pattern of the
    hosts it may have, `kind` what such a host is called, `example` one of them.
    """

    name: str
    setting: str
    host: re.Pattern[str]
    kind: str
    example: str

    def base_url(self, host: str) -> str:
        """Return the base URL: `https://` and the host, without a trailing slash.

        The local stack's hosts, `127.0.0.1` and `localhost` with a port, are called over plain http. Any
        other host raises `Misconfigured`: the settings refuse it already, this is the last gate (T3).
        """
        if len(host) <= 253 and self.host.fullmatch(host):
            return f"https://{host}"
        if (local := _LOOPBACK.fullmatch(host)) and int(local[1]) <= 65_535:
            return f"http://{host}"
        raise Misconfigured(f"{self.setting} is no {self.kind}; write it like {self.example}")

    def send(
        self,
        session: requests.Session,
        method: str,
        url: str,
        timeout: tuple[float, float],
        **request: Any,
    ) -> HttpAnswer:
        """Make one call and return the whole answer, whatever its status, except for redirects.

        `timeout` is for connecting and for each wait for the answer to go on, in seconds. Raises
        `Unavailable` where there is no answer, only part of one, or one that is too long or takes too long,
        and for a temporary redirect; `Unreached` where nothing was sent, for example to a host whose
        certificate is not trusted; `Misconfigured` for a permanent redirect.
        """
        try:
            with session.request(
                method, url, timeout=timeout, allow_redirects=False, stream=True, **request
            ) as begun:
                body = self._body(begun, time.monotonic() + LONGEST_BODY_WAITS * timeout[1])
                answer = HttpAnswer(begun.status_code, begun.headers, body)
        # ValueError: requests parses a redirect's Location even when it must not follow it.
        except (requests.RequestException, HTTPError, ValueError) as error:
            raise _fault(self, error) from None
        if 300 <= answer.status_code < 400:
            permanent = answer.status_code in (301, 308)
            raise (Misconfigured if permanent else Unavailable)(
                f"{self.name} answered {answer.status_code}, a redirect, which is not followed;"
                f" if this goes on, {self.setting} is not its {self.kind} any more"
            )
        return answer

    def _body(self, begun: requests.Response, until: float) -> bytes:
        """Return the unpacked body of an answer; raises `Unavailable` for one that is too long or too slow.

        requests itself would wait for as long as a byte comes now and then, and unpack whatever there is.
        """
        body = bytearray()
        while piece := begun.raw.read1(_PIECE_BYTES, decode_content=True):
            body += piece
            if len(body) > LONGEST_ANSWER_BYTES:
                mib = LONGEST_ANSWER_BYTES // 1024**2
                raise Unavailable(
                    f"{self.name} answered with more than {mib} MiB, which is not read; if this goes on,"
                    f" check {self.setting}"
                )
            if time.monotonic() > until:
                raise Unavailable(
                    f"{self.name} did not finish its answer in time; if this goes on, check {self.setting}"
                )
        return bytes(body)


def session_for(retries: Mapping[str, Retry | int]) -> requests.Session:
    """Return a session that can call these base URLs and nothing else, each with its own retries."""
    session = requests.Session()
    # No proxy, netrc entry or certificate list from the environment: none of them is meant for this
    # host, and a netrc entry would replace the token.
    session.trust_env = False
    session.headers["Accept"] = "application/json"
    session.adapters.clear()
    for base, of_base in retries.items():
        session.mount(base, HTTPAdapter(max_retries=of_base))
    return session


def retry_after(answer: HttpAnswer) -> float | None:
    """Return the seconds to wait that an answer asks for, if it does."""
    header = answer.headers.get("Retry-After", "")
    return float(header) if re.fullmatch(r"[0-9]{1,6}", header) else None


def decoded(body: bytes) -> Any:
    """Return the JSON value of a body, `None` if it is not JSON."""
    try:
        return canonical_text.read_json(body)
    except ValueError:
        return None


def _fault(system: System, error: Exception) -> Unavailable:
    """Return the error that says why there is no answer, and what an admin can do about it."""
    # An error of requests wraps one of urllib3, which after the last retry holds the reason; while a body is
    # read, urllib3's own is raised.
    wrapped = error if isinstance(error, HTTPError) else error.args[0] if error.args else None
    reason = getattr(wrapped, "reason", wrapped)
    kind = type(error).__name__
    if (
        isinstance(reason, SSLError)
        and reason.args
        and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    ):
        return Unreached(
            f"nothing was sent to {system.name}: {_distrust(system, reason.args[0].verify_code)}"
        )
    if isinstance(reason, NameResolutionError):
        return Unreached(
            f"the host of {system.name} is not found in DNS ({kind}); correct {system.setting}, or let the"
            " function reach the internet if that is right"
        )
    if isinstance(reason, ConnectTimeoutError | NewConnectionError):
        return Unreached(
            f"{system.name} took no connection ({kind}); if this goes on, check {system.setting}, and whether"
            " a firewall lets the function through"
        )
    what = "did not answer in time" if isinstance(reason, ReadTimeoutError) else "gave no whole answer"
    return Unavailable(f"{system.name} {what} ({kind}); if this goes on, check {system.setting}")


def _distrust(system: System, code: int) -> str:
    """Return what is wrong with a host's certificate, by OpenSSL's number, and what to do about it."""
    certificate = f"the certificate of the host in {system.setting}"
    if code in (_EXPIRED, _NOT_YET_VALID):
        fault = "has expired" if code == _EXPIRED else "is not valid yet"
        return (
            f"{certificate} {fault}; whoever runs that host has to renew it; Muster then continues by itself"
        )
    if code in _OTHER_NAMES:
        return f"{certificate} is for another name; correct {system.setting}, like {system.example}"
    return (
        f"{certificate} is not signed by an authority that is trusted; if the host is right, a proxy or a"
        " firewall answers in its place: let the function's calls pass it unopened"
    )
