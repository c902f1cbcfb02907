"""What RosterQueryFunction may be asked: the events, one class a kind, and how each answer is laid out.

Each takes `"as": "text"` for a table in lines of text, and `"detail": true` for all that is known.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from muster.admin_requests import Asked, Request, WholeRequest
from muster.insight import querying_members
from muster.presentation import (
    changes,
    errors,
    explanations,
    health,
    licences,
    members,
    organizations,
    past_rosters,
    replays,
    runs,
    seats,
)
from muster.presentation.answers import PLAIN, Layout
from muster.references import Reference, RunId
from muster.validation import refused

type Limit = Annotated[int, Field(ge=1, le=querying_members.MAX_LIMIT)]
type Cursor = Annotated[str, Field(max_length=2048)]
type Written = Annotated[str, Field(min_length=1, max_length=254)]
# So many entries are a page where none is asked for: each is a line, and the lines fit on a screen.
SCREEN = 20


class Asking(Asked):
    """What every question may carry: `"as": "text"` for a table in lines of text."""

    as_: Literal["text"] | None = Field(default=None, alias="as")

    @model_validator(mode="before")
    @classmethod
    def _as_an_object(cls, event: Any) -> Any:
        """Have the parsed event validated: in JSON text, pydantic passes over a key `as_`."""
        return event


class Question(Asking, Request):
    """A question about one organization."""


class Paging(Asking):
    """A question that is answered page by page: as long a page as is asked for, else a screen."""

    limit: Limit | None = None
    cursor: Cursor | None = None

    @property
    def asks_for_more(self) -> bool:
        """Whether the page is as long as was asked for."""
        return self.limit is not None

    @property
    def size(self) -> int:
        """How many entries the page has."""
        is_whole = self.detail or self.as_ is not None
        return self.limit or (querying_members.DEFAULT_LIMIT if is_whole else SCREEN)


class Page(Paging, Request):
    """An event that asks for a page of something."""


class OrganizationPage(Paging, WholeRequest):
    """An event that asks for a page of the organizations."""


class MemberPage(Page):
    """An event that asks for a page of one member's history."""

    member: Reference


class MemberList(Page):
    """An event that asks for a page of members."""

    filter: dict[str, Any] = Field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many members the page has: the list is what was asked for, and need not fit on a screen."""
        return self.limit or querying_members.DEFAULT_LIMIT


class OneMember(Question):
    """An event that asks for one member."""

    member: Reference


class AsOf(Page):
    """An event that asks how a member was at a moment, or at the end of a day; or all, a page of them."""

    member: Reference | None = None
    at: Written
    filter: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _of_one_or_of_all(self) -> Self:
        if self.member and (self.filter or self.limit or self.cursor):
            raise refused(
                "has filter, limit or cursor beside member",
                "They are for everybody: leave them out, or member.",
            )
        return self


class Difference(Page):
    """An event that asks what differs between two moments or runs, or what a run changed; of one or all."""

    member: Reference | None = None
    since_run: RunId | None = None
    until_run: RunId | None = None
    run_id: RunId | None = None
    since: Written | None = Field(default=None, validate_default=True)
    until: Written | None = None

    @field_validator("since")
    @classmethod
    def _begins_somewhere(cls, since: str | None, info: ValidationInfo) -> str | None:
        others = {"since_run", "run_id"}
        # What is wrong with these is told by itself.
        if since is None and others <= info.data.keys() and not any(map(info.data.get, others)):
            remedy = "Say since when, or since_run (right after that run), or run_id (what that run changed)."
            raise refused("is missing", remedy)
        return since

    @model_validator(mode="after")
    def _of_one_period(self) -> Self:
        begins = [each for each in (self.since, self.since_run, self.run_id) if each]
        if len(begins) > 1 or (self.until and self.until_run):
            raise refused(
                "names several beginnings or ends",
                "Say one of since, since_run and run_id, and at most one of until and until_run.",
            )
        if self.run_id and (self.until or self.until_run):
            raise refused("has run_id beside until or until_run", "A run has a time of its own.")
        if self.member and (self.since is None or self.until_run or self.limit or self.cursor):
            raise refused(
                "has a run, limit or cursor beside member",
                "Of one member ask with since and until; changes tells with person and run_id of a run.",
            )
        return self


class Explain(OneMember):
    """An event that asks why; `live` for a new evaluation of someone who is in the roster."""

    live: bool = False


class Changes(Page):
    """An event that asks what happened in a period (by default the last 24 hours), or in a run."""

    since: Written | None = None
    until: Written | None = None
    run_id: RunId | None = None
    person: Reference | None = None
    cause: Written | None = None
    value: Written | None = None

    @property
    def size(self) -> int:
        """How many people a page has in detail; what fits on a screen is made of all of them."""
        return self.limit or querying_members.DEFAULT_LIMIT

    @model_validator(mode="after")
    def _one_period(self) -> Self:
        if self.run_id and (self.since or self.until or self.cause):
            raise refused(
                "has run_id beside since, until or cause",
                "A run has a time of its own: leave the others out, or run_id.",
            )
        return self


class RunList(Page):
    """An event that asks for a page of runs."""

    filter: dict[str, Any] = Field(default_factory=dict)


class OneRun(Page):
    """An event that asks for a run and a page of its plan."""

    run_id: Annotated[str, Field(min_length=1, max_length=100)]


class Replayed(Question):
    """An event that asks whether a run's plan comes out the same when it is made again."""

    run_id: RunId


