"""An AWS for tests: moto, corrected where it differs from AWS in what lifeboat depends on.

Listens on a port of 127.0.0.1. Next to AWS's own operations it has:

    POST /lifeboat/control   {"transition_ms": 1500, "fail_next_promotion": "incompatible-parameters",
                              "fail_next_restore": "incompatible-network",
                              "deny": ["rds:PromoteReadReplica"], "health_checks": {"ID": "Failure: timed out"},
                              "ages": {"s3://bucket/key": 90000, "arn:aws:rds:...:snapshot:name": 90000}} (in seconds)
    GET  /lifeboat/texts     text messages that phones got, with their attributes
    GET  /lifeboat/calls     {"rds:DescribeDBInstances@eu-west-1": 3}; POST sets all to zero

Requests of the tests' own client (boto.py) are neither counted nor denied.
"""

import io
import json
import os
import threading

# Before moto is imported: without them its Route 53 answers 500.
os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_DEFAULT_REGION="us-east-1")

from werkzeug.serving import make_server

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

import cbor
import containers
import edge
import operations
import quotas
import rds
import rds_clusters
import rds_restores
import s3
import s3_copies
import topics
from world import WORLD


class QuietHandler(MotoRequestHandler):
    """HTTP/1.1 with connections kept, as AWS does; no line on stderr for each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


class Emulator:
    """The WSGI application: the endpoints of the tests, counting, denying, and else moto."""

    def __init__(self):
        self.moto = DomainDispatcherApplication(create_backend_app)
        # moto is not made for threads.
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        body = read_body(environ)
        with self.lock:
            WORLD.settle()
            path = environ.get("PATH_INFO", "")
            if path.startswith("/lifeboat/"):
                return own_endpoint(environ["REQUEST_METHOD"], path, body, start_response)
            call = operations.identify(environ, body)
            if call and "lifeboat-tests" not in environ.get("HTTP_USER_AGENT", ""):
                WORLD.count(str(call))
                if f"{call.service}:{call.operation}" in WORLD.deny:
                    return answer(start_response, *operations.denied(call))
            if call and call.protocol == "cbor":
                return cbor.exchange(self.moto, environ, start_response, call.operation, body)
            environ["wsgi.input"] = io.BytesIO(body)
            return [b"".join(self.moto(environ, start_response))]


def read_body(environ):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"].read()
    return environ["wsgi.input"].read(length) if length else b""


def own_endpoint(method, path, body, start_response):
    if path == "/lifeboat/control" and method in ("GET", "POST"):
        try:
            found = WORLD.control(json.loads(body or b"{}"))
        except ValueError as error:
            return answer(start_response, "400 Bad Request", [], str(error).encode())
    elif path == "/lifeboat/texts" and method == "GET":
        found = WORLD.texts
    elif path == "/lifeboat/calls" and method == "GET":
        found = WORLD.calls
    elif path == "/lifeboat/calls" and method == "POST":
        WORLD.calls = found = {}
    else:
        return answer(start_response, "404 Not Found", [], b"no such endpoint of the tests")
    return answer(start_response, "200 OK", [("Content-Type", "application/json")], json.dumps(found).encode())


def answer(start_response, status, headers, body):
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]


def install():
    """Corrects moto; once in a process."""
    for corrections in (rds, rds_clusters, rds_restores, edge, containers, s3, s3_copies, quotas, topics):
        corrections.install()


def serve():
    """Serves an empty world in the background; gives the port."""
    server = make_server("127.0.0.1", 0, Emulator(), threaded=True, request_handler=QuietHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
