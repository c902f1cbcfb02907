"""The envelope that all admin functions share: one JSON event in, one JSON answer out.

    {"organization": "acme", "action": "put", "by": "jane@acme.example", …}
      -> {"status": "succeeded", "organization": "acme", "message": "Version 8 is saved.", …}
      -> {"status": "rejected", "organization": "acme", "message": "…", "errors": [{where, message, remedy}]}

Each action declares its parameters as a `Request`; a key that none of them declares is refused. What
is not the admin's doing (`Unavailable`, `Misconfigured`) is raised, so that the console and Step
Functions see a fault.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from muster import __version__, bootstrap, validation
from muster.errors import NotFound, Problem, Rejected, Unavailable
from muster.observability import logger
from muster.presentation.answers import PLAIN, Layout, laid_out
from muster.presentation.lines import counted
from muster.references import RunId
from muster.runs.answer import RunAnswer
from muster.runs.run import Run
from muster.runs.running import SCHEDULE, AtWork, Running
from muster.settings.values import OrganizationName
from muster.settings.versions import StoredSettings
from muster.validation import refused


def _one_line(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise refused("is empty or holds a control character", "Write it on one line.")
    return value.strip()


def _person(value: str) -> str:
    if value.casefold() == SCHEDULE:
        raise refused(*_THE_SCHEDULES_NAME)
    return value


_SAY_WHO = "Say who asks, for example jane@acme.example."
_THE_SCHEDULES_NAME = ("is the name that the schedules go by", _SAY_WHO)
_A_WORKFLOW_TAKES = frozenset(
    {"status", "ended", "organization", "run_id", "mode", "counts", "connections_left", "muster_version"}
)
_LONGEST_TEXT = 300
# So many names are looked through for one that is close: what one query answers at the most.
_NAMES_LOOKED_AT = 5_000

type Line = Annotated[str, AfterValidator(_one_line)]
type _Asker = Annotated[Line, Field(max_length=200, examples=["jane@acme.example"])]
# Who asks: an e-mail address as a rule, the name of a script or role where none is at hand; never a schedule.
type By = Annotated[_Asker, AfterValidator(_person)]


class Asked(BaseModel):
    """What every event carries."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    by: By | None = None
    detail: bool = False

    @property
    def asks_for_more(self) -> bool:
        """Whether it asks for more than a screen, in another way than by `detail`."""
        return False


class Event(Asked):
    """An event about one organization."""

    organization: OrganizationName


class WholeRequest(Asked):
    """An event that names an action about all organizations; one that it names is not looked at."""

    organization: OrganizationName | None = None
    action: str


class Request(Event):
    """An event that names one of a function's actions; those with parameters add them in a subclass."""

    action: str


class SignedRequest(Request):
    """An event that must say who sends it, because it changes something."""

    by: By


class FileEvent(Event):
    """An event about many members, in a list or in a CSV file, which may be previewed.

    `from_line` is where to go on with a file that a call before could not finish.
    """

    by: By
    csv: str | None = Field(
        default=None, min_length=1, examples=["member,end_date\nada@acme.example,2026-12-31"]
    )
    from_line: int | None = Field(default=None, ge=1)
    preview: bool = False

    @model_validator(mode="after")
    def _has_a_file_to_go_on_with(self) -> Self:
        if self.from_line is not None and self.csv is None:
            raise refused("holds from_line without csv", "Send the file again with it.")
        return self


@dataclass(frozen=True, slots=True)
class Action[R: Asked]:
    """One thing an admin function does: what it takes, and what it does with it.

    `run` returns the answer without the organization; `status` is "succeeded" unless it says so. An
    organization without settings is refused, unless it may be the action that `begins` it. `layout` is how
    its answer is shown.
    """

    request: type[R]
    run: Callable[[R], dict[str, Any]]
    begins: bool = False
    layout: Layout = PLAIN


def answer(event: object, actions: Mapping[str, Action[Any]]) -> dict[str, Any]:
    """Return the answer to an admin's event; logs organization, action and outcome.

    Who asked stays out of the log, being a person; what changes something keeps `by` in the table.
    """

    def understood() -> tuple[Asked, Callable[[Any], dict[str, Any]], Layout]:
        request, action = _for_action(event, actions)
        if isinstance(request, Event) and not action.begins:
            # Nothing is kept of an organization that is not there, which otherwise reads as an empty one.
            settings_of(request.organization)
        return request, action.run, action.layout

    return _answered(event, understood)


