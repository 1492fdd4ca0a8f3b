"""Which operation a request is, from botocore's own description of each service, and how AWS refuses one."""

import functools
import json
import re
from collections import namedtuple
from urllib.parse import parse_qs

import botocore.exceptions
import botocore.loaders

import cbor

LOADER = botocore.loaders.Loader()
ACCOUNT = "123456789012"


class Call(namedtuple("Call", "service operation region protocol key_id")):
    """One request as it is counted."""

    def __str__(self):
        return f"{self.service}:{self.operation}@{self.region}"


def identify(environ, body):
    """The call that a signed request makes; None for one that is not signed with version 4."""
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]*)/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
    if not scope:
        return None
    key_id, region, service = scope.groups()
    path = environ.get("PATH_INFO", "")
    content = environ.get("CONTENT_TYPE", "")
    if rpc := re.fullmatch(r"/service/[^/]+/operation/(\w+)", path):
        # https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
        return Call(service, rpc[1], region, "cbor", key_id)
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return Call(service, target.rsplit(".", 1)[-1], region, "json", key_id)
    if "x-www-form-urlencoded" in content and (action := parse_qs(body.decode()).get("Action")):
        return Call(service, action[0], region, "query", key_id)
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    # As it was sent: a slash in a name (an ARN) is no part of the path.
    sent = environ.get("RAW_URI", path).partition("?")[0]
    operation = rest_operation(service, environ["REQUEST_METHOD"], sent, query, environ)
    return Call(service, operation or "Unknown", region, protocol(service), key_id)


def rest_operation(service, method, path, query, environ):
    fitting = [
        (len(needed) + len(headers), -len(pattern.pattern), name)
        for name, verb, pattern, needed, headers in rest_routes(service)
        if verb == method and needed <= set(query) and headers <= set(environ) and pattern.fullmatch(path)
    ]
    # The one that needs most of what is there; of equals the one with the shortest template.
    return max(fitting)[2] if fitting else None


@functools.cache
def model(service):
    names = {"monitoring": "cloudwatch", "email": "ses"}
    try:
        return LOADER.load_service_model(names.get(service, service), "service-2")
    except botocore.exceptions.UnknownServiceError:
        return {"metadata": {"protocol": "query"}, "operations": {}}


def protocol(service):
    return model(service)["metadata"]["protocol"]


@functools.cache
def rest_routes(service):
    """Of each operation: name, method, path, and the query's keys and the headers that it cannot be without."""
    shapes = model(service).get("shapes", {})
    routes = []
    for name, operation in model(service)["operations"].items():
        template, _, literal = operation["http"]["requestUri"].partition("?")
        pattern = re.sub(r"\\\{\w+\\\+\\\}", ".+", re.escape(template))
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern).rstrip("/") + "/?"
        query = {part.split("=")[0] for part in literal.split("&") if part} - {"x-id"}
        headers = set()
        shape = shapes.get(operation.get("input", {}).get("shape"), {})
        for member in (shape["members"][required] for required in shape.get("required", [])):
            if member.get("location") == "querystring":
                query.add(member["locationName"])
            if member.get("location") == "header":
                headers.add("HTTP_" + member["locationName"].upper().replace("-", "_"))
        routes.append((name, operation["http"]["method"], re.compile(pattern), query, headers))
    return routes


def denied(call):
    """The answer to a call that no policy allows: status line, headers, body.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    service = "cloudwatch" if call.service == "monitoring" else call.service
    action = f"{service}:{call.operation}"
    message = (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/operator/session is not authorized to perform: {action} "
        f"on resource: arn:aws:{service}:{call.region}:{ACCOUNT}:* "
        f"because no identity-based policy allows the {action} action"
    )
    if call.protocol == "cbor":
        body = cbor.text_map({"__type": "com.amazonaws.cloudwatch#AccessDeniedException", "message": message})
        return "403 Forbidden", [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")], body
    if "json" in call.protocol:
        body = json.dumps({"__type": "AccessDeniedException", "message": message}).encode()
        status = "403 Forbidden" if call.protocol == "rest-json" else "400 Bad Request"
        return status, [("Content-Type", "application/json"), ("x-amzn-ErrorType", "AccessDeniedException")], body
    error = f"<Code>AccessDenied</Code><Message>{message}</Message>"
    if service == "s3":
        text = f"<Error>{error}<RequestId>denied</RequestId></Error>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>denied</RequestId></ErrorResponse>"
    return "403 Forbidden", [("Content-Type", "text/xml")], text.encode()
