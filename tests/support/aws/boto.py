"""Runs a script of a test against an endpoint with AWS's own client for Python.

The script has `client(service, region)` and `result(value)`; what it gave to `result` comes back as JSON, times as
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


def make(endpoint, service, region):
    """A client of a service."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=CONFIG,
    )


def run(endpoint, script):
    """Runs a script; gives its result as JSON."""
    results = [None]

    def client(service, region="us-east-1"):
        return make(endpoint, service, region)

    def result(value):
        results[0] = value

    # What the script prints is for the reader of a failed test.
    with contextlib.redirect_stdout(sys.stderr):
        exec(compile(script, "script", "exec"), {"client": client, "result": result})
    return json.dumps(results[0], default=as_json)


def as_json(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    if hasattr(value, "read"):
        return value.read().decode()
    raise TypeError(f"{type(value).__name__} is not JSON")
