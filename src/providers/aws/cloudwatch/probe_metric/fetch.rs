//! All metrics of a region in as few calls as CloudWatch allows.

use super::query::{Query, SHORT_S};
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection, date_time, timestamp};
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use jiff::Timestamp;
use std::collections::HashMap;

/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
const QUERIES_A_CALL: usize = 500;
/// More pages than this bring only datapoints older than the newest one.
const PAGES: usize = 10;

/// A datapoint.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// When its period began.
    pub at: Timestamp,
    pub value: f64,
}

/// What CloudWatch has of a metric: its newest datapoint, or that there is none.
pub type Found = Result<Option<Point>, Box<AwsError>>;

/// Asks for all of them. A call that fails, fails only for its own metrics.
pub async fn fetch(connection: &Connection, queries: Vec<Query>, now: Timestamp) -> HashMap<Query, Found> {
    let (short, long): (Vec<_>, Vec<_>) = queries.into_iter().partition(|query| query.look_back_s <= SHORT_S);
    let chunks = short.chunks(QUERIES_A_CALL).chain(long.chunks(QUERIES_A_CALL));
    let answers = futures::future::join_all(chunks.map(|chunk| ask(connection, chunk, now))).await;
    answers.into_iter().flatten().collect()
}

async fn ask(connection: &Connection, queries: &[Query], now: Timestamp) -> Vec<(Query, Found)> {
    let call = Call::new("cloudwatch:GetMetricData", format!("{} metrics", queries.len()));
    let mut gathered = Gathered::default();
    let mut request = request(connection, queries, now);
    for _ in 0..PAGES {
        let answer = match connection.call(&call, request.clone().send()).await {
            Ok(answer) => answer,
            Err(error) => {
                // What earlier pages told stays true.
                gathered.failed = Some(error);
                break;
            }
        };
        for result in answer.metric_data_results() {
            gathered.add(result, queries, now);
        }
        let Some(token) = answer.next_token().filter(|_| !gathered.is_settled(queries)) else { break };
        request = request.next_token(token);
    }
    gathered.into_answers(queries, &connection.region)
}

fn request(
    connection: &Connection,
    queries: &[Query],
    now: Timestamp,
) -> aws_sdk_cloudwatch::operation::get_metric_data::builders::GetMetricDataFluentBuilder {
    let longest_s = queries.iter().map(|query| query.look_back_s).max().unwrap_or_default();
    // From a full minute on: CloudWatch answers faster, and no period is cut.
    let start_s = (now.as_second() - longest_s).div_euclid(60) * 60;
    let start = Timestamp::from_second(start_s).unwrap_or(now);
    connection
        .cloudwatch()
        .get_metric_data()
        .set_metric_data_queries(Some(queries.iter().enumerate().map(one).collect()))
        .start_time(date_time(start))
        .end_time(date_time(now))
        .scan_by(ScanBy::TimestampDescending)
}

fn one((place, query): (usize, &Query)) -> MetricDataQuery {
    let dimensions =
        query.dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric = Metric::builder()
        .namespace(&query.namespace)
        .metric_name(&query.metric)
        .set_dimensions(Some(dimensions.collect()))
        .build();
    let stat = MetricStat::builder().metric(metric).period(query.period_s).stat(&query.statistic).build();
    MetricDataQuery::builder().id(id(place)).metric_stat(stat).build()
}

/// An id begins with a small letter.
fn id(place: usize) -> String {
    format!("m{place}")
}

fn place(id: &str) -> Option<usize> {
    id.strip_prefix('m')?.parse().ok()
}

/// What the pages of an answer told, by the place of the query.
#[derive(Default)]
pub(super) struct Gathered {
    newest: HashMap<usize, Point>,
    status: HashMap<usize, StatusCode>,
    said: HashMap<usize, String>,
    pub(super) failed: Option<AwsError>,
}

impl Gathered {
    pub(super) fn add(&mut self, result: &MetricDataResult, queries: &[Query], now: Timestamp) {
        let Some(place) = result.id().and_then(place) else { return };
        let Some(query) = queries.get(place) else { return };
        for (at, value) in result.timestamps().iter().zip(result.values()) {
            let Some(at) = timestamp(at).filter(|at| is_whole(query, *at, now)) else { continue };
            let newest = self.newest.entry(place).or_insert(Point { at, value: *value });
            if at > newest.at {
                *newest = Point { at, value: *value };
            }
        }
        if let Some(status) = result.status_code() {
            self.status.insert(place, status.clone());
        }
        if let Some(message) = result.messages().iter().find_map(|message| message.value()) {
            self.said.insert(place, message.to_owned());
        }
    }

    /// Whether more pages can tell nothing new: what comes first is the newest.
    fn is_settled(&self, queries: &[Query]) -> bool {
        (0..queries.len()).all(|place| {
            self.newest.contains_key(&place) || self.status.get(&place) == Some(&StatusCode::Complete)
        })
    }

    pub(super) fn into_answers(mut self, queries: &[Query], region: &str) -> Vec<(Query, Found)> {
        let of = |(place, query): (usize, &Query)| (query.clone(), self.answer(place, query, region));
        queries.iter().enumerate().map(of).collect()
    }

    fn answer(&mut self, place: usize, query: &Query, region: &str) -> Found {
        let status = self.status.remove(&place);
        if let (Some(point), true) = (self.newest.remove(&place), status != Some(StatusCode::Forbidden)) {
            return Ok(Some(point));
        }
        let said = self.said.remove(&place).map(|said| format!(": {said}")).unwrap_or_default();
        let call = Call::new("cloudwatch:GetMetricData", query.title());
        let failed = |kind, why: &str| {
            let mut error = AwsError::new(&call, kind, format!("{why}{said}"));
            region.clone_into(&mut error.region);
            Err(Box::new(error))
        };
        match status {
            Some(StatusCode::Complete) => Ok(None),
            Some(StatusCode::Forbidden) => failed(AwsErrorKind::Denied, "CloudWatch forbids this metric"),
            Some(StatusCode::InternalError) => {
                failed(AwsErrorKind::Internal, "CloudWatch failed to read this metric")
            }
            Some(StatusCode::PartialData) => match self.failed.clone() {
                Some(error) => Err(Box::new(error)),
                None => failed(AwsErrorKind::Internal, "CloudWatch gave no datapoint, and not all there are"),
            },
            _ => match self.failed.clone() {
                Some(error) => Err(Box::new(error)),
                None => failed(AwsErrorKind::Internal, "CloudWatch's answer leaves this metric out"),
            },
        }
    }
}

/// A period that is not over has only a part of its sum.
fn is_whole(query: &Query, at: Timestamp, now: Timestamp) -> bool {
    let counts = matches!(&*query.statistic, "Sum" | "SampleCount");
    !counts || now.as_second() - at.as_second() >= i64::from(query.period_s)
}
