from tests.benchmarks.packages import locked


def test_the_layer_that_is_measured_has_what_the_functions_need_and_no_more() -> None:
    found = locked()
    # Named, an extra's, and needed by these.
    assert {"boto3", "botocore", "pyjwt", "cryptography", "cffi"} <= set(found)
    # The command line's, a developer's, and another platform's.
    assert not {"typer", "rich", "pytest", "colorama"} & set(found)
    assert len(found) == len(set(found))
