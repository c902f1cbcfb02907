"""The local stack itself: what `make up` leaves behind, two side by side, and an end that leaves nothing."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from sandbox.local_stack import processes, user_pool
from sandbox.local_stack.building import ROOT
from sandbox.local_stack.deploying import MAIL_FROM
from sandbox.local_stack.launching import PROGRAMS, Behind
from sandbox.local_stack.stack import LocalStack, Mail, folder_of
from sandbox.local_stack.waiting import wait_until
from tests.local.conftest import PATIENCE_S, Roster, assert_nothing_is_left_of, run


def test_make_up_leaves_a_stack_whose_file_says_all_there_is_to_know(stack: LocalStack) -> None:
    assert set(stack.facts) == {
        "endpoint_url",
        "region",
        "table",
        "archive_bucket",
        "functions",
        "state_machines",
        "user_pool",
        "sandbox",
        "credentials",
        "organizations",
    }
    assert {system: set(names) for system, names in stack.facts["credentials"].items()} == {
        "salesforce": {"client_id", "client_secret"},
        "vault_crm": {"username", "password"},
        "scim/app": {"token"},
    }
    connected = stack.invoke("OrganizationSettingsFunction", action="get")["effective"]["connections"]
    assert set(stack.facts["sandbox"]) == {"salesforce", "vault_crm", "scim"}
    for system in ("salesforce", "vault_crm"):
        assert connected[system]["host"] == stack.facts["sandbox"][system].removeprefix("http://")
    assert connected["scim"] == {}, "make people connects the app"
    page = requests.get(stack.app, timeout=PATIENCE_S)
    assert page.ok
    assert "Groups:" in page.text
    assert connected["vault_crm"]["manage_features"] == [], "nothing is pushed unless somebody asks for it"
    assert stack.facts["archive_bucket"] == stack.resource("RunArchive")
    machines = ("ScheduledImport", "ScheduledPush")
    assert stack.facts["state_machines"] == {each: stack.resource(each) for each in machines}
    assert stack.webhook_url.startswith(f"{stack.facts['endpoint_url']}/_aws/execute-api/")
    assert "/v2/features/agent-auto-provision/organizations/acme/integrations/salesforce/webhook?token=" in (
        stack.webhook_url
    )
    chain = stack.invoke("WebhookSetupFunction", action="status")
    assert (chain["status"], chain["setup"]["outcome"]) == ("succeeded", "succeeded"), chain

    again = run("sandbox.local_stack", "up", name=stack.folder.name)
    assert (again.returncode, again.stdout[:16]) == (0, "It is up already")
    assert LocalStack.read(stack.folder).facts == stack.facts


def test_changed_sources_are_deployed_to_the_stack_that_is_up(stack: LocalStack, name: str) -> None:
    folder = folder_of(name)
    folder.mkdir(parents=True)
    (folder / "stack.json").write_text(json.dumps(stack.facts))
    behind = Behind.read(stack.folder)
    assert behind
    # The same stack under another name, built from something older.
    replace(behind, sources="older").write(folder)
    try:
        up = run("sandbox.local_stack", "up", name=name)
        brought_up_to_date = LocalStack.read(folder)
        behind_it = Behind.read(folder)
    finally:
        shutil.rmtree(folder)  # before anything takes it for a stack to end
    assert up.returncode == 0, up.stdout + up.stderr
    assert "Deploying Muster to it …" in up.stdout.splitlines()
    assert brought_up_to_date.facts == stack.facts
    assert behind_it
    assert behind_it.processes == behind.processes
    assert behind_it.sources != "older"


@pytest.fixture
def heeding_interrupts() -> Iterator[None]:
    """What is started here heeds SIGINT; a shell starts what runs in the background deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeding_interrupts")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_start_that_is_broken_off_leaves_nothing_running(name: str, ending: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.local_stack", "up"],
        cwd=ROOT,
        env=os.environ | {"STACK": name},
        stdout=subprocess.DEVNULL,
    ) as starting:
        behind = wait_until(lambda: all_started(name), "all processes", seconds=PATIENCE_S)
        starting.send_signal(ending)
        assert starting.wait(timeout=PATIENCE_S) == 128 + ending
    assert_nothing_is_left_of(behind)
    assert Behind.read(folder_of(name)) is None


