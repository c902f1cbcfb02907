"""`sam deploy` of the built template to the emulator, and what came of it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from sandbox.local_stack.building import architecture, run_logged

REGION = "us-east-1"
STACK_NAME = "muster"  # as samconfig.toml has it
# Who mails to managers come from; `enrolling` has SES verify it.
MAIL_FROM = "muster@acme.example"
# The emulator takes any; boto3 insists on some.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True)
class Deployed:
    """The deployed stack's resources by the name they have in the template."""

    table: str
    archive_bucket: str
    functions: dict[str, str]
    state_machines: dict[str, str]


def environment(endpoint_url: str) -> dict[str, str]:
    """Return this program's environment with AWS replaced by the emulator at `endpoint_url`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return own | CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint_url, "AWS_DEFAULT_REGION": REGION}


def deploy(endpoint_url: str, log: Path, stack_name: str = STACK_NAME, **parameters: str) -> Deployed:
    """Deploy what was built, with other parameters of the template if given, writing to `log`.

    Raises CalledProcessError if that fails.
    """
    given = {
        "Architecture": architecture(),
        "LocalEndpoint": endpoint_url,
        "MailFrom": MAIL_FROM,
        # Imports are started by hand or by tests, which would otherwise not know what happened when.
        "ScheduleState": "DISABLED",
        "MemberEvents": "ENABLED",
    } | parameters
    overrides = [f"{name}={value}" for name, value in given.items()]
    command = ["deploy", "--config-env", "local", "--stack-name", stack_name]
    run_logged(
        ["-m", "samcli", *command, "--parameter-overrides", *overrides],
        log=log,
        environment=environment(endpoint_url) | {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.5"},
    )
    return _deployed(endpoint_url, stack_name)


def client(service: str, endpoint_url: str, config: Config | None = None) -> Any:
    """Return a boto3 client of the emulator at `endpoint_url`."""
    make: Callable[..., Any] = boto3.client  # whose own types know a service by its literal name only
    return make(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=config,
    )


def _deployed(endpoint_url: str, stack_name: str) -> Deployed:
    cloudformation = client("cloudformation", endpoint_url)
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]

    def of_type(kind: str) -> dict[str, str]:
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceType"] == kind
        }

    return Deployed(
        table=of_type("AWS::DynamoDB::Table")["RosterTable"],
        archive_bucket=of_type("AWS::S3::Bucket")["RunArchive"],
        functions=of_type("AWS::Lambda::Function"),
        state_machines=of_type("AWS::StepFunctions::StateMachine"),
    )
