"""What can go wrong, by whose fault it is and whether trying again helps.

    MusterError
      Rejected          the input is wrong; trying again cannot help   (says where and what to do)
        NotFound        nothing has that name; worded the same whatever the cause
        TooLarge        the input is over a size limit
        FilterRefused   a system does not find anything by that; it may be there all the same
      Unavailable       a system is down or busy; try later            (carries retry_after)
        Incomplete      a source was read, but not whole: nothing may be decided on it
        OutcomeUnknown  a write was sent, and whether it took effect is unknown: read back first
        ApiCallsUsedUp  the calls that this work may make are used up for now
        LoginUnderWay   another process is logging in with the same secret
        Downtime        a system has announced how long it is down for maintenance
      Stale             something newer is already recorded; not a failure
      Misconfigured     our settings or credentials are wrong; an admin has to act
        NotAllowed      the integration user may not do that, be it to one record or at all
        NotServed       nothing is served at that address: wrong API version or host
        WrongSystem     the credentials are valid, but for another org or vault than in the settings
        PasswordRefused  the password or token in a secret was refused, and is not sent again (U5)

Adapters translate at the edge, `raise ... from error`; each handler maps class to outcome in one
place. Messages carry ids, never names, e-mail addresses, tokens or bodies: they end up in logs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: the place, what is wrong there, and what to do about it."""

    where: str
    message: str
    remedy: str


class MusterError(Exception):
    """Everything Muster raises on purpose."""


class Rejected(MusterError):
    """The input is wrong; trying again cannot help."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.where}: {problem.message}" for problem in problems))
        self.problems = problems


class NotFound(Rejected):
    """Nothing has that name, or the caller may not know that something has."""


class TooLarge(Rejected):
    """The input is over a size limit."""


class FilterRefused(Rejected):
    """A system does not find anything by that attribute; what was looked for may be there all the same."""


class Unavailable(MusterError):
    """A system is down or busy; try again after `retry_after` seconds, where it is known."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Incomplete(Unavailable):
    """A source was read, but not whole: nothing may be decided on it (I4)."""


class OutcomeUnknown(Unavailable):
    """A write was sent, but its answer was lost or is unreadable: read back before sending again (P5)."""


class ApiCallsUsedUp(Unavailable):
    """The share of a system's API calls that this work may use is used up for now (W13, P5)."""


class LoginUnderWay(Unavailable):
    """Another process is logging in with the same secret: passwords are sent one at a time (U5)."""


class Downtime(Unavailable):
    """A system is down for maintenance, and has announced for how long: `retry_after` seconds (P6)."""

    retry_after: float

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message, retry_after)


class Stale(MusterError):
    """Something newer is already recorded; count it and go on."""


class Misconfigured(MusterError):
    """Our own settings or credentials are wrong; an admin has to act."""


class NotAllowed(Misconfigured):
    """The integration user may not do that, to one record or at all; `problem` is that of the one record."""

    def __init__(self, message: str, problem: Problem | None = None) -> None:
        super().__init__(message)
        self.problem = problem


class NotServed(Misconfigured):
    """The system serves nothing at that address: wrong API version or host."""


class WrongSystem(Misconfigured):
    """The credentials are valid, but for another org or vault than in the settings."""


class PasswordRefused(Misconfigured):
    """The password or token in a secret was refused, and nobody sends it again (U5).

    Until the secret has another version, or an admin asks for one more login.
    """
