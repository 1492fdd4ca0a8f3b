"""Route 53 and CloudFront: what moto answers differently from AWS. Each correction names the page that it follows."""

import uuid

from moto.cloudfront.exceptions import CloudFrontException
from moto.cloudfront.models import CloudFrontBackend, Distribution, random_id
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.route53.exceptions import Route53ClientError
from moto.route53.responses import Route53

from world import WORLD


def install():
    for correction in (
        changes_of_records_spread_slowly,
        health_checks_can_fail,
        a_distribution_is_changed_only_by_its_etag,
    ):
        correction()


def changes_of_records_spread_slowly():
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html and
    https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html

    The state is PENDING until all DNS servers have it; the batch's comment is kept; a record set without records,
    alias or policy is refused.
    """
    change = Route53.change_resource_record_sets
    submitted = {}

    def change_resource_record_sets(self):
        batch = self._get_param("ChangeBatch") or {}
        if not batch.get("Changes"):
            raise Route53ClientError("InvalidInput", "Invalid request: Missing field 'Changes' in ChangeBatch")
        for one in batch["Changes"]:
            refuse_empty_set(one)
            refuse_what_exists(self.backend.get_hosted_zone(self._get_param("HostedZoneId")), one)
        change(self)
        name = f"/change/C{uuid.uuid4().hex[:20].upper()}"
        info = {"Id": name, "Status": "PENDING", "SubmittedAt": utcnow(), "Comment": batch.get("Comment")}
        submitted[name.rsplit("/", 1)[1]] = info
        answer = ActionResult({"ChangeInfo": dict(info)})
        WORLD.later(1, lambda: info.update(Status="INSYNC"))
        return answer

    def get_change(self):
        name = self._get_param("Id").rsplit("/", 1)[-1]
        if name not in submitted:
            raise Route53ClientError("NoSuchChange", f"Could not find resource with ID: {name}")
        return ActionResult({"ChangeInfo": dict(submitted[name])})

    Route53.change_resource_record_sets = change_resource_record_sets
    Route53.get_change = get_change


def refuse_empty_set(change):
    records = change["ResourceRecordSet"]
    if not any(records.get(kind) for kind in ("ResourceRecords", "AliasTarget", "TrafficPolicyInstanceId")):
        raise Route53ClientError(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], but found none in Change with [Action={change['Action']}, "
            f"Name={records['Name']}, Type={records['Type']}, SetIdentifier={records.get('SetIdentifier', 'null')}]",
        )


def refuse_what_exists(zone, change):
    """moto only compares with changes that are the same to the last value."""
    wished = change["ResourceRecordSet"]
    if change["Action"] != "CREATE":
        return
    for record in zone.rrsets:
        same_id = (record.set_identifier or None) == wished.get("SetIdentifier")
        if record.name.rstrip(".") == wished["Name"].rstrip(".") and record.type == wished["Type"] and same_id:
            raise Route53ClientError(
                "InvalidChangeBatch",
                f"[Tried to create resource record set [name='{record.name}', type='{record.type}'] "
                "but it already exists]",
            )


def health_checks_can_fail():
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHealthCheckStatus.html: one observation for each
    of the checkers' regions. moto always reports one success.
    """
    regions = ("us-east-1", "us-west-2", "eu-west-1")

    def get_health_check_status(self):
        name = self._get_param("HealthCheckId")
        self.backend.get_health_check(name)
        status = WORLD.health_checks.get(name, "Success: HTTP Status Code 200, OK")
        report = {"Status": status, "CheckedTime": utcnow()}
        return ActionResult(
            {
                "HealthCheckObservations": [
                    {"Region": region, "IPAddress": "192.0.2.7", "StatusReport": report} for region in regions
                ]
            }
        )

    Route53.get_health_check_status = get_health_check_status


def a_distribution_is_changed_only_by_its_etag():
    """https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html: If-Match must be the
    newest ETag (412 PreconditionFailed), and a change gives a new one. moto takes any and keeps it.
    """
    create = CloudFrontBackend.create_distribution
    update = CloudFrontBackend.update_distribution

    def deploy(distribution):
        distribution._status = "InProgress"
        WORLD.later(1, lambda: setattr(distribution, "_status", "Deployed"))

    def create_distribution(self, *positional, **named):
        distribution, location, etag = create(self, *positional, **named)
        deploy(distribution)
        return distribution, location, etag

    def update_distribution(self, dist_config, _id, if_match):
        distribution = self.distributions.get(_id)
        if distribution and if_match and if_match != distribution.etag:
            raise CloudFrontException(
                "PreconditionFailed",
                "The request failed because it didn't meet the preconditions in one or more request-header fields.",
            )
        update(self, dist_config, _id, if_match)
        distribution.etag = random_id()
        distribution.last_modified_time = utcnow()
        deploy(distribution)
        return distribution, distribution.location, distribution.etag

    Distribution.status = property(lambda self: self._status)
    CloudFrontBackend.create_distribution = create_distribution
    CloudFrontBackend.update_distribution = update_distribution
