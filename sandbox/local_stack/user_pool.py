"""A Cognito user pool on the stack's AWS, where Acme's people sign in to an app of their own (O4).

It is the company's, not Muster's: what Muster does to its users can be seen here as they see it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.local_stack.deploying import client
from sandbox.local_stack.stack import ORGANIZATION, LocalStack

NAME = f"{ORGANIZATION}-people"
PASSWORD = "Only-on-this-machine-1"  # noqa: S105 - of people who are made up
_SIGN_IN = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


@dataclass(frozen=True)
class Pool:
    """A user pool, and the client that its app signs people in with."""

    id: str
    arn: str
    client_id: str


def ensure(endpoint_url: str) -> Pool:
    """Return the pool of the emulator at `endpoint_url`; made, with its client, if it is not there yet."""
    cognito = client("cognito-idp", endpoint_url)
    there = [
        each["Id"] for each in cognito.list_user_pools(MaxResults=60)["UserPools"] if each["Name"] == NAME
    ]
    if there:
        pool = cognito.describe_user_pool(UserPoolId=there[0])["UserPool"]
        [app] = cognito.list_user_pool_clients(UserPoolId=pool["Id"])["UserPoolClients"]
    else:
        pool = cognito.create_user_pool(PoolName=NAME, UsernameAttributes=["email"])["UserPool"]
        app = cognito.create_user_pool_client(
            UserPoolId=pool["Id"], ClientName="app", ExplicitAuthFlows=_SIGN_IN
        )["UserPoolClient"]
    return Pool(pool["Id"], pool["Arn"], app["ClientId"])


class People:
    """The people of the stack's user pool, by their e-mail addresses."""

    def __init__(self, stack: LocalStack) -> None:
        """Look at the pool that the stack was started with."""
        self._cognito = stack.client("cognito-idp")
        self._pool = Pool(**stack.facts["user_pool"])

    def add(self, emails: Iterable[str]) -> None:
        """Make a user for each, who may sign in at once."""
        for email in emails:
            self._cognito.admin_create_user(
                UserPoolId=self._pool.id,
                Username=email,
                UserAttributes=[
                    {"Name": "email", "Value": email},
                    {"Name": "email_verified", "Value": "true"},
                ],
                MessageAction="SUPPRESS",
            )
            self._cognito.admin_set_user_password(
                UserPoolId=self._pool.id, Username=email, Password=PASSWORD, Permanent=True
            )

    def is_enabled(self, email: str) -> bool:
        """Tell whether somebody may sign in."""
        return bool(self._cognito.admin_get_user(UserPoolId=self._pool.id, Username=email)["Enabled"])

    def sign_in(self, email: str) -> "Session":
        """Sign somebody in, with the password that everybody has.

        Raises botocore's ClientError (NotAuthorizedException) for who may not.
        """
        answer = self._cognito.initiate_auth(
            ClientId=self._pool.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
        )
        return Session(self._cognito, self._pool.client_id, answer["AuthenticationResult"])


class Session:
    """Somebody's session in the app, which lasts as long as its tokens are renewed."""

    def __init__(self, cognito: Any, client_id: str, tokens: dict[str, Any]) -> None:
        """Hold the tokens that a sign-in was answered with."""
        self._cognito, self._client_id = cognito, client_id
        self._access, self._refresh = tokens["AccessToken"], tokens["RefreshToken"]

    def is_renewed(self) -> bool:
        """Renew the access token, as the app does before it ends; tell whether Cognito does so."""
        try:
            answer = self._cognito.initiate_auth(
                ClientId=self._client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": self._refresh},
            )
        except ClientError as error:
            return _unless_refused(error)
        self._access = answer["AuthenticationResult"]["AccessToken"]
        return True

    def is_known(self) -> bool:
        """Ask Cognito itself who this is, by the access token; tell whether it answers."""
        try:
            self._cognito.get_user(AccessToken=self._access)
        except ClientError as error:
            return _unless_refused(error)
        return True


def _unless_refused(error: ClientError) -> bool:
    if error.response["Error"]["Code"] != "NotAuthorizedException":
        raise error
    return False
