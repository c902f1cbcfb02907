"""The only reader of `os.environ`: one function per variable, named as in `template.yaml`.

Variables are read when first needed, not at import: so handlers can be imported anywhere, and a missing
variable is a `Misconfigured` that names it. (The stack's name, which is never missing, is read at import.)
"""

import os

from muster.errors import Misconfigured


def roster_table_name() -> str:
    """Name of the DynamoDB table that holds settings, roster and history."""
    return _required("ROSTER_TABLE_NAME")


def change_queue_url() -> str:
    """URL of the SQS queue between the webhook and the worker."""
    return _required("CHANGE_QUEUE_URL")


def dead_letter_queue_urls() -> tuple[str, str]:
    """URLs of the SQS queues of changes that could not be applied, and of scheduled starts that failed."""
    return _required("CHANGE_DEAD_LETTER_QUEUE_URL"), _required("SCHEDULE_DEAD_LETTER_QUEUE_URL")


def webhook_base_url() -> str:
    """URL of the API: scheme, host and stage, without a trailing slash."""
    return _required("WEBHOOK_BASE_URL").rstrip("/")


def member_events_bus() -> str | None:
    """Name of the EventBridge bus that member events go on; `None` where the stack publishes none."""
    return _optional("MEMBER_EVENTS_BUS")


def member_events_failure_queue_url() -> str:
    """URL of the SQS queue of what could not be told on that bus."""
    return _required("MEMBER_EVENTS_FAILURE_QUEUE_URL")


def run_archive_bucket_name() -> str:
    """Name of the S3 bucket that keeps what runs read and planned."""
    return _required("RUN_ARCHIVE_BUCKET_NAME")


def mail_from() -> str | None:
    """Address that mails are sent from; `None` (no mails) if the template's MailFrom is empty."""
    return _optional("MAIL_FROM")


def inform_topic_arn() -> str:
    """ARN of the SNS topic for what can wait until the next morning."""
    return _required("INFORM_TOPIC_ARN")


def dashboard_url() -> str:
    """Address of the dashboard in the AWS console."""
    return _required("DASHBOARD_URL")


def stack_name() -> str:
    """Name of the CloudFormation stack; outside of one, the name that it has by default."""
    return _optional("STACK_NAME") or "muster"


def workflow_arn() -> str:
    """ARN of the state machine that goes on with this function's runs."""
    return _required("WORKFLOW_ARN")


def on_local_stack() -> bool:
    """Whether this is the local stack, whose Salesforce and vaults are on this very machine."""
    return _optional("ON_LOCAL_STACK") == "true"


def in_lambda() -> bool:
    """Whether this process is a Lambda execution environment (Lambda itself sets the variable)."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def _optional(name: str) -> str | None:
    return os.environ.get(name) or None


def _required(name: str) -> str:
    value = _optional(name)
    if value is None:
        raise Misconfigured(f"The environment variable {name} is not set; deploy template.yaml again.")
    return value