def answer_one[E: Event](
    event: object, kind: type[E], run: Callable[[E], dict[str, Any]], layout: Layout = PLAIN
) -> dict[str, Any]:
    """Return the answer to an event of a function that does one thing; logs as `answer` does."""
    return _answered(event, lambda: (_read(event, kind), run, layout))


def answer_run[E: RunRequest](
    event: object, kind: type[E], run: Callable[[E], RunAnswer], layout: Layout = PLAIN
) -> tuple[dict[str, Any], RunAnswer | None]:
    """Return the answer to an event about a run, as JSON and as a value (`None`: the event was rejected).

    To a schedule, which is a workflow, the JSON is what the workflow goes by and no more (I14).
    """
    answers: list[RunAnswer] = []

    def work(asked: E) -> dict[str, Any]:
        asked.require_signature()
        answers.append(run(asked))
        return answers[0].to_json()

    said = answer_one(event, kind, work, layout)
    if isinstance(event, dict) and event.get("by") == SCHEDULE:
        said = _for_a_workflow(said)
    return said, next(iter(answers), None)


def settings_of(organization: str) -> StoredSettings:
    """Return the organization's settings in force; raises `NotFound` where it has none.

    What to do about it names the organization that it is close to.
    """
    table = bootstrap.settings_table()
    stored = table.current(organization)
    if stored is not None:
        return stored
    known, _ = table.organizations(_NAMES_LOOKED_AT, None)
    close = validation.closest(organization, (each["organization"] for each in known))
    did_you_mean = f"Did you mean {close!r}? " if close else ""
    remedy = (
        f"{did_you_mean}RosterQueryFunction lists the organizations there are: organizations."
        " A new one begins with OrganizationSettingsFunction, action put."
    )
    raise NotFound(Problem("organization", f"{organization} has no settings", remedy))


def _answered(
    event: object, understand: Callable[[], tuple[Any, Callable[[Any], dict[str, Any]], Layout]]
) -> dict[str, Any]:
    try:
        request, run, layout = understand()
        said = {"status": "succeeded", "organization": request.organization, **run(request)}
        as_text = getattr(request, "as_", None) == "text"
        said = laid_out(said, layout, detail=request.detail, as_text=as_text, is_longer=request.asks_for_more)
    except Rejected as error:
        detail = isinstance(event, dict) and event.get("detail") is True
        said = laid_out(_rejection(event, error), PLAIN, detail=detail)
    except Unavailable as error:
        # A fault's words are all that the console shows.
        error.args = (f"{str(error).rstrip('.')}. {_again(error)}",)
        raise
    _log(event, said)
    return {**said, "muster_version": __version__}


def _again(error: Unavailable) -> str:
    """Return what to do about a system that is down or busy."""
    minutes = max(1, round((error.retry_after or 0) / 60))
    when = f"in {counted(minutes, 'minute')}" if error.retry_after else "in some minutes"
    return f"Send the event again {when}: what is done already is not done twice."


