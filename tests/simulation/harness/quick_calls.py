"""What botocore and moto do at each call to AWS, done once or not at all: it is most of what a call takes.

Nothing that is looked at comes out differently: endpoints are found, expressions read and values compared
as ever. But nobody reads a user agent, or checks a signature, here.
"""

import copy
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest
from botocore.endpoint import Endpoint
from botocore.hooks import EventAliaser
from botocore.parsers import BaseJSONParser
from botocore.regions import EndpointRulesetResolver
from botocore.serialize import JSONSerializer
from botocore.signers import RequestSigner
from botocore.useragent import UserAgentString
from botocore.validate import ParamValidator
from moto.dynamodb.comparisons import AttributeValue, ConditionExpressionParser
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing import ast_nodes, expressions

# moto has no types for these.
Node: Any = vars(ast_nodes)["Node"]
DepthFirstTraverser: Any = vars(ast_nodes)["DepthFirstTraverser"]
UpdateExpressionParser: Any = vars(expressions)["UpdateExpressionParser"]
# What they do themselves.
_SIGN = RequestSigner.sign
_ALIAS = vars(EventAliaser)["_alias_event_name"]
_ENDPOINT = EndpointRulesetResolver.construct_endpoint
_CREATE: Any = Endpoint.create_request
_NEEDS_RETRY: Any = vars(Endpoint)["_needs_retry"]
_VALIDATE: Any = vars(ParamValidator)["_validate"]
_SERIALIZE: Any = vars(JSONSerializer)["_serialize"]
_READ: Any = vars(BaseJSONParser)["_handle_structure"]
_LEX = ConditionExpressionParser._lex_one_node
_PARSE_CONDITION: Any = ConditionExpressionParser.parse
_PARSE = UpdateExpressionParser.make
_EQUAL = DynamoType.__eq__
_ALIASES: dict[str, str] = {}
# A thread, a condition and its names → what it was parsed to, its operands by the values' names, and what it
# names. Of a thread, for each use puts other values there.
_CONDITIONS: dict[tuple[object, ...], tuple[Any, list[tuple[str, Any]], list[str], list[str]]] = {}
# What walks a tree, and a kind of node → the kind that it is to it; `None`: it passes it by.
_KINDS: dict[tuple[type, type], type | None] = {}
_ARE_NODES: dict[type, bool] = {}


@contextmanager
def quick_calls() -> Iterator[None]:
    """Have both hurry."""
    with ExitStack() as stack:
        for place, name, quick in (
            (UserAgentString, "to_string", lambda _: "test"),
            (RequestSigner, "sign", _sign),
            (EventAliaser, "_alias_event_name", _alias),
            (EndpointRulesetResolver, "construct_endpoint", _endpoint),
            (Endpoint, "create_request", _created),
            (Endpoint, "_needs_retry", _needs_retry),
            (ParamValidator, "_validate", _validate),
            (JSONSerializer, "_serialize", _serialize),
            (BaseJSONParser, "_handle_structure", _read),
            (ConditionExpressionParser, "_lex_one_node", staticmethod(_lexed)),
            (ConditionExpressionParser, "parse", _condition),
            (UpdateExpressionParser, "make", staticmethod(_parsed)),
            (Node, "__deepcopy__", _copied),
            (DepthFirstTraverser, "traverse_node_recursively", _walked),
            (DynamoType, "__hash__", _hash),
            (DynamoType, "__eq__", _is_equal),
        ):
            stack.enter_context(patch.object(place, name, quick, create=True))
        yield


# ── botocore ─────────────────────────────────────────────────────────────────────────────────────


def _sign(signer: Any, *given: Any, **options: Any) -> None:
    # Of all services, moto's S3 alone looks whether a request is signed.
    if signer._service_id == "S3":
        _SIGN(signer, *given, **options)


def _alias(aliaser: Any, event: str) -> str:
    # Each client finds out anew.
    if event not in _ALIASES:
        _ALIASES[event] = _ALIAS(aliaser, event)
    return _ALIASES[event]


def _endpoint(resolver: Any, operation_model: Any, call_args: Mapping[str, Any], request_context: Any) -> Any:
    known = vars(resolver).setdefault("_known", {})
    key = (operation_model.name, call_args.get("Bucket"))
    if key not in known:
        known[key] = _ENDPOINT(resolver, operation_model, call_args, request_context)
    return known[key]


def _is_json(operation: Any) -> bool:
    # Only then neither signature nor headers matter to moto, nor is there an error with status 200.
    return bool(operation.service_model.metadata.get("protocol") == "json")


