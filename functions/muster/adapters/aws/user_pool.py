"""A Cognito user pool, as `provisioning` drives an app: leavers are disabled and signed out (O4).

A resource's id is the user's Username, its userName the value that the member is known by. Every call may
be repeated, so one whose answer is lost is `Unavailable` and nothing else: what it was for is done again as
a whole. To find somebody is ListUsers alone: AdminGetUser makes a monthly active user of whom it shows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from muster.adapters.scim.pace import Pace
from muster.crm import scim_resources
from muster.crm.scim_answers import Outcome, Written
from muster.crm.scim_attributes import USER_NAME, Json, Values
from muster.crm.scim_filters import spellings
from muster.crm.scim_lists import ListPage
from muster.crm.scim_patches import Operation
from muster.crm.scim_resources import USERS, Kind, Resource
from muster.errors import (
    ApiCallsUsedUp,
    FilterRefused,
    Misconfigured,
    MusterError,
    NotAllowed,
    NotServed,
    Problem,
    Unavailable,
)

if TYPE_CHECKING:
    from muster.settings.user_pool_connection import UserPoolConnection

CALLS_A_SECOND = 10
_PAGE = 60
# A filter has room for 256 characters; of a longer value the beginning is asked for.
_LONGEST_FILTERED = 100
# The value is matched as it is written, and not in any case.
_EXACTLY = frozenset({"username"})
_DISABLE, _ENABLE, _SIGN_OUT = "admin_disable_user", "admin_enable_user", "admin_user_global_sign_out"
_GONE, _INVALID, _TOO_MANY = "UserNotFoundException", "InvalidParameterException", "TooManyRequestsException"
# So a call about one user is answered whose state forbids it, too.
_NOT_AUTHORIZED = "NotAuthorizedException"
_OF_ONE_CALL = frozenset({_GONE, _INVALID, _NOT_AUTHORIZED})
_NOT_ALLOWED = frozenset({"AccessDenied", "AccessDeniedException", _NOT_AUTHORIZED})
_NO_CREDENTIALS = frozenset({"OperationNotEnabledException", "UnrecognizedClientException"})
_ANOTHER = "another user of the pool has the value that the member is known by now, and both are enabled"


class UserPool:
    """Reads one pool, and ends and gives back the access of its users; makes, changes and deletes nobody."""

    # There are no types for this client.
    def __init__(
        self,
        client: Any,
        connection: UserPoolConnection,
        *,
        longest_wait_s: float = 20,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Call the pool of the settings with a client of its region, at most `CALLS_A_SECOND`."""
        self._client = client
        self._pool = connection.user_pool
        self._attribute = connection.known_by.attribute
        self._name = f"the user pool {connection.name}"
        self._pace = Pace(self._name, 60 * CALLS_A_SECOND, 1, longest_wait_s, clock, sleep)

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────────

    def all(self, kind: Kind) -> Iterator[ListPage]:
        """Yield all users, page by page; there are no groups."""
        if kind == USERS:
            yield from self._listed({})

    def find(self, kind: Kind, attribute: str, value: str) -> list[Resource]:
        """Return the users with a value of what members are known by, in any case, and in this spelling.

        Raises `FilterRefused` for all else.
        """
        if kind != USERS or attribute != USER_NAME:
            raise self._filter_refused()
        for spelling in spellings(value) if self._attribute in _EXACTLY else (value,):
            pages = self._listed({"Filter": _filter(self._attribute, spelling)})
            users = [each for page in pages for each in page.resources]
            if found := scim_resources.named(users, USER_NAME, value):
                return [Resource(each.id, {**each.body, USER_NAME: value}) for each in found]
        return []

    def get(self, kind: Kind, resource_id: str) -> Resource | None:
        """Return a user, `None` if the pool has none of that name."""
        if kind != USERS:
            return None
        shown = self._shown(resource_id)
        if isinstance(shown, Resource):
            return shown
        if shown.outcome is Outcome.GONE:
            return None
        raise Unavailable(f"{self._name} does not show a user: {shown.problem and shown.problem.message}")

    def refusal(self) -> str | None:
        """Return nothing: there is no login of its own that could be refused."""
        return None

    def retry_login(self) -> None:
        """Do nothing, likewise."""

    def first_page(self, kind: Kind) -> int:
        """Return how many users the first page shows; there are no groups."""
        return self.first_users()[0] if kind == USERS else 0

    def first_users(self) -> tuple[int, int]:
        """Return how many users a page shows, and how many have what members are known by; for preflight."""
        page = next(self._listed({}))
        return len(page.resources), sum(bool(each.user_name) for each in page.resources)

    def overlooks(self, attribute: str, value: str) -> bool:
        """Whether a filter that fits nobody shows somebody; raises `FilterRefused`. For preflight alone."""
        if attribute != USER_NAME:
            raise self._filter_refused()
        return any(page.resources for page in self._listed({"Filter": _filter(self._attribute, value)}))

    def _listed(self, asked: Mapping[str, str]) -> Iterator[ListPage]:
        token: dict[str, str] = {}
        while True:
            try:
                page = self._call("list_users", Limit=_PAGE, **asked, **token)
            except ClientError as error:
                if "Filter" in asked and _code(error) == _INVALID:
                    raise self._filter_refused() from error
                raise self._fault(_code(error), error.operation_name) from error
            users = [self._resource(each, each.get("Attributes", ())) for each in page["Users"]]
            # A page may be empty, and others follow.
            yield ListPage(users, len(users), None)
            if not (following := page.get("PaginationToken")):
                return
            token = {"PaginationToken": following}

    def _resource(self, shown: Json, attributes: Sequence[Mapping[str, str]]) -> Resource:
        values = {each["Name"]: each.get("Value", "") for each in attributes}
        known = shown["Username"] if self._attribute == "username" else values.get(self._attribute, "")
        name = shown["Username"]
        return Resource(name, {"id": name, USER_NAME: known, "active": shown.get("Enabled")})

    # ── Writing ──────────────────────────────────────────────────────────────────────────────────────

    def activate(self, user_id: str, active: bool, values: Values) -> Written:
        """Enable a user, or disable the user and end the sessions; `values` are not needed.

        Disabled first: whoever is signed out alone signs in again. Who is not signed out yet is not written.
        """
        # A name may be what another user signs in with as well: so it is seen first whose it is.
        shown = self._shown(user_id)
        if isinstance(shown, Written):
            return shown
        for operation in (_ENABLE,) if active else (_DISABLE, _SIGN_OUT):
            answer = self._about(user_id, operation)
            if isinstance(answer, Written):
                return answer
        return Written(Outcome.WRITTEN)

    def change(self, user_id: str, before: Values, after: Values) -> Written:
        """Change nothing: see whether a user is still the member's, who is known by another value now.

        Until the pool has somebody with that value the user stays the member's, and it is to be seen again
        (`Outcome.REFUSED`, of which nobody has to be told). If it has another, that one is to be looked for
        (`Outcome.GONE`), but not while the first one is enabled: nobody would end its access.
        """
        try:
            found = self.find(USERS, USER_NAME, str(after.get(USER_NAME, "")))
        except FilterRefused as error:
            return Written(Outcome.REFUSED, problem=error.problems[0])
        if user_id in {each.id for each in found}:
            return Written(Outcome.WRITTEN)
        shown = self._shown(user_id)
        if isinstance(shown, Written):
            return shown
        if not found:
            return Written(Outcome.REFUSED)
        if not shown.active:
            return self._gone()
        remedy = "Disable or delete the one that is not used any more, in the console of Cognito."
        return Written(Outcome.REFUSED, problem=Problem(self._name, _ANOTHER, remedy))

    def create(self, kind: Kind, body: Json) -> Written:
        """Make nobody."""
        return self._not_offered()

    def patch(self, kind: Kind, resource_id: str, operations: Sequence[Operation]) -> Written:
        """Change nobody."""
        return self._not_offered()

    def delete(self, kind: Kind, resource_id: str) -> Written:
        """Delete nobody."""
        return self._not_offered()

    # ── Calls ────────────────────────────────────────────────────────────────────────────────────────

    def _shown(self, user: str) -> Resource | Written:
        """Return a user by its very name, or why there is none."""
        shown = self._about(user, "admin_get_user")
        if isinstance(shown, Written):
            return shown
        is_the_one = shown["Username"] == user
        return self._resource(shown, shown["UserAttributes"]) if is_the_one else self._gone()

    def _about(self, user: str, operation: str) -> Json | Written:
        """Return the answer about a user, or why there is none."""
        try:
            answer: Json = self._call(operation, Username=user)
        except ClientError as error:
            return self._gone() if _code(error) == _GONE else self._refused(error)
        return answer

    def _call(self, operation: str, **parameters: Any) -> Any:
        """Return the answer to a call; a `ClientError` that comes out of it is about this call alone."""
        self._pace.wait()
        try:
            return getattr(self._client, operation)(UserPoolId=self._pool, **parameters)
        except ClientError as error:
            if _code(error) in _OF_ONE_CALL:
                raise
            raise self._fault(_code(error), error.operation_name) from error
        except BotoCoreError as error:
            raise Unavailable(f"{self._name} could not be reached: {type(error).__name__}") from error

    def _fault(self, code: str, operation: str) -> MusterError:
        if code == _TOO_MANY:
            return ApiCallsUsedUp(f"{self._name} takes no more calls for now ({operation})")
        if code in _NOT_ALLOWED:
            return NotAllowed(
                f"{self._name} refuses {operation} with {code}: give the ARN of the pool to the stack's"
                f" parameter UserPoolArns, which allows cognito-idp:{operation}, and deploy it"
            )
        if code == "ResourceNotFoundException":
            return NotServed(f"{self._name} is not there: correct user_pool in its settings")
        if code in _NO_CREDENTIALS:
            return Misconfigured(f"{self._name} refuses {operation} with {code}; deploy the stack again")
        return Unavailable(f"{self._name} answered {code} to {operation}")

    def _filter_refused(self) -> FilterRefused:
        remedy = "Choose another attribute in known_by."
        return FilterRefused(Problem(self._name, f"finds nobody by {self._attribute}", remedy))

    def _gone(self) -> Written:
        problem = Problem(self._name, "has no such user", "The user was deleted in the pool.")
        return Written(Outcome.GONE, problem=problem)

    def _refused(self, error: ClientError) -> Written:
        message = f"Cognito refuses {error.operation_name} for this user with {_code(error)}"
        return Written(Outcome.REFUSED, problem=Problem(self._name, message, "See the user in its console."))

    def _not_offered(self) -> Written:
        message = "makes, changes and deletes no users by Muster"
        return Written(Outcome.NOT_OFFERED, problem=Problem(self._name, message, "Do it in the pool."))


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _filter(attribute: str, value: str) -> str:
    """Return the filter for users with a value, or with its beginning."""
    how = "=" if len(value) <= _LONGEST_FILTERED else "^="
    escaped = value[:_LONGEST_FILTERED].replace("\\", "\\\\").replace('"', '\\"')
    return f'{attribute} {how} "{escaped}"'
