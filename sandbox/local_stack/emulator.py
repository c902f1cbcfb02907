"""MiniStack as a program of its own, put right where it differs from AWS in a way that matters here.

Run with the environment that `launching` gives it; it serves until it is told to end.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from email.utils import parseaddr
from typing import Any

from ministack import app  # type: ignore[import-untyped]  # ministack ships no types
from ministack.core import iam_actions, iam_evaluator, responses  # type: ignore[import-untyped]  # likewise
from ministack.services import apigateway_v1, lambda_svc, stepfunctions  # type: ignore[import-untyped]  # likewise


def main() -> None:
    """Serve."""
    _find_packages_only_in_the_layer()
    _enforce_roles_for_functions_only()
    _enforce_roles_for_state_machines()
    _tell_policies_the_leading_keys()
    _tell_policies_who_sends()
    _name_errors_by_their_class()
    _unescape_media_types()
    app.main()


def _find_packages_only_in_the_layer() -> None:
    # Functions run on this interpreter. Outside the virtual environment it has the standard library only, so
    # a package that the layer lacks is missed here as it would be on AWS.
    sys.executable = os.path.realpath(sys.executable)


def _enforce_roles_for_functions_only() -> None:
    # With AUTH=true each function may do what its role in the template allows and nothing else. Everybody
    # else is the account's owner, whatever made-up key they sign with: no credentials are handed round.
    iam_evaluator.is_root_access_key = lambda key: not key.startswith("ASIA")


def _enforce_roles_for_state_machines() -> None:
    # The emulator calls on a state machine's behalf without asking anybody; on AWS its role decides.
    execute, invoke = stepfunctions._execute_task, stepfunctions._invoke_resource
    run_map = stepfunctions._run_distributed_map
    role: ContextVar[str] = ContextVar("role")

    def role_of(execution: Any) -> str:
        # Each item of a distributed map is an execution of a machine that is named after the map.
        machine, _, _ = execution["stateMachineArn"].partition("/")
        return str(stepfunctions._state_machines[machine]["roleArn"])

    def require(role: str, service: str, action: str, target: str, keys: Mapping[str, Any]) -> None:
        if not _allows(role, action, target, keys):
            raise stepfunctions._ExecutionError(service, f"{role} is not authorized to perform: {action}")

    def execute_in_role(state: Any, given: Any, execution: Any, context: Any) -> Any:
        role.set(role_of(execution))
        return execute(state, given, execution, context)

    def invoke_if_allowed(resource: str, arguments: dict[str, Any]) -> Any:
        require(role.get(), *_call_of(resource, arguments))
        return invoke(resource, arguments)

    def run_map_if_allowed(*arguments: Any) -> Any:
        execution = arguments[4]
        machine = execution["stateMachineArn"]
        require(role_of(execution), "States.Runtime", "states:StartExecution", machine, {})
        return run_map(*arguments)

    stepfunctions._execute_task = execute_in_role
    stepfunctions._invoke_resource = invoke_if_allowed
    stepfunctions._run_distributed_map = run_map_if_allowed


def _call_of(resource: str, arguments: dict[str, Any]) -> tuple[str, str, str, dict[str, Any]]:
    """Return what a task amounts to: the error it fails with, IAM's action, the resource, condition keys."""
    body = json.dumps(arguments).encode()
    match resource.rpartition(":::")[2]:
        case "lambda:invoke":
            return "Lambda.AWSLambdaException", "lambda:InvokeFunction", arguments["FunctionName"], {}
        case "aws-sdk:dynamodb:query":
            account, region = responses.get_account_id(), responses.get_region()
            [table] = iam_actions.dynamodb_resource_arns(body, region, account)
            keys = iam_actions.dynamodb_service_context(body)
            return "DynamoDb.DynamoDbException", "dynamodb:Query", table, keys
        case "states:startExecution":
            machine = arguments["StateMachineArn"]
            return "StepFunctions.AWSStepFunctionsException", "states:StartExecution", machine, {}
    raise stepfunctions._ExecutionError(
        "States.Runtime", f"Say in emulator.py what permission {resource} needs"
    )


