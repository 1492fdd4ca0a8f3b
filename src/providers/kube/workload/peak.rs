//! How many pods of a workload ran at most lately, as a Prometheus tells it.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries>

use super::chosen::Found;
use crate::base::problem::Problem;
use crate::plan::kinds::{BuildError, keys};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::http::source::Request;
use crate::providers::kube::client::STATEFUL_SETS;
use crate::secrets::Redactor;
use serde_json::Value;
use std::time::Duration;

/// How long one answer may take: a day of many series is read for it.
const WITHIN: Duration = Duration::from_secs(8);
const SAID_CHARS: usize = 200;
/// The names that kube-state-metrics gives them.
/// <https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/deployment-metrics.md>
const DEPLOYMENTS: &str = r#"max(max_over_time(kube_deployment_status_replicas_ready{namespace="$namespace",deployment="$name"}[24h]))"#;
const SETS: &str = r#"max(max_over_time(kube_statefulset_status_replicas_ready{namespace="$namespace",statefulset="$name"}[24h]))"#;
/// As many as a plan may ask for by number.
const MOST: f64 = 10_000.0;

/// Where to ask, and what.
pub struct Peak {
    request: Request,
    base: reqwest::Url,
    /// The plan's own query.
    query: Option<String>,
    clients: Clients,
}

