"""S3: what moto answers differently from AWS. Each correction names the page that it follows."""

from moto.core.utils import utcnow
from moto.s3.models import FakeKey, S3Backend, s3_backends

from world import WORLD


def install():
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html

    moto stores a replication configuration and does nothing with it. Here an object of a bucket with one is PENDING,
    then copied, COMPLETED, and REPLICA in the other bucket; FAILED when that does not exist. The copy takes over what
    HeadObject tells: metadata, checksum, encryption.
    """
    put = S3Backend.put_object
    head = FakeKey.response_dict.fget

    def put_object(self, bucket_name, key_name, value, *positional, **named):
        key = put(self, bucket_name, key_name, value, *positional, **named)
        for destination in destinations(self.get_bucket(bucket_name), key_name):
            key.replication_status = "PENDING"
            WORLD.later(1, lambda destination=destination: replicate(self, key, value, destination))
        return key

    def response_dict(self):
        found = head(self)
        if status := getattr(self, "replication_status", None):
            found["x-amz-replication-status"] = status
        return found

    def replicate(backend, key, value, destination):
        if destination not in backend.buckets:
            key.replication_status = "FAILED"
            return
        copied = put(backend, destination, key.name, value, encryption=key.encryption, kms_key_id=key.kms_key_id)
        copied.set_metadata(key.metadata)
        copied.checksum_algorithm, copied.checksum_value = key.checksum_algorithm, key.checksum_value
        copied.last_modified = key.last_modified
        copied.replication_status = "REPLICA"
        key.replication_status = "COMPLETED"

    S3Backend.put_object = put_object
    FakeKey.response_dict = property(response_dict)
    WORLD.agers["s3:"] = make_older


def destinations(bucket, key_name):
    """Names of the buckets to which the configuration sends an object."""
    rules = (getattr(bucket, "replication", None) or {}).get("Rule", [])
    for rule in rules:
        prefix = (rule.get("Filter") or {}).get("Prefix") or rule.get("Prefix") or ""
        if rule["Status"] == "Enabled" and key_name.startswith(prefix):
            yield rule["Destination"]["Bucket"].rsplit(":", 1)[-1]


def make_older(name, age):
    """`s3://bucket/key`: the object was written that long ago."""
    bucket, _, key = name.removeprefix("s3://").partition("/")
    s3_backends["123456789012"]["aws"].get_object(bucket, key).last_modified = utcnow() - age