def _created(endpoint: Any, params: Any, operation_model: Any = None) -> Any:
    if operation_model is None or not _is_json(operation_model):
        return _CREATE(endpoint, params, operation_model)
    return AWSPreparedRequest(params["method"], params["url"], params["headers"], params["body"], False)


def _needs_retry(
    endpoint: Any, attempts: int, operation: Any, request: Any, response: Any = None, error: Any = None
) -> bool:
    if response is not None and response[0].status_code == 200 and _is_json(operation):
        return False
    return bool(_NEEDS_RETRY(endpoint, attempts, operation, request, response, error))


# Most of what is sent and read are texts of items, `{"S": "…"}`: to look through the kinds of values is
# not needed for these.


def _validate(validator: Any, value: Any, shape: Any, errors: Any, name: str) -> None:
    if type(value) is str:
        if shape.type_name == "string" and not shape.metadata and not shape.serialization:
            return
    elif _is_text(value, shape):
        return
    _VALIDATE(validator, value, shape, errors, name)


def _serialize(serializer: Any, serialized: Any, value: Any, shape: Any, key: Any = None) -> None:
    if _is_text(value, shape):
        serialized[key] = value
    else:
        _SERIALIZE(serializer, serialized, value, shape, key)


def _read(parser: Any, shape: Any, value: Any) -> Any:
    return value if _is_text(value, shape) else _READ(parser, shape, value)


def _is_text(value: Any, shape: Any) -> bool:
    if shape.name != "AttributeValue" or type(value) is not dict or len(value) != 1:
        return False
    return type(value.get("S")) is str


# ── moto ─────────────────────────────────────────────────────────────────────────────────────────


@cache
def _lexed(expression: str) -> Any:
    return _LEX(ConditionExpressionParser(None, None, None), expression)


def _condition(parser: Any) -> Any:
    """Parse a condition once, not for each of the values that it is asked with."""
    values = parser.expression_attribute_values or {}
    names = parser.expression_attribute_names or {}
    key = threading.get_ident(), parser.condition_expression, *names.items()
    if key not in _CONDITIONS:
        parsed = _PARSE_CONDITION(parser)
        # Whether BETWEEN is allowed depends on the kind of its values.
        if not parser.condition_expression or "BETWEEN" in parser.condition_expression:
            return parsed
        stand_ins = {name: {"S": name} for name in values}
        twin = ConditionExpressionParser(parser.condition_expression, names, stand_ins)
        condition = _PARSE_CONDITION(twin)
        operands = [(operand.value, operand) for operand in _values_in(condition)]
        _CONDITIONS[key] = condition, operands, twin.expr_attr_names_found, twin.expr_attr_values_found
        return parsed
    condition, operands, names_found, values_found = _CONDITIONS[key]
    if not all(name in values for name, _ in operands):
        return _PARSE_CONDITION(parser)
    for name, operand in operands:
        [(operand.type, operand.value)] = values[name].items()
    parser.expr_attr_names_found.extend(names_found)
    parser.expr_attr_values_found.extend(values_found)
    return condition


def _values_in(part: Any) -> Iterator[Any]:
    """Yield where in a condition its values are."""
    if isinstance(part, AttributeValue):
        yield part
    for child in (*getattr(part, "arguments", ()), getattr(part, "lhs", None), getattr(part, "rhs", None)):
        if child is not None:
            yield from _values_in(child)


@cache
def _parsed(expression: str) -> Any:
    # Who is to change the tree takes a copy.
    return _PARSE(expression)


def _copied(node: Any, memo: dict[int, Any]) -> Any:
    twin = object.__new__(type(node))
    vars(twin).update(vars(node))
    if node.children is not None:
        twin.children = [copy.deepcopy(child, memo) for child in node.children]
        for child in twin.children:
            if _is_node(child):
                child.parent = twin
    return twin


def _walked(walker: Any, node: Any, child_id: int = -1) -> Any:
    if not _is_node(node):
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        walker.pre_processing_of_child(node, number)
        _walked(walker, child, number)
    pair = type(walker), type(node)
    if pair not in _KINDS:
        _KINDS[pair] = next((kind for kind in walker._processing_map() if isinstance(node, kind)), None)
    kind = _KINDS[pair]
    if kind:
        node = walker._processing_map()[kind](node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def _is_node(part: Any) -> bool:
    # To ask of an instance of an abstract class is slow.
    kind = type(part)
    if kind not in _ARE_NODES:
        _ARE_NODES[kind] = isinstance(part, Node)
    return _ARE_NODES[kind]


def _hash(value: Any) -> int:
    # Most values that moto compares are texts.
    return hash(value.value if value.type == "S" else value.type)


def _is_equal(one: Any, other: Any) -> Any:
    if one.type == other.type == "S":
        return one.value == other.value
    return _EQUAL(one, other)