impl Peak {
    /// As the keys `peak`, `peak_query` and `headers` say it; none without `peak`.
    ///
    /// # Errors
    /// When they cannot be so.
    pub fn of(params: &Params, clients: &Clients) -> Result<Option<Self>, BuildError> {
        let Some(base) = params.text("peak") else {
            let stray =
                ["peak_query", "headers", "tls_roots"].into_iter().find(|key| params.get(key).is_some());
            return match stray {
                Some(key) => Err(BuildError::value(key, "", "it is for `peak`, which is not there")),
                None => Ok(None),
            };
        };
        if let Some(fault) = keys::headers(params).next() {
            return Err(fault);
        }
        let wrong = |why: String| BuildError::value("peak", base, why);
        let mut url =
            reqwest::Url::parse(base).map_err(|error| wrong(format!("it is no address: {error}")))?;
        if url.path().contains("/api/v") {
            return Err(wrong(
                "the path of the API is added to it: write the address of the server's own pages".into(),
            ));
        }
        let path = format!("{}/api/v1/query", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let query = params.text("peak_query").map(str::to_owned);
        if query.as_ref().is_some_and(|query| !query.contains("$name") || query.trim().is_empty()) {
            let why = "it says nothing of the workload: `$name` and `$namespace` stand for its own";
            return Err(BuildError::value("peak_query", query.as_deref().unwrap_or_default(), why));
        }
        let request = Request::of(params, "peak", "GET")?;
        Ok(Some(Self { request, base: url, query, clients: clients.clone() }))
    }

    /// Where it is asked, for people.
    pub fn words(&self) -> String {
        let port = self.base.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", self.base.host_str().unwrap_or_default())
    }

    /// How many ran at most.
    ///
    /// # Errors
    /// When nobody can say.
    pub async fn number(&self, namespace: &str, found: &Found) -> Result<u32, Problem> {
        let usual = if found.named.resource == STATEFUL_SETS { SETS } else { DEPLOYMENTS };
        let query = self.query.as_deref().unwrap_or(usual);
        let query = query.replace("$namespace", namespace).replace("$name", &found.named.name);
        let mut url = self.base.clone();
        url.query_pairs_mut().append_pair("query", &query);
        let request = self.request.to(url.into());
        let what = format!("how many {} ran at most", found.named.words());
        let unknown = |why: String, next: String| {
            Problem::new(
                format!("{what} is not known: {why}"),
                format!("{next} Or say `replicas` in the plan."),
            )
        };
        let answer = request.send(&self.clients, WITHIN).await;
        let answer = answer.map_err(|error| unknown(error.to_string(), error.next_step()))?;
        read(&answer, &self.clients.redactor).map_err(|why| {
            let next = format!("Look at the query on {}: `{query}`.", self.words());
            unknown(why, next)
        })
    }
}

/// The number of an answer.
fn read(answer: &HttpResponse, redactor: &Redactor) -> Result<u32, String> {
    let said = |text: &str| redactor.excerpt(text.trim(), SAID_CHARS);
    if let Some(why) = &answer.unreadable {
        return Err(why.clone());
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return Err(format!("what answered with status {} is no Prometheus", answer.status));
    };
    if answer.status != 200 || body["status"] != "success" {
        let why = body["error"].as_str().unwrap_or("it does not say why");
        return Err(format!("Prometheus refuses it with status {}: {}", answer.status, said(why)));
    }
    let result = &body["data"]["result"];
    let value = match body["data"]["resultType"].as_str() {
        Some("scalar") => &result[1],
        Some("vector") => match result.as_array().map(Vec::as_slice) {
            Some([one]) => &one["value"][1],
            Some([]) => return Err("no series fits the query".to_owned()),
            Some(many) => {
                return Err(format!("{} series fit the query: make one of them (`max(…)`)", many.len()));
            }
            None => return Err("its answer has no result".to_owned()),
        },
        _ => return Err("the query does not give one number of now".to_owned()),
    };
    let number = value.as_str().and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
    match number.map(f64::ceil) {
        Some(0.0) => Err("it says that none ran".to_owned()),
        Some(number) if (1.0..=MOST).contains(&number) => Ok(number as u32),
        Some(number) => Err(format!("it says {number}, which is no number of pods from 1 to {MOST}")),
        None => Err(format!("it says {}, which is no number", said(&value.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::params::Param;
    use serde_json::json;

    fn of(status: u16, body: &str) -> Result<u32, String> {
        let answer = HttpResponse {
            status,
            latency: Duration::ZERO,
            headers: reqwest::header::HeaderMap::new(),
            body: body.as_bytes().to_vec(),
            body_cut: false,
            unreadable: None,
            target: "http://prometheus".into(),
            certificate: None,
            connected_to: None,
            passed_over: Vec::new(),
        };
        read(&answer, &Redactor::new())
    }

    fn vector(values: &[&str]) -> String {
        let series: Vec<Value> =
            values.iter().map(|value| json!({"metric": {}, "value": [1.5, value]})).collect();
        json!({"status": "success", "data": {"resultType": "vector", "result": series}}).to_string()
    }

    #[test]
    fn one_series_says_how_many_and_all_else_says_nothing() {
        assert_eq!(of(200, &vector(&["6"])), Ok(6));
        assert_eq!(of(200, &vector(&["2.2"])), Ok(3), "an average of pods is rounded up");
        let scalar = json!({"status": "success", "data": {"resultType": "scalar", "result": [1.5, "4"]}});
        assert_eq!(of(200, &scalar.to_string()), Ok(4));
        for (status, body, why) in [
            (200, vector(&[]), "no series fits"),
            (200, vector(&["1", "2"]), "2 series fit"),
            (200, vector(&["0"]), "none ran"),
            (200, vector(&["NaN"]), "no number"),
            (200, vector(&["1e9"]), "no number of pods"),
            (200, vector(&["-1"]), "no number of pods"),
            (400, r#"{"status":"error","error":"parse error at char 3"}"#.into(), "status 400: parse error"),
            (200, "<html>".into(), "is no Prometheus"),
            (503, "{}".into(), "status 503"),
            (
                200,
                json!({"status": "success", "data": {"resultType": "matrix", "result": []}}).to_string(),
                "of now",
            ),
        ] {
            let said = of(status, &body).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn the_address_is_that_of_the_server_and_a_query_is_about_the_workload() {
        let clients = crate::testing::clients(&[]);
        let of = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(key, text)| ((*key).to_owned(), Param::Text((*text).into())));
            Peak::of(&Params(pairs.collect()), &clients)
        };
        let peak = of(&[("peak", "http://prom.example.com:9090/shop/")]).unwrap().unwrap();
        assert_eq!(peak.base.path(), "/shop/api/v1/query");
        assert_eq!(peak.words(), "prom.example.com:9090");
        assert!(of(&[]).unwrap().is_none());
        for bad in [
            &[("peak", "no address")][..],
            &[("peak", "http://p/api/v1/query")],
            &[("peak", "http://p"), ("peak_query", "max(up)")],
            &[("peak_query", "max(up{a=\"$name\"})")],
        ] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
    }
}
