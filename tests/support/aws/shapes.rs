//! Errors in the shape in which AWS sends them, for each of its protocols.

use super::http::{Request, answer};

/// How a service speaks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Protocol {
    /// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>: RDS, SNS, STS, IAM
    Query,
    /// <https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html>: Route 53, CloudFront
    RestXml,
    /// As `RestXml`, without the wrapper: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
    S3,
    /// <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>: Service Quotas, ARC's cluster
    Json,
    /// <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>: EKS, MSK, AWS Backup
    RestJson,
    /// <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>: CloudWatch
    Cbor,
}

/// What the request's sender understands.
pub fn protocol(request: &Request) -> Protocol {
    let content = request.header("content-type").unwrap_or_default();
    let (_, service) = scope(request);
    if request.header("smithy-protocol").is_some() {
        Protocol::Cbor
    } else if request.header("x-amz-target").is_some() {
        Protocol::Json
    } else if content.contains("x-www-form-urlencoded") {
        Protocol::Query
    } else {
        match service.as_str() {
            "s3" => Protocol::S3,
            "route53" | "cloudfront" => Protocol::RestXml,
            _ => Protocol::RestJson,
        }
    }
}

/// Region and service that the request is signed for; empty when it is not signed.
pub fn scope(request: &Request) -> (String, String) {
    let credential =
        request.header("authorization").and_then(|text| text.split_once("Credential=")).map(|it| it.1);
    let mut parts = credential.unwrap_or_default().split('/').skip(2);
    let mut next = || parts.next().unwrap_or_default().to_owned();
    (next(), next())
}

/// 5xx and other statuses without a story of their own.
pub fn status(request: &Request, status: u16) -> Vec<u8> {
    match status {
        503 => error(request, status, "ServiceUnavailable", "The service is unavailable."),
        _ => error(request, status, "InternalFailure", "An internal error has occurred."),
    }
}

/// The service's own throttling error: <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html>, S3's SlowDown, MSK's and EKS's 429.
pub fn throttled(request: &Request) -> Vec<u8> {
    match protocol(request) {
        Protocol::S3 => error(request, 503, "SlowDown", "Please reduce your request rate."),
        Protocol::RestJson => error(request, 429, "TooManyRequestsException", "Too Many Requests"),
        Protocol::Json => error(request, 400, "ThrottlingException", "Rate exceeded"),
        Protocol::Query | Protocol::RestXml | Protocol::Cbor => {
            error(request, 400, "Throttling", "Rate exceeded")
        }
    }
}

/// No policy allows it: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
pub fn denied(request: &Request, message: &str) -> Vec<u8> {
    match protocol(request) {
        Protocol::Json => error(request, 400, "AccessDeniedException", message),
        Protocol::RestJson | Protocol::Cbor => error(request, 403, "AccessDeniedException", message),
        Protocol::Query | Protocol::RestXml | Protocol::S3 => error(request, 403, "AccessDenied", message),
    }
}

/// The session's credentials are too old.
pub fn expired(request: &Request) -> Vec<u8> {
    let message = "The security token included in the request is expired";
    match protocol(request) {
        Protocol::S3 => error(request, 400, "ExpiredToken", "The provided token has expired."),
        Protocol::Json => error(request, 400, "ExpiredTokenException", message),
        Protocol::RestJson | Protocol::Cbor => error(request, 403, "ExpiredTokenException", message),
        Protocol::Query | Protocol::RestXml => error(request, 403, "ExpiredToken", message),
    }
}

fn error(request: &Request, status: u16, code: &str, message: &str) -> Vec<u8> {
    let kind = if status < 500 { "Sender" } else { "Receiver" };
    let inner = format!("<Code>{code}</Code><Message>{message}</Message>");
    let id = "<RequestId>00000000-0000-0000-0000-00000000fa17</RequestId>";
    match protocol(request) {
        Protocol::Query | Protocol::RestXml => {
            let body =
                format!("<ErrorResponse><Error><Type>{kind}</Type>{inner}</Error>{id}</ErrorResponse>");
            answer(status, &[("Content-Type", "text/xml")], body.as_bytes())
        }
        Protocol::S3 => {
            let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error>{inner}{id}</Error>");
            answer(status, &[("Content-Type", "application/xml")], body.as_bytes())
        }
        Protocol::Json | Protocol::RestJson => {
            let body = serde_json::json!({"__type": code, "message": message}).to_string();
            let headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)];
            answer(status, &headers, body.as_bytes())
        }
        Protocol::Cbor => {
            let body = cbor(&[("__type", &format!("com.amazonaws.cloudwatch#{code}")), ("message", message)]);
            // awsQueryCompatible: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
            let query = format!("{code};{kind}");
            let headers = [
                ("Content-Type", "application/cbor"),
                ("smithy-protocol", "rpc-v2-cbor"),
                ("x-amzn-query-error", query.as_str()),
            ];
            answer(status, &headers, &body)
        }
    }
}

/// RFC 8949: a map of text to text.
fn cbor(pairs: &[(&str, &str)]) -> Vec<u8> {
    fn head(bytes: &mut Vec<u8>, major: u8, length: usize) {
        match u8::try_from(length) {
            Ok(length @ 0..24) => bytes.push(major << 5 | length),
            Ok(length) => bytes.extend([major << 5 | 24, length]),
            Err(_) => {
                bytes.push(major << 5 | 25);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
    }
    let mut bytes = Vec::new();
    head(&mut bytes, 5, pairs.len());
    for text in pairs.iter().flat_map(|(key, value)| [key, value]) {
        head(&mut bytes, 3, text.len());
        bytes.extend(text.as_bytes());
    }
    bytes
}