def _allows(role: str, action: str, target: str, keys: Mapping[str, Any]) -> bool:
    account, region = responses.get_account_id(), responses.get_region()
    request = iam_evaluator.EvalContext(
        principal_arn=role,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=target,
        region=region,
        service_context={key.lower(): value for key, value in keys.items()},
    )
    policies = iam_evaluator._gather_role_policies(role.rpartition("/")[2], account)
    return bool(iam_evaluator.evaluate(request, policies).decision == "Allow")


def _tell_policies_the_leading_keys() -> None:
    # A condition on keys that the emulator does not know would hold for every request.
    context_of = iam_actions.dynamodb_service_context

    def with_leading_keys(body: bytes) -> dict[str, Any]:
        return {**context_of(body), "dynamodb:LeadingKeys": [*_partitions(json.loads(body or b"{}"))]}

    iam_actions.dynamodb_service_context = with_leading_keys


def _partitions(request: Any) -> Iterator[str]:
    """Yield the partition keys (`pk`) that a DynamoDB request names: in keys, items, a query's condition."""
    match request:
        case list():
            for each in request:
                yield from _partitions(each)
        case {"KeyConditionExpression": str(condition), "ExpressionAttributeValues": dict(values)}:
            names = request.get("ExpressionAttributeNames", {})
            for name, placeholder in re.findall(r"([#\w]+)\s*=\s*(:\w+)", condition):
                if names.get(name, name) == "pk":
                    yield values[placeholder]["S"]
        case {"pk": {"S": str(partition)}}:
            yield partition
        case dict():
            yield from _partitions([*request.values()])


def _tell_policies_who_sends() -> None:
    # For AWS, sending is an action on the sender's identity, and the address a condition key; the emulator
    # asks for a permission on everything, and knows no address.
    enforce = app._enforce_ses_v2

    def enforce_sender(
        method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str
    ) -> tuple[Any, ...] | None:
        if (method, path.rstrip("/")) != ("POST", "/v2/email/outbound-emails"):
            return enforce(method, path, headers, body, query, request_id)  # type: ignore[no-any-return]  # no types
        sender = parseaddr(json.loads(body).get("FromEmailAddress", ""))[1]
        account, region = responses.get_account_id(), responses.get_region()
        return app._enforce_data_plane(  # type: ignore[no-any-return]  # likewise
            "sesv2",
            "ses:SendEmail",
            headers,
            query,
            request_id,
            resource_arn=f"arn:aws:ses:{region}:{account}:identity/{sender}",
            service_context={"ses:FromAddress": sender},
        )

    app._enforce_ses_v2 = enforce_sender


def _name_errors_by_their_class() -> None:
    # What a function raises is, on AWS, an error of its class's name, which state machines and admins go by.
    # The emulator calls all of them Runtime.HandlerError; the class is in the log, before the message.
    execute = lambda_svc._execute_function_warm

    def execute_and_name(*arguments: Any, **named: Any) -> Any:
        answer = execute(*arguments, **named)
        match answer:
            case {"error": True, "log": str(log), "body": {"errorType": "Runtime.HandlerError"} as body}:
                raised = log.rstrip().removesuffix(body["errorMessage"].rstrip()).rstrip(": \n")
                if name := re.search(r"\n(?:\w+\.)*(\w+)$", raised):
                    body["errorType"] = name[1]
        return answer

    lambda_svc._execute_function_warm = execute_and_name


def _unescape_media_types() -> None:
    # CloudFormation has the slash of BinaryMediaTypes written as ~1; MiniStack compares it unread, and so
    # would hand bodies to the webhook as repaired text where AWS hands over the bytes.
    matches = apigateway_v1._media_type_matches

    def matches_unescaped(media_type: str, binary_media_types: list[str] | None) -> bool:
        return bool(matches(media_type, [kind.replace("~1", "/") for kind in binary_media_types or ()]))

    apigateway_v1._media_type_matches = matches_unescaped


if __name__ == "__main__":
    main()
