"""CloudWatch's protocol for AWS's SDK for Rust, which moto does not speak: rpc-v2-cbor is turned into the JSON protocol
that moto speaks, and its answers back. https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

import datetime
import functools
import io
import json

import botocore.session
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

HEADERS = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]


@functools.cache
def model():
    return botocore.session.get_session().get_service_model("cloudwatch")


def as_json_request(environ, operation, body):
    """Changes the request's environment so that moto takes it."""
    parser = RpcV2CBORParser()
    values = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
    text = json.dumps(values, default=datetime.datetime.timestamp).encode()
    del environ["HTTP_SMITHY_PROTOCOL"]
    environ.update(
        {
            "PATH_INFO": "/",
            "RAW_URI": "/",
            "REQUEST_URI": "/",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(text)),
            "HTTP_X_AMZ_TARGET": f"{model().metadata['targetPrefix']}.{operation}",
            "wsgi.input": io.BytesIO(text),
        }
    )


def exchange(application, environ, start_response, operation, body):
    """One request through moto and back."""
    as_json_request(environ, operation, body)
    head = []
    answered = b"".join(application(environ, lambda *parts: head.extend(parts)))
    if not head[0].startswith("200"):
        error = json.loads(answered)
        kind = error.get("__type", "InternalFailure").split("#")[-1]
        found = text_map({"__type": f"com.amazonaws.cloudwatch#{kind}", "message": error.get("message") or kind})
        query = [("x-amzn-query-error", f"{kind};Sender")]
    else:
        found, query = as_cbor(operation, answered), []
    start_response(head[0], [*HEADERS, *query, ("Content-Length", str(len(found)))])
    return [found]


def as_cbor(operation, answered):
    shape = model().operation_model(operation).output_shape
    if shape is None:
        return b""
    found = bytearray()
    RpcV2CBORSerializer()._serialize_data_item(found, json.loads(answered or b"{}"), shape)
    return bytes(found)


def text_map(pairs):
    """RFC 8949: a map of text to text."""

    def head(major, length):
        if length < 24:
            return bytes([major << 5 | length])
        if length < 256:
            return bytes([major << 5 | 24, length])
        return bytes([major << 5 | 25]) + length.to_bytes(2, "big")

    parts = [head(5, len(pairs))]
    for text in (text for pair in pairs.items() for text in pair):
        parts += [head(3, len(text.encode())), text.encode()]
    return b"".join(parts)
