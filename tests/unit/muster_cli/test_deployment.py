"""Which stack is meant, and whose name an AWS identity stands for."""

import json
from pathlib import Path

import pytest

from muster_cli.deployment import name_of, on_aws, on_this_machine, sam_parameters
from muster_cli.failures import Failure


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0a1b/jane@acme.example",
            "jane@acme.example",
        ),
        ("arn:aws:sts::123456789012:assumed-role/Pipeline/deploy-42", "deploy-42"),
        ("arn:aws:iam::123456789012:user/jane", "jane"),
        ("arn:aws-cn:iam::123456789012:user/it/emea/jane", "jane"),
        ("arn:aws:sts::123456789012:federated-user/jane", "jane"),
        ("arn:aws:iam::123456789012:root", "root"),
    ],
)
def test_who_asks_is_the_session_or_the_user(arn: str, name: str) -> None:
    assert name_of(arn) == name


SAM = """
version = 0.1
[default.global.parameters]
stack_name = "muster-test"
region = "us-east-1"
[default.deploy.parameters]
region = "eu-west-1"
profile = "acme"
parameter_overrides = []
[local.global.parameters]
stack_name = "other"
"""


def test_the_stack_is_the_one_that_is_deployed_from_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "samconfig.toml"
    assert sam_parameters(path) == {}
    path.write_text(SAM)
    assert sam_parameters(path) == {"stack_name": "muster-test", "region": "eu-west-1", "profile": "acme"}
    path.write_text("default = [")
    with pytest.raises(Failure, match=r"samconfig\.toml is not TOML"):
        sam_parameters(path)


@pytest.mark.parametrize(
    ("given", "configured", "stack"),
    [
        ("named", 'stack_name = "configured"', "named"),
        (None, 'stack_name = "configured"', "configured"),
        (None, "", "muster"),
    ],
)
def test_what_is_named_goes_before_what_is_configured(
    tmp_path: Path, given: str | None, configured: str, stack: str
) -> None:
    (tmp_path / "samconfig.toml").write_text(f"[default.global.parameters]\n{configured}\n")

    found = on_aws(given, None, "eu-west-1", tmp_path)

    assert (found.stack, found.session.region_name) == (stack, "eu-west-1")


@pytest.mark.parametrize(("stack", "folder"), [(None, ".local"), ("second", ".local/second")])
def test_the_local_stack_says_itself_where_it_is(tmp_path: Path, stack: str | None, folder: str) -> None:
    with pytest.raises(Failure, match="There is no local stack"):
        on_this_machine(stack, tmp_path)
    (tmp_path / folder).mkdir(parents=True)
    facts = {
        "endpoint_url": "http://127.0.0.1:4566",
        "region": "us-east-1",
        "functions": {"RosterQueryFunction": "muster-RosterQuery-1"},
    }
    (tmp_path / folder / "stack.json").write_text(json.dumps(facts))

    found = on_this_machine(stack, tmp_path)

    assert (found.endpoint_url, found.session.region_name) == ("http://127.0.0.1:4566", "us-east-1")
    assert found.function("RosterQueryFunction") == "muster-RosterQuery-1"