def all_started(name: str) -> Behind | None:
    """Return what is behind a stack once it has its processes."""
    with contextlib.suppress(json.JSONDecodeError):  # it may be just being written
        behind = Behind.read(folder_of(name))
        return behind if behind and len(behind.processes) == len(PROGRAMS) else None
    return None


def test_a_start_that_fails_says_which_step_and_what_to_do(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        up = run("sandbox.local_stack", "up", name=name, MUSTER_PORT=str(taken.getsockname()[1]))
    assert up.returncode == 1
    assert "Starting the AWS emulator did not work: it ended at once" in up.stdout
    assert "is already in use" in up.stdout
    assert "run the same command again" in up.stdout
    assert Behind.read(folder_of(name)) is None


def test_a_session_in_the_user_pool_is_renewed_until_its_user_is_signed_out(stack: LocalStack) -> None:
    people, email = user_pool.People(stack), f"{uuid4().hex}@acme.example"
    people.add([email])
    pool, cognito = stack.facts["user_pool"]["id"], stack.client("cognito-idp")
    session = people.sign_in(email)
    assert (session.is_renewed(), session.is_known(), people.is_enabled(email)) == (True, True, True)
    cognito.admin_user_global_sign_out(UserPoolId=pool, Username=email)
    assert (session.is_renewed(), session.is_known()) == (False, False)
    assert people.sign_in(email).is_renewed(), "signed out is not shut out"

    session = people.sign_in(email)
    cognito.admin_disable_user(UserPoolId=pool, Username=email)
    assert (session.is_renewed(), people.is_enabled(email)) == (False, False)
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        people.sign_in(email)


@pytest.mark.parametrize("name_of_a_stack", ["../etc", "a/b", "a b", "ä"])
def test_a_stack_has_a_plain_name(name_of_a_stack: str) -> None:
    with pytest.raises(ValueError, match="use letters, digits and dashes"):
        folder_of(name_of_a_stack)


def test_a_process_that_got_an_old_id_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        stale = processes.Process("emulator", other.pid, "some other time")
        assert not processes.is_running(stale)
        processes.end(stale)
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize(
    ("allowed", "instead"),
    [('"dynamodb:GetItem", "dynamodb:Query"', '"dynamodb:GetItem"'), ("ORG#*", "WEBHOOK#*")],
    ids=["other actions", "other keys"],
)
def test_a_function_may_do_only_what_its_role_allows(
    stack: LocalStack, roster: Roster, allowed: str, instead: str
) -> None:
    with (
        another_policy(stack, "RosterQueryFunctionRole", allowed, instead),
        pytest.raises(RuntimeError, match="AccessDenied"),
    ):
        roster.people("nobody@acme.example")
    assert roster.people("nobody@acme.example") == []


@pytest.mark.parametrize(
    ("allowed", "instead", "error"),
    [
        ("lambda:InvokeFunction", "lambda:GetFunction", "Lambda.AWSLambdaException"),
        ("ORGANIZATIONS", "ORG#*", "DynamoDb.DynamoDbException"),
    ],
    ids=["other actions", "other keys"],
)
def test_a_state_machine_may_do_only_what_its_role_allows(
    stack: LocalStack, allowed: str, instead: str, error: str
) -> None:
    with (
        another_policy(stack, "ScheduledImportRole", allowed, instead),
        pytest.raises(RuntimeError, match=error),
    ):
        stack.run_state_machine("ScheduledImport", mode="incremental")


@contextlib.contextmanager
def another_policy(stack: LocalStack, logical_id: str, allowed: str, instead: str) -> Iterator[None]:
    """Have a role allow one thing instead of another; what it shares with other roles, those keep."""
    iam, role = stack.client("iam"), stack.resource(logical_id)
    own, shared = policies_of(iam, role)
    [(changed, document)] = [item for item in (own | shared).items() if allowed in item[1]]
    name = changed if changed in own else "instead"
    if changed in shared:
        iam.detach_role_policy(RoleName=role, PolicyArn=changed)
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document.replace(allowed, instead))
    try:
        yield
    finally:
        if changed in own:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
        else:
            iam.delete_role_policy(RoleName=role, PolicyName=name)
            iam.attach_role_policy(RoleName=role, PolicyArn=changed)