class ErrorLog(Page):
    """An event that asks for a page of the error log: of the entries in one state, or of those to look at."""

    state: str | None = None


class HowItIs(Question):
    """An event that asks how an organization is; `live` as long as its connections are to be asked."""

    live: bool = True


class Export(Request):
    """An event that asks for a file."""

    what: Annotated[str, Field(min_length=1, max_length=100)]
    format: Literal["csv"] = "csv"
    filter: dict[str, Any] = Field(default_factory=dict)
    at: Written | None = None
    since: Written | None = None
    until: Written | None = None
    since_run: RunId | None = None
    until_run: RunId | None = None
    run_id: RunId | None = None


# What an explanation says in sentences, as values.
_EXPLAINED_BY = frozenset(
    {"since", "assignment", "also_matched", "did_not_match", "note", "seats", "workspaces", "data_capture"}
    | {"groups", "accounts", "identity", "manager", "keep_active", "frozen", "crm_user_status", "end_date"}
    | {"last_changes", "runs", "recorded", "salesforce", "now", "errors", "messages_waiting"}
)
_OF_LICENCES = frozenset({"as_of", "counted_all", "groups", "nobody", "waiting", "members"})
_OF_A_RUN = frozenset({"run", "change", "at_work", "note", "items"})

LAYOUTS = {
    "list": Layout(members.lines, members.listed, not_beside_text=frozenset({"members"}), is_listed=True),
    "member": Layout(members.one, members.only, not_beside_text=frozenset({"member"}), is_listed=True),
    "explain": Layout(explanations.lines, explanations.explanation_table, _EXPLAINED_BY),
    "history": Layout(members.history, members.history_table, frozenset({"history", "runs"})),
    "as_of": Layout(past_rosters.as_of_lines, past_rosters.as_of_table, past_rosters.ONLY_IN_DETAIL),
    "diff": Layout(past_rosters.diff_lines, past_rosters.diff_table, past_rosters.ONLY_IN_DETAIL),
    "seats": Layout(seats.lines, seats.seats_table, frozenset({"seats"})),
    "licences": Layout(licences.lines, licences.use_table, _OF_LICENCES),
    "changes": Layout(changes.summary, changes.as_table, changes.ONLY_IN_DETAIL),
    "runs": Layout(runs.lines, runs.runs_table, frozenset({"runs"})),
    "run": Layout(runs.run_lines, runs.run_table, _OF_A_RUN),
    "replay": Layout(replays.lines, replays.as_table, frozenset({"hash", "difference"})),
    "errors": Layout(errors.lines, errors.errors_table, frozenset({"log"})),
    "health": health.LAYOUT,
    "export": PLAIN,
    "organizations": Layout(
        organizations.lines, organizations.organizations_table, frozenset({"organizations"})
    ),
}
