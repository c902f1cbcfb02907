"""Writes the files of a version: `.venv/bin/python -m tests.integration.stored`, once the version is ready.

They go into the folder of the version in pyproject.toml, and the tests read them from then on: what is in the
table, in the archive and on the queue, and what the settings documents mean. The folder of a version that is
out is never written again.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "functions"))
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}

import boto3
from moto import mock_aws
from samcli.yamlhelper import yaml_parse

from tests.doubles.aws import table_properties
from tests.integration.stored.values import WRITTEN_BY
from tests.integration.stored.write import HERE, ROOT, VERSION, files, write


def main() -> None:
    """Write the folder of this version."""
    template = json.loads(json.dumps(yaml_parse((ROOT / "template.yaml").read_text())))
    stored, folder = WRITTEN_BY[VERSION], HERE / VERSION
    folder.mkdir()
    with mock_aws():
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        dynamodb.create_table(TableName="roster", **table_properties(template))
        s3.create_bucket(Bucket="archive")
        write(stored, dynamodb, s3)
        for name, text in files(stored, dynamodb, s3).items():
            (folder / name).write_text(text)
    print(f"Written: {folder.relative_to(ROOT)}")


main()
