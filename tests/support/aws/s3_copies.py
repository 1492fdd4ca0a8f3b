"""S3: conditions of CopyObject, which moto does not look at. Each correction names the page that it follows."""

from urllib.parse import unquote

from moto.s3.exceptions import PreconditionFailed
from moto.s3.responses import S3Response


def install():
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html: If-None-Match and If-Match look at what is
    at the target, x-amz-copy-source-if-match at the source.
    """
    copy = S3Response.copy_object

    def copy_object(self):
        bucket, key = unquote(self.headers["x-amz-copy-source"]).lstrip("/").split("/", 1)
        source = self.backend.get_object(bucket, key)
        there = self.backend.get_object(self.bucket_name, self.parse_key_name())
        wished = self.headers.get("x-amz-copy-source-if-match")
        if wished and source and bare(wished) != bare(source.etag):
            raise PreconditionFailed("x-amz-copy-source-If-Match")
        if self.headers.get("If-None-Match") == "*" and there is not None:
            raise PreconditionFailed("If-None-Match")
        wished = self.headers.get("If-Match")
        if wished and (there is None or bare(wished) != bare(there.etag)):
            raise PreconditionFailed("If-Match")
        return copy(self)

    S3Response.copy_object = copy_object


def bare(etag):
    return etag.replace('"', "")
