"""Where Muster is deployed: the stack, its functions by their names in the template, and who asks.

On AWS, credentials and region are found as AWS's own tools find them, and the functions' names in the
stack's outputs. The local stack of `make up` says all of it in `.local/stack.json`.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from muster_cli.failures import Failure, in_words

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

STACK = "muster"
# A function lives for a quarter of an hour at most; its answer is waited for that long. What was sent is not
# sent again by itself: nobody knows whether it had arrived.
_ASKING = Config(connect_timeout=10, read_timeout=930, tcp_keepalive=True, retries={"total_max_attempts": 1})
# The emulator takes any; boto3 insists on some.
_ANYBODY = "test"


@dataclass(frozen=True)
class Deployment:
    """A stack. `session` leads to its account and region.

    `endpoint_url` and `known`, its functions' names, are the local stack's.
    """

    stack: str
    session: boto3.Session
    endpoint_url: str | None = None
    known: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def functions(self) -> Mapping[str, str]:
        """The physical names by the logical ones; raises `Failure` where there is no such stack."""
        if self.known:
            return self.known
        try:
            with in_words():
                client = self.session.client("cloudformation", endpoint_url=self.endpoint_url)
                stacks = client.describe_stacks(StackName=self.stack)["Stacks"]
        except Failure as failure:
            raise self._no_stack(failure) from failure
        outputs = {
            output.get("OutputKey", ""): output.get("OutputValue", "")
            for stack in stacks
            for output in stack.get("Outputs", ())
        }
        return {name: value for name, value in outputs.items() if name.endswith("Function")}

    def function(self, name: str) -> str:
        """Return the physical name of a function; raises `Failure` where the stack has none."""
        if name not in self.functions:
            raise Failure(
                f"The stack {self.stack} has no output {name}.",
                "Name Muster's stack with --stack; deploy it again if it is older than this command line.",
            )
        return self.functions[name]

    @cached_property
    def invoking(self) -> "LambdaClient":
        """The client that functions are asked with; raises `Failure`."""
        with in_words():
            return self.session.client("lambda", endpoint_url=self.endpoint_url, config=_ASKING)

    @cached_property
    def caller(self) -> str:
        """Who asks, by the AWS identity in use; raises `Failure`."""
        with in_words():
            client = self.session.client("sts", endpoint_url=self.endpoint_url)
            return name_of(client.get_caller_identity()["Arn"])

    def _no_stack(self, failure: Failure) -> Failure:
        cause = failure.__cause__
        if isinstance(cause, ClientError) and "does not exist" in str(cause):
            return Failure(
                f"There is no stack {self.stack} in {self.session.region_name}.",
                "Say which it is with --stack, and where with --region or --profile; or --local.",
            )
        return failure


def name_of(arn: str) -> str:
    """Return who an AWS identity is: the session's name for a role, the user's name, or root."""
    return arn.rpartition(":")[2].rpartition("/")[2]


def on_aws(stack: str | None, profile: str | None, region: str | None, folder: Path) -> Deployment:
    """Return a stack on AWS; what is not given comes from the folder's samconfig.toml, or AWS's own settings.

    Raises `Failure`.
    """
    configured = sam_parameters(folder / "samconfig.toml")
    with in_words():
        session = boto3.Session(
            profile_name=profile or configured.get("profile"), region_name=region or configured.get("region")
        )
    return Deployment(stack or configured.get("stack_name") or STACK, session)


def sam_parameters(path: Path) -> dict[str, str]:
    """Return stack_name, profile and region as `sam deploy` takes them from its configuration, if there."""
    try:
        text = path.read_text()
    except OSError:
        return {}
    try:
        environment = tomllib.loads(text).get("default", {})
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"{path.name} is not TOML: {error}", "Correct it, or say --stack elsewhere.") from error
    parameters: dict[str, Any] = {}
    for command in ("global", "deploy"):
        parameters |= environment.get(command, {}).get("parameters", {})
    return {name: str(parameters[name]) for name in ("stack_name", "profile", "region") if name in parameters}


def on_this_machine(stack: str | None, folder: Path) -> Deployment:
    """Return the local stack of `make up`, with a name that of `make up STACK=…`; raises `Failure`."""
    path = folder / ".local" / (stack or "") / "stack.json"
    try:
        facts = json.loads(path.read_text())
    except OSError as error:
        up = f"make up STACK={stack}" if stack else "make up"
        raise Failure(
            f"There is no local stack: {path} is not there.", f"Run {up}, in this folder, first."
        ) from error
    session = boto3.Session(
        region_name=facts["region"], aws_access_key_id=_ANYBODY, aws_secret_access_key=_ANYBODY
    )
    return Deployment(stack or STACK, session, facts["endpoint_url"], facts["functions"])
