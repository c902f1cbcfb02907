"""One event to one function, never sent twice; and what every event carries: organization, by, detail."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
)

from muster_cli import outcomes
from muster_cli.deployment import Deployment
from muster_cli.failures import Failure, in_words
from muster_cli.screen import Screen

type Answer = Mapping[str, Any]

QUERY = "RosterQueryFunction"
_LOST = (
    "It is not sent again by itself, for it may have been carried out. See what came of it: muster runs,"
    " muster settings history or muster history."
)


class Functions(Protocol):
    """The functions of a stack, and who asks them."""

    @property
    def caller(self) -> str:
        """Who asks."""

    def ask(self, function: str, event: Mapping[str, Any]) -> Answer:
        """Return what a function answers; raises `Failure`."""


@dataclass(frozen=True)
class DeployedFunctions:
    """The functions of a deployed stack."""

    deployment: Deployment

    @property
    def caller(self) -> str:
        """Who asks, by the AWS identity in use."""
        return self.deployment.caller

    def ask(self, function: str, event: Mapping[str, Any]) -> Answer:
        """Return what a function answers; raises `Failure` where there is none, and for a fault."""
        name, client = self.deployment.function(function), self.deployment.invoking
        with in_words():
            try:
                response = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
                body = response["Payload"].read()
            except (ConnectTimeoutError, EndpointConnectionError):
                raise  # nothing was sent
            except (HTTPClientError, IncompleteReadError) as error:
                raise Failure(f"{function} has not answered: {error}", _LOST) from error
        answer = json.loads(body)
        if "FunctionError" in response:
            raise _fault(function, answer, response["ResponseMetadata"]["RequestId"])
        if not isinstance(answer, dict) or "status" not in answer:
            raise Failure(
                f"{function} does not answer as a function of Muster.", "Name Muster's stack with --stack."
            )
        return answer


def _fault(function: str, error: object, request_id: str) -> Failure:
    """Return a function's fault in its own words, with the id under which its log has the rest."""
    said = error if isinstance(error, dict) else {}
    kind, text = said.get("errorType"), said.get("errorMessage") or "it does not say why"
    what = f"{kind}: {text}" if kind else str(text)
    return Failure(
        f"{function} failed: {what} (request {request_id})",
        "muster preflight checks the connections; the function's log has the request by its id.",
    )


@dataclass(frozen=True)
class Muster:
    """Muster, as a command sees it: its functions about one organization, asked by somebody, and a screen.

    `quiet`: nothing is shown while an answer is waited for.
    """

    functions: Functions
    screen: Screen
    organization_given: str | None = None
    by_given: str | None = None
    quiet: bool = False

    @cached_property
    def organization(self) -> str:
        """The organization that was named, or the only one there is; raises `Failure`."""
        if self.organization_given:
            return self.organization_given
        answer = self.functions.ask(QUERY, {"action": "organizations", "limit": 2, "detail": True})
        names = [each["organization"] for each in answer.get("organizations", ())]
        if len(names) == 1:
            return str(names[0])
        if names:
            raise Failure(
                "There are several organizations.", "Say which with -o; muster organizations lists them."
            )
        raise Failure("There is no organization yet.", "Begin one with muster apply and a settings document.")

    @cached_property
    def by(self) -> str:
        """Who asks: who was named, or the AWS identity in use; raises `Failure`."""
        return self.by_given or self.functions.caller

    def ask(self, function: str, /, **event: Any) -> Answer:
        """Return what a function answers about the organization; keys whose value is `None` are not sent."""
        sent = self._event(event)
        with nullcontext() if self.quiet else self.screen.waiting():
            return self.functions.ask(function, sent)

    def sign(self, function: str, /, **event: Any) -> Answer:
        """Return what a function answers to an event that says who sends it."""
        return self.ask(function, by=self.by, **event)

    def query(self, action: str, /, **event: Any) -> Answer:
        """Return the answer to a question about the roster or its runs."""
        return self.ask(QUERY, action=action, **event)

    def listed(self, action: str, /, **event: Any) -> Answer:
        """Return the answer to a question, with the whole list where that is drawn as a table."""
        return self.listed_by(QUERY, action=action, **event)

    def listed_by(self, function: str, /, **event: Any) -> Answer:
        """Return what a function answers, with the whole list where that is drawn as a table."""
        return self.ask(function, **event, detail=None if self.screen.as_json else True)

    def of_the_stack(self, action: str, /, **event: Any) -> Answer:
        """Return the answer to a question about no organization."""
        with self.screen.waiting():
            whole = {} if self.screen.as_json and not self.screen.detail else {"detail": True}
            return self.functions.ask(QUERY, {"action": action, **_given(event), **whole})

    def show(self, answer: Answer, listed: str | None = None, *, at_first: bool = False) -> int:
        """Show an answer, and what it has `listed` as a table; return the exit code that it stands for.

        What is shown `at_first`, before another answer, is no part of the JSON unless it is the end.
        """
        code = outcomes.exit_code(answer["status"])
        if not (at_first and self.screen.as_json and code == outcomes.DONE):
            self.screen.show(answer, listed)
        return code

    def about(self, organization: str | None) -> "Muster":
        """Return the same about an organization, unless another was named."""
        return replace(self, organization_given=self.organization_given or organization)

    def quietly(self) -> "Muster":
        """Return the same, showing nothing while it waits for answers."""
        return replace(self, organization_given=self.organization, quiet=True)

    def _event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        detail = {"detail": True} if self.screen.detail else {}
        return {"organization": self.organization, **_given(event), **detail}


def _given(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if value is not None}
