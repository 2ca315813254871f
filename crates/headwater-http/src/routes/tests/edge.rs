//! Limits, CORS by configuration, and what is told about the server.

use std::collections::BTreeMap;

use super::*;
use crate::RateLimitBy;

async fn with(change: impl FnOnce(&mut Settings)) -> Server {
    let mut settings = Settings::default();
    change(&mut settings);
    Server::start_with(settings).await
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_answered_431() {
    let server = with(|settings| settings.header_bytes_max = 1_000).await;
    let fits = "x".repeat(500);
    assert_eq!(server.get(&format!("/ping?x={fits}")).await.status, 204);
    let long = "x".repeat(1_000);
    let by_url = server.get(&format!("/ping?x={long}")).await;
    let by_header = server.send("GET", "/ping", &[("x", &long)], "").await;
    for (answer, bytes) in [(by_url, 1045), (by_header, 1010)] {
        let text = format!("request line and headers have {bytes} bytes, of which 1000 are taken");
        answer.refused(431, "request too large", &text);
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_answered_413() {
    let server = with(|settings| settings.write_bytes_max = 10).await;
    let answer = server.post("/write?db=db", "m v=1 1\nm v=2 2").await;
    let text = "unable to read data: points batch is too large";
    answer.refused(413, "request too large", text);
}

#[tokio::test]
async fn a_caller_that_asks_too_often_is_answered_429_until_time_has_passed() {
    let server = with(|settings| {
        settings.rate_limit_per_second = 1;
        settings.rate_limit_burst = 5;
    });
    let server = server.await;
    // Setting up took two of the operator's.
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let answer = server.get("/query?q=SHOW+DATABASES").await;
        if answer.status == 429 {
            let text = "too many requests: slow down";
            answer.refused(429, "too many requests", text);
            assert_eq!(answer.headers["retry-after"], "1");
        }
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    let other = [("authorization", "Token another")];
    assert_eq!(server.send("GET", "/query", &other, "").await.status, 401);
    assert_eq!(server.get("/health").await.status, 200, "always answered");
    server.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(server.get("/query?q=SHOW+DATABASES").await.status, 200);
    assert_eq!(server.get("/query?q=SHOW+DATABASES").await.status, 429);
}

#[tokio::test]
async fn addresses_may_be_limited_instead_of_credentials() {
    let server = with(|settings| {
        settings.rate_limit_per_second = 4;
        settings.rate_limit_by = RateLimitBy::Address;
    });
    let server = server.await;
    let other = [("authorization", "Token another")];
    // Setting up took two.
    for expected in [401, 401, 429] {
        let answer = server.send("GET", "/query", &other, "").await;
        assert_eq!(answer.status, expected);
    }
    assert_eq!(server.get("/query?q=SHOW+DATABASES").await.status, 429);
}

#[tokio::test]
async fn requests_beyond_those_that_may_run_are_answered_503() {
    let server = with(|settings| settings.requests_max = 1).await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<&str, std::io::Error>>(1);
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    let slow = async {
        let answer = server.post("/write?db=db", body).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    };
    let others = async {
        tokio::task::yield_now().await;
        let answer = server.get("/query?q=SHOW+DATABASES").await;
        let text = "too many requests are running: try again later";
        answer.refused(503, "unavailable", text);
        assert_eq!(answer.headers["retry-after"], "1");
        assert_eq!(server.get("/health").await.status, 200);
        let metrics = server.get("/metrics").await;
        let refused = "headwater_http_requests_refused_total{limit=\"requests_max\"} 1";
        assert!(metrics.text().contains(refused), "{}", metrics.text());
        sender.send(Ok("m v=1 1")).await.unwrap();
        drop(sender);
    };
    tokio::join!(slow, others);
    let answer = server.get("/query?q=SHOW+DATABASES").await;
    assert_eq!(answer.status, 200, "room again: {}", answer.text());
}

#[tokio::test]
async fn only_configured_origins_are_told_that_they_may_call() {
    let allowed = "https://grafana.example.com";
    let server = with(|settings| settings.cors_origins = vec![allowed.to_owned()]).await;
    for (origin, is_allowed) in [(allowed, true), ("https://evil.example.com", false)] {
        let origin = ("origin", origin);
        let preflight = server.send("OPTIONS", "/write", &[origin], "").await;
        assert_eq!(preflight.status, 204);
        let answer = server.send("GET", "/ping", &[origin], "").await;
        for answer in [&preflight, &answer] {
            let header = answer.headers.get("access-control-allow-origin");
            assert_eq!(header.is_some_and(|it| it == allowed), is_allowed);
            assert!(
                answer
                    .headers
                    .get_all("vary")
                    .iter()
                    .any(|it| it == "Origin")
            );
        }
        let methods = preflight.headers.get("access-control-allow-methods");
        assert_eq!(methods.is_some(), is_allowed);
    }
}

#[tokio::test]
async fn variables_have_the_names_that_telegraf_reads() {
    let server = Server::start().await;
    server.write("m v=1 1\nm v=2 2").await;
    server.query("SHOW DATABASES", "", &[]).await;
    assert_eq!(server.send("GET", "/query", &[], "").await.status, 401);
    let answer = server.send("GET", "/debug/vars", &[], "").await.json();
    let httpd = &answer["httpd"];
    assert_eq!(
        (&httpd["name"], &httpd["tags"]),
        (&json!("httpd"), &json!({}))
    );
    for (name, value) in [
        ("authFail", 1),
        ("clientError", 1),
        ("pointsWrittenOK", 2),
        ("queryReq", 2),
        ("req", 5),
        ("serverError", 0),
        ("writeReq", 1),
        ("writeReqBytes", 15),
    ] {
        assert_eq!(httpd["values"][name], json!(value), "{name}");
    }
    assert_eq!(answer["write"]["values"]["pointReq"], json!(2));
    assert_eq!(answer["system"]["started"], json!("2020-01-01T00:00:00Z"));
}

/// What promtool's linter asks of a metric's text.
#[tokio::test]
async fn metrics_keep_the_conventions_of_prometheus() {
    let server = Server::start().await;
    server.write("m v=1 1").await;
    server.query("SHOW DATABASES", "", &[]).await;
    let answer = server.get("/metrics").await;
    assert_eq!(
        answer.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let mut kinds = BTreeMap::new();
    let mut helped = Vec::new();
    let mut samples: BTreeMap<&str, Vec<(&str, f64)>> = BTreeMap::new();
    for line in answer.text().lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a text");
            assert!(help.len() > 5, "{line}");
            helped.push(name);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a kind");
            assert_eq!(helped.last(), Some(&name), "HELP comes first");
            assert_eq!(kinds.insert(name, kind), None, "{name} once");
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().expect("a name");
            let of_histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))
                .filter(|name| kinds.get(name) == Some(&"histogram"));
            let family = of_histogram.unwrap_or(name);
            assert_eq!(helped.last(), Some(&family), "{line} is in its family");
            let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
            samples.entry(family).or_default().push((series, value));
        }
    }
    for (name, kind) in &kinds {
        assert!(samples.contains_key(name), "{name} has a sample");
        assert_eq!(name.ends_with("_total"), *kind == "counter", "{name}");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name}"
        );
        for unit in [
            "millis",
            "micro",
            "nanos",
            "_ms",
            "kilobytes",
            "_mb",
            "minutes",
        ] {
            assert!(!name.contains(unit), "{name} is not in a base unit");
        }
    }
    for idle in [
        "headwater_queries_running",
        "headwater_queries_queued",
        "headwater_queries_memory_bytes",
        "headwater_storage_compactions_waiting",
    ] {
        assert_eq!(samples[idle], [(idle, 0.0)]);
    }
    let durations = &samples["headwater_http_request_duration_seconds"];
    let of_write: Vec<f64> = durations
        .iter()
        .filter(|(series, _)| series.contains("_bucket{route=\"/write\""))
        .map(|(_, value)| *value)
        .collect();
    assert!(
        of_write.is_sorted() && of_write.last() == Some(&1.0),
        "{of_write:?}"
    );
}
