"""Why a plan waits for approval: what the guard found, and other rules (I5). Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trip:
    """A limit that a plan exceeds; `assignment` is `None` for the limit of the whole run."""

    operation: str
    assignment: str | None
    changes: int
    active: int
    allowed: int

    def text(self) -> str:
        """Return the limit and the count in words."""
        where = f"in assignment {self.assignment}" if self.assignment else "in all"
        return (
            f"{self.operation}: {self.changes:,} of {self.active:,} active members {where},"
            f" where {self.allowed:,} are allowed"
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason to wait for approval that is no limit of the settings, in words."""

    what: str

    def text(self) -> str:
        """Return the reason in words."""
        return self.what


# Why a plan waits for approval.
type Reason = Trip | Rule
