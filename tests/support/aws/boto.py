"""Runs a script of a test against an endpoint with AWS's own client for Python.

    boto.py ENDPOINT < SCRIPT

The script has `client(service, region)` and `result(value)`; what it gave to `result` is printed as JSON, times as
ISO 8601 text.
"""

import contextlib
import datetime
import json
import sys

import boto3
from botocore.config import Config

CONFIG = Config(
    user_agent_extra="lifeboat-tests", s3={"addressing_style": "path"}, retries={"max_attempts": 1}, read_timeout=20
)


def main():
    endpoint = sys.argv[1]
    results = [None]

    def client(service, region="us-east-1"):
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=CONFIG,
        )

    def result(value):
        results[0] = value

    # What the script prints is for the reader of a failed test.
    with contextlib.redirect_stdout(sys.stderr):
        exec(compile(sys.stdin.read(), "script", "exec"), {"client": client, "result": result})
    json.dump(results[0], sys.stdout, default=as_json)


def as_json(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    if hasattr(value, "read"):
        return value.read().decode()
    raise TypeError(f"{type(value).__name__} is not JSON")


if __name__ == "__main__":
    main()
