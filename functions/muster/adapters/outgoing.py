"""How an outside system is called: its own hosts only, over https, and no redirect is followed (T2, T3).

    System          one outside system: which hosts it can have, and one call to it
    session_for     a session that can call one base URL and takes nothing from the environment

Exceptions of requests quote the URL, and with it a query. They are dropped (`from None`), for what is
chained is printed in logs.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from muster.errors import Misconfigured, Unavailable

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost):([1-9][0-9]{0,4})")

# urllib3 writes the URL of a call that it makes again, and with it the query, into the log.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class Unreached(Unavailable):
    """No connection came about: nothing was sent, so nothing can have happened."""


@dataclass(frozen=True, slots=True)
class System:
    """One outside system.

    `name` is what messages call it, `setting` where the settings name its host, `host` the pattern of
    the hosts it can have, `kind` what such a host is called, `example` one of them.
    """

    name: str
    setting: str
    host: re.Pattern[str]
    kind: str
    example: str

    def base_url(self, host: str) -> str:
        """Return where the system is called: `https://` and its host, without a slash at the end.

        The local stack's hosts, `127.0.0.1` and `localhost` with a port, are called by plain http. Any
        other host is `Misconfigured`: the settings refuse it already, and this is the last gate (T3).
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
    ) -> requests.Response:
        """Make one call and return the whole answer, whatever its status but a redirect.

        Raises `Unavailable` where there is no answer, or only a part of it, and for a redirect that may
        pass, `Unreached` where nothing was even sent; `Misconfigured` for a redirect that will not pass.
        """
        try:
            answer = session.request(method, url, timeout=timeout, allow_redirects=False, **request)
        # ValueError: requests looks at a redirect's Location even if it is not to follow it.
        except (requests.RequestException, ValueError) as error:
            fault: type[Unavailable] = Unreached if _never_connected(error) else Unavailable
            raise fault(
                f"no whole answer came from {self.name} ({type(error).__name__});"
                f" if this goes on, check {self.setting}"
            ) from None
        if 300 <= answer.status_code < 400:
            lasting = answer.status_code in (301, 308)
            raise (Misconfigured if lasting else Unavailable)(
                f"{self.name} answered {answer.status_code}, a redirect, which is not followed;"
                f" if this goes on, {self.setting} is not its {self.kind} any more"
            )
        return answer


def session_for(tries: Mapping[str, Retry | int]) -> requests.Session:
    """Return a session that can call these base URLs and nothing else, each with its tries made anew."""
    session = requests.Session()
    # No proxy, netrc entry or other list of trusted certificates from the environment: none of them
    # is meant for this host, and a netrc entry would replace the token.
    session.trust_env = False
    session.headers["Accept"] = "application/json"
    session.adapters.clear()
    for base, retries in tries.items():
        session.mount(base, HTTPAdapter(max_retries=retries))
    return session


def retry_after(answer: requests.Response) -> float | None:
    """Return the seconds that an answer asks to wait, where it does."""
    header = answer.headers.get("Retry-After", "")
    return float(header) if re.fullmatch(r"[0-9]{1,6}", header) else None


def decoded(body: bytes) -> Any:
    """Return what JSON an answer holds, `None` where it holds none."""
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def _never_connected(error: Exception) -> bool:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, ConnectTimeoutError | NewConnectionError)
