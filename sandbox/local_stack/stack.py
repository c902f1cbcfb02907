"""A running local stack: what its stack.json says, and the ways in."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from botocore.config import Config

from sandbox.local_stack.building import ROOT
from sandbox.local_stack.deploying import STACK_NAME, client
from sandbox.local_stack.waiting import wait_until

ORGANIZATION = "acme"
# What the settings call the app that is provisioned by SCIM, and the user pool.
APP, POOL = "app", "portal"
# The longest that a function may run is 900 seconds.
ANSWER_S = 930
STATE_MACHINE_S = 1800


@dataclass(frozen=True)
class Mail:
    """A mail that was handed to SES: to whom, about what, and what it says as text and as HTML."""

    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str | None


@dataclass(frozen=True)
class LocalStack:
    """A running stack. `facts` is stack.json; the rest are its entries that are asked for most."""

    folder: Path
    facts: dict[str, Any]
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def read(cls, folder: Path) -> "LocalStack":
        """Return the stack of `folder`; raises FileNotFoundError if none is up there."""
        return cls(folder, json.loads((folder / "stack.json").read_text()))

    def write(self) -> None:
        """Write stack.json, which others take as the sign that the stack is up."""
        (self.folder / "stack.json").write_text(json.dumps(self.facts, indent=2) + "\n")

    @property
    def salesforce(self) -> str:
        """The address of the sandbox Salesforce."""
        return str(self.facts["sandbox"]["salesforce"])

    @property
    def vault_crm(self) -> str:
        """The address of the sandbox Vault CRM."""
        return str(self.facts["sandbox"]["vault_crm"])

    @property
    def app(self) -> str:
        """The address of the sandbox app with SCIM, and of the page that shows who is in it."""
        return str(self.facts["sandbox"]["scim"])

    @property
    def webhook_url(self) -> str:
        """The address that Salesforce posts to, with its token."""
        return str(self.facts["organizations"][ORGANIZATION]["webhook_url"])

    def client(self, service: str) -> Any:
        """Return a boto3 client of the stack's AWS, always the same one for a service."""
        if service not in self._clients:
            config = Config(read_timeout=ANSWER_S, retries={"total_max_attempts": 1})
            self._clients[service] = client(service, self.facts["endpoint_url"], config)
        return self._clients[service]

    def invoke(self, function: str, **event: Any) -> dict[str, Any]:
        """Invoke the function of that logical id for the organization, as an admin does; return its answer.

        It is the whole answer unless the event says otherwise: programs read it.
        Raises RuntimeError with the function's own words if it failed.
        """
        answer = self.client("lambda").invoke(
            FunctionName=self.facts["functions"][function],
            Payload=json.dumps({"organization": ORGANIZATION, "detail": True, **event}),
        )
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(f"{function} failed: {payload.get('errorMessage')}")
        return payload

    def run_state_machine(self, name: str, /, **event: Any) -> dict[str, Any]:
        """Start the state machine of that logical id, wait for its end, return its output.

        Raises RuntimeError with its own words if it did not succeed, TimeoutError if it goes on for long.
        """
        states = self.client("stepfunctions")
        started = states.start_execution(
            stateMachineArn=self.facts["state_machines"][name], input=json.dumps(event)
        )

        def ended() -> dict[str, Any] | None:
            execution: dict[str, Any] = states.describe_execution(executionArn=started["executionArn"])
            return None if execution["status"] == "RUNNING" else execution

        execution = wait_until(ended, f"the end of {name}", seconds=STATE_MACHINE_S)
        if execution["status"] != "SUCCEEDED":
            raise RuntimeError(
                f"{name} {execution['status']}: {execution.get('error')}: {execution.get('cause')}"
            )
        output: dict[str, Any] = json.loads(execution["output"])
        return output

    def mails(self) -> list[Mail]:
        """Return the mails that SES has taken, oldest first."""
        answer = requests.get(f"{self.facts['endpoint_url']}/_ministack/ses/messages", timeout=30)
        accounts: dict[str, list[dict[str, Any]]] = answer.json()["messages"]
        return [
            Mail(
                (*sent["To"], *sent["CC"], *sent["BCC"]), sent["Subject"], sent["BodyText"], sent["BodyHtml"]
            )
            for messages in accounts.values()
            for sent in messages
        ]

    def resource(self, logical_id: str) -> str:
        """Return the physical id of a resource of the template, such as a queue's URL."""
        detail = self.client("cloudformation").describe_stack_resource(
            StackName=STACK_NAME, LogicalResourceId=logical_id
        )
        return str(detail["StackResourceDetail"]["PhysicalResourceId"])

    def is_settled(self) -> bool:
        """Tell whether Salesforce has delivered all it had, and Muster has applied all of that."""
        report = requests.get(f"{self.salesforce}/sandbox/outbound-message/deliveries", timeout=30).json()
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = self.client("sqs").get_queue_attributes(
            QueueUrl=self.resource("ChangeQueue"), AttributeNames=counts
        )
        return not report["pending"] and not any(int(queue["Attributes"][count]) for count in counts)


def folder_of(name: str) -> Path:
    """Return the folder of the stack of that name: `.local`, or `.local/<name>` for one beside the first.

    Raises ValueError for a name that is no plain word.
    """
    if not name:
        return ROOT / ".local"
    if not (name.isascii() and name.replace("-", "").isalnum()):
        raise ValueError(f"STACK={name}: use letters, digits and dashes")
    return ROOT / ".local" / name