def _for_a_workflow(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer without names and values, and of a size that is bounded.

    A workflow's history is open to whoever may read executions, and a state holds 256 KiB. What an event is
    rejected for is told nowhere else, and speaks of the workflow's own event.
    """
    kept = {key: value for key, value in said.items() if key in _A_WORKFLOW_TAKES}
    if said["status"] == "rejected":
        first = said["errors"][0]
        kept["message"] = said["message"][:_LONGEST_TEXT]
        kept["errors"] = [{key: value[:_LONGEST_TEXT] for key, value in first.items()}]
    return kept


def _for_action(event: object, actions: Mapping[str, Action[Any]]) -> tuple[Asked, Action[Any]]:
    if not isinstance(event, dict):
        raise _no_object()
    name = event.get("action")
    if not isinstance(name, str) or name not in actions:
        message = "is missing" if name is None else "is not an action of this function"
        remedy = validation.did_you_mean(name if isinstance(name, str) else "", actions)
        raise Rejected(Problem("action", message, remedy))
    return _read(event, actions[name].request), actions[name]


def _read[E: Asked](event: object, kind: type[E]) -> E:
    if not isinstance(event, dict):
        raise _no_object()
    try:
        # By way of JSON, which is what events are; pydantic's strict mode then knows lists from tuples.
        return kind.model_validate_json(json.dumps(event))
    except ValidationError as error:
        problems = validation.problems(error, kind.model_json_schema(), "event")
        raise Rejected(*validation.fewer(problems)) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise Rejected(Problem("event", "is not JSON", "Send JSON, nested less deep.")) from error


def _no_object() -> Rejected:
    remedy = 'Send one like {"organization": "acme", …}; the folder events has examples.'
    return Rejected(Problem("event", "is not an object", remedy))


def _rejection(event: object, error: Rejected) -> dict[str, Any]:
    first = error.problems[0]
    if len(error.problems) == 1:
        message = f"{first.where} {first.message}."
    else:
        message = f"{len(error.problems)} things are wrong; nothing was changed."
    return {
        "status": "rejected",
        "organization": _text_of(event, "organization"),
        **({"run_id": error.run} if isinstance(error, AtWork) else {}),
        "message": message,
        "errors": [
            {"where": problem.where, "message": problem.message, "remedy": problem.remedy}
            for problem in error.problems
        ],
    }


def _log(event: object, said: Mapping[str, Any]) -> None:
    logger.info(
        "admin request",
        organization=said["organization"],
        action=_text_of(event, "action"),
        status=said["status"],
        version=said.get("version"),
        run_id=said.get("run_id"),
    )


def _text_of(event: object, key: str) -> str | None:
    """Return a text of the event, which nobody has checked, fit to be written anywhere."""
    value = event.get(key) if isinstance(event, dict) else None
    return value[:200].encode(errors="replace").decode() if isinstance(value, str) else None


class RunRequest(Event):
    """One event: a run to begin, if only as a preview, or one to go on with, to approve, reject or undo.

    With `start`, a run that is begun or approved goes on by itself, and the answer names it at once.
    """

    by: _Asker | None = None
    preview: bool = False
    start: bool = False
    run_id: RunId | None = None
    approve: RunId | None = None
    reject: RunId | None = None
    undo: RunId | None = None
    plan_hash: str | None = None

    @property
    def names_a_run(self) -> bool:
        """Whether it goes on with a run that is there, or decides about it."""
        return bool(self.run_id or self.approve or self.reject)

    @property
    def is_for_people(self) -> bool:
        """Whether no schedule asks for this."""
        return bool(self.approve or self.reject or self.undo)

    @property
    def is_begun_by_schedule(self) -> bool:
        """Whether a schedule begins a run; its workflow also goes on with runs that people have begun."""
        return self.by == SCHEDULE and not self.run_id

    def require_signature(self) -> None:
        """Raise `Rejected` unless it says who begins or decides; a run is gone on with by anybody (I5)."""
        if self.by is None:
            if not self.run_id:
                raise Rejected(Problem("by", "is missing", _SAY_WHO))
            return
        # A workflow writes the name so and not otherwise.
        if self.by.casefold() == SCHEDULE and (self.is_for_people or self.by != SCHEDULE):
            raise Rejected(Problem("by", *_THE_SCHEDULES_NAME))

    @property
    def hand_over(self) -> Callable[[Run], None] | None:
        """What hands a run over to the workflow, if it is to go on by itself."""
        return bootstrap.workflow().go_on_with if self.start else None

    @property
    def signer(self) -> str:
        """Who begins, approves or rejects; `require_signature` has seen to it that there is somebody."""
        return self.by or ""

    @model_validator(mode="after")
    def _about_one_run(self) -> Self:
        if sum(map(bool, [self.run_id, self.approve, self.reject, self.undo])) > 1:
            raise refused("asks for several things at once", "Say one of run_id, approve, reject and undo.")
        if self.preview and self.names_a_run:
            raise refused(
                "has preview for a run that is there", "Preview goes without run_id, approve and reject."
            )
        if self.start and (self.run_id or self.reject or self.by == SCHEDULE):
            raise refused(
                "has start, which is for a run that people begin or approve",
                "Leave start out: a run is rejected at once, and workflows go on with theirs by themselves.",
            )
        if self.plan_hash and not self.approve:
            raise refused("has plan_hash without a run to approve", "It goes with approve.")
        return self

    def done_with(self, runs: Running) -> RunAnswer | None:
        """Do what is asked about a run that is there; `None`: a new one is asked for."""
        if self.run_id:
            return runs.resume(self.run_id)
        if self.approve:
            return runs.approve(self.approve, self.signer, self.plan_hash)
        if self.reject:
            return runs.reject(self.reject, self.signer)
        return None