def policies_of(iam: Any, role: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return a role's own policies by name, and those of the template that it shares by ARN; not AWS's."""
    own = {
        name: json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    shared = {}
    for arn in (each["PolicyArn"] for each in attached if ":iam::aws:" not in each["PolicyArn"]):
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        shared[arn] = json.dumps(document)
    return own, shared


@pytest.fixture(scope="module")
def as_import(stack: LocalStack) -> Iterator[Callable[[str], Any]]:
    """Makes clients of AWS with what the import's own role allows, and nothing more."""
    iam, name = stack.client("iam"), f"as-import-{uuid4().hex[:12]}"
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    arn = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    own, shared = policies_of(iam, stack.resource("ScheduledImportFunctionRole"))
    for policy, document in own.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
    for policy in shared:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    session = stack.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]

    def client(service: str) -> Any:
        make: Callable[..., Any] = boto3.client
        return make(
            service,
            endpoint_url=stack.facts["endpoint_url"],
            region_name=stack.facts["region"],
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )

    yield client
    for policy in own:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for policy in shared:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy)
    iam.delete_role(RoleName=name)


def send(client: Any, sender: str, recipient: str) -> None:
    """Send a mail as the import does."""
    body = {"Text": {"Data": "as text"}, "Html": {"Data": "<p>as HTML"}}
    client.send_email(
        FromEmailAddress=sender,
        Destination={"ToAddresses": [recipient]},
        Content={"Simple": {"Subject": {"Data": "new members"}, "Body": body}},
    )


def test_mails_are_sent_in_one_name_and_can_be_read(
    stack: LocalStack, as_import: Callable[[str], Any]
) -> None:
    recipient = f"{uuid4().hex}@acme.example"
    send(as_import("sesv2"), MAIL_FROM, recipient)
    assert [mail for mail in stack.mails() if recipient in mail.recipients] == [
        Mail((recipient,), "new members", "as text", "<p>as HTML")
    ]
    stack.client("sesv2").create_email_identity(EmailIdentity="other@acme.example")
    with pytest.raises(ClientError, match=r"AccessDenied.*ses:SendEmail"):
        send(as_import("sesv2"), "other@acme.example", recipient)
    # Whom SES does not know cannot even the owner of the account send for.
    with pytest.raises(ClientError, match="MessageRejected"):
        send(stack.client("sesv2"), "nobody@acme.example", recipient)


def test_secrets_are_read_where_they_are_musters(stack: LocalStack, as_import: Callable[[str], Any]) -> None:
    secrets = as_import("secretsmanager")
    for system, credentials in stack.facts["credentials"].items():
        kept = json.loads(secrets.get_secret_value(SecretId=f"muster/acme/{system}")["SecretString"])
        assert kept == credentials
    name = f"others/{uuid4().hex}"
    stack.client("secretsmanager").create_secret(Name=name, SecretString="{}")
    with pytest.raises(ClientError, match="AccessDenied"):
        secrets.get_secret_value(SecretId=name)


def test_the_archive_is_written_and_read_and_nothing_else_is(
    stack: LocalStack, as_import: Callable[[str], Any]
) -> None:
    s3, bucket = as_import("s3"), stack.facts["archive_bucket"]
    key = f"{uuid4().hex}/plan.json"
    s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"{}"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]] == [key]
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key=f"{key}.missing")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=key)
    other = f"others-{uuid4().hex}"
    stack.client("s3").create_bucket(Bucket=other)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=other, Key=key, Body=b"{}")


@pytest.mark.parametrize(
    ("index", "partition", "allowed"),
    [
        ({}, "ORG#acme#RUNS", True),
        ({"IndexName": "by_state"}, "ORG#acme#MEMBER#0", True),
        ({}, "WEBHOOK#acme", False),
        ({}, "ORGANIZATIONS", True),
        ({}, "LOGIN#acme", False),
        ({"IndexName": "by_state"}, "ORGANIZATIONS", False),
        ({"IndexName": "by_state"}, "WEBHOOK#acme", False),
    ],
)
def test_the_index_is_guarded_as_the_table_is(
    stack: LocalStack, as_import: Callable[[str], Any], index: dict[str, str], partition: str, allowed: bool
) -> None:
    query = {
        "TableName": stack.facts["table"],
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": partition}},
    }
    refusal = contextlib.nullcontext() if allowed else pytest.raises(ClientError, match="AccessDenied")
    with refusal:
        as_import("dynamodb").query(**query, **index)
