//! The whole surface without a socket, over components in memory.

use std::{
    io::{Read, Write},
    sync::Arc,
};

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use headwater_catalog::{Catalog, Profile};
use headwater_env::{SeededRandom, SimulatedClock, SimulatedFileSystem};
use headwater_query::QueryEngine;
use headwater_storage::{Components, Engine};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::Settings;

mod edge;
mod openapi;
mod write;

const TOKEN: &str = "operator-token";
/// 2020-01-01T00:00:00Z.
const NOW: i64 = 1_577_836_800_000_000_000;

struct Server {
    routes: Router,
    clock: Arc<SimulatedClock>,
    organization: String,
    bucket: String,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    #[track_caller]
    fn refused(&self, status: u16, code: &str, message: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.headers["x-platform-error-code"], code);
        assert_eq!(
            self.headers["content-type"],
            "application/json; charset=utf-8"
        );
        let body = self.json();
        assert_eq!(
            (&body["code"], &body["message"]),
            (&json!(code), &json!(message))
        );
        assert!(body["error"].is_string());
    }
}

impl Server {
    /// A server that is set up, with database `db` mapped to a bucket.
    async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    async fn start_with(settings: Settings) -> Self {
        Self::start_as(Profile::Cloud, settings).await
    }

    async fn start_as(profile: Profile, settings: Settings) -> Self {
        let simulated = Arc::new(SimulatedClock::new(NOW));
        let clock: headwater_env::SharedClock = simulated.clone();
        let random: headwater_env::SharedRandom = Arc::new(SeededRandom::new(7));
        let catalog = Catalog::open_with(
            "sqlite::memory:",
            headwater_catalog::Settings {
                profile,
                ..Default::default()
            },
            clock.clone(),
            random.clone(),
        )
        .await
        .unwrap();
        let components = Components {
            catalog: catalog.clone(),
            clock: clock.clone(),
            file_system: Arc::new(SimulatedFileSystem::new()),
        };
        let engine = Engine::open(headwater_storage::Settings::new("/data"), components)
            .await
            .unwrap();
        let query = QueryEngine::new(
            catalog.clone(),
            engine.clone(),
            clock.clone(),
            headwater_query::Settings::default(),
        );
        let settings = Arc::new(settings);
        let routes = routes(AppState {
            catalog,
            engine,
            query,
            clock,
            random,
            settings,
        });
        let mut server = Self {
            routes,
            clock: simulated,
            organization: String::new(),
            bucket: String::new(),
        };
        server.set_up().await;
        server
    }

    async fn set_up(&mut self) {
        let body = json!({
            "username": "dev", "password": "12345678", "org": "org", "bucket": "b", "token": TOKEN,
        });
        let answer = self
            .send("POST", "/api/v2/setup", &[], body.to_string())
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let created = answer.json();
        self.organization = created["org"]["id"].as_str().unwrap().to_owned();
        self.bucket = created["bucket"]["id"].as_str().unwrap().to_owned();
        let mapping = json!({
            "orgID": self.organization, "bucketID": self.bucket, "database": "db",
            "retention_policy": "autogen",
        });
        assert_eq!(
            self.post("/api/v2/dbrps", mapping.to_string()).await.status,
            201
        );
    }

    async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 26).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.to_vec(),
        }
    }

    async fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[authorization()], Body::empty())
            .await
    }

    async fn post(&self, target: &str, body: impl Into<Body>) -> Answer {
        self.send("POST", target, &[authorization()], body).await
    }

    async fn write(&self, lines: &str) {
        let answer = self.post("/write?db=db", lines.to_owned()).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    async fn query(&self, text: &str, more: &str, headers: &[(&str, &str)]) -> Answer {
        let q: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let mut all = vec![authorization()];
        all.extend_from_slice(headers);
        self.send(
            "GET",
            &format!("/query?db=db&q={q}{more}"),
            &all,
            Body::empty(),
        )
        .await
    }
}

fn authorization() -> (&'static str, &'static str) {
    ("authorization", "Token operator-token")
}

#[tokio::test]
async fn written_points_come_back_in_every_format() {
    let server = Server::start().await;
    server
        .write("m,host=a v=1.5 1\nm,host=a v=2 2000000000")
        .await;
    let json = server.query("SELECT v FROM m", "", &[]).await;
    assert_eq!(json.headers["content-type"], "application/json");
    assert_eq!(json.headers["vary"], "Accept-Encoding");
    assert_eq!(
        json.text(),
        "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"m\",\"columns\":[\"time\",\
         \"v\"],\"values\":[[\"1970-01-01T00:00:00.000000001Z\",1.5],[\"1970-01-01T00:00:02Z\",2]]\
         }]}]}\n"
    );
    let csv = server
        .query("SELECT v FROM m", "&epoch=s", &[("accept", "text/csv")])
        .await;
    assert_eq!(csv.headers["content-type"], "text/csv");
    assert_eq!(csv.text(), "name,tags,time,v\nm,,0,1.5\nm,,2,2\n");
    let packed = server
        .query(
            "SELECT v FROM m",
            "",
            &[("accept", "application/x-msgpack")],
        )
        .await;
    assert_eq!(packed.headers["content-type"], "application/x-msgpack");
    assert!(packed.body.starts_with(b"\x81\xa7results\x91\x82"));
    let chunked = server
        .query("SELECT v FROM m", "&chunked=true&chunk_size=1", &[])
        .await;
    assert_eq!(chunked.text().lines().count(), 2);
    let gzip = server
        .query("SELECT v FROM m", "", &[("accept-encoding", "gzip")])
        .await;
    assert_eq!(gzip.headers["content-encoding"], "gzip");
    let mut text = String::new();
    GzDecoder::new(&gzip.body[..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, json.text());
}

#[tokio::test]
async fn large_answers_are_streamed_whole() {
    let server = Server::start_with(Settings {
        result_hold_bytes: 1000,
        ..Settings::default()
    });
    let server = server.await;
    let lines: String = (0..30_000).map(|at| format!("m v={at}i {at}\n")).collect();
    server.write(&lines).await;
    let answer = server
        .query("SELECT v FROM m", "&epoch=ns", &[])
        .await
        .json();
    let values = answer["results"][0]["series"][0]["values"]
        .as_array()
        .unwrap();
    assert_eq!(values.len(), 30_000);
    assert_eq!(values[29_999], json!([29_999, 29_999]));
}

#[tokio::test]
async fn the_query_text_may_be_in_url_form_file_or_body() {
    let server = Server::start().await;
    server.write("m v=1 1").await;
    let expected = server.query("SELECT v FROM m", "", &[]).await.body;
    let form = (
        "content-type",
        "application/x-www-form-urlencoded; charset=UTF-8",
    );
    let multipart = ("content-type", "multipart/form-data; boundary=B");
    let influxql = ("content-type", "application/vnd.influxql; charset=utf-8");
    let file = "--B\r\nContent-Disposition: form-data; name=\"q\"; filename=\"x\"\r\n\r\n\
                SELECT v FROM m\r\n--B--\r\n";
    for (target, kind, body) in [
        ("/query", form, "db=db&q=SELECT+v+FROM+m"),
        (
            "/query/?db=db&q=SELECT%20v%20FROM%20m",
            ("content-type", ""),
            "",
        ),
        ("/query?db=db", multipart, file),
        ("/query?db=db", influxql, "SELECT v FROM m"),
    ] {
        let answer = server
            .send("POST", target, &[authorization(), kind], body)
            .await;
        assert_eq!(answer.body, expected, "{target}: {}", answer.text());
    }
    let root = server.get("/?db=db&q=SELECT%20v%20FROM%20m").await;
    assert_eq!(root.body, expected);
    let missing = server
        .send("POST", "/query?db=db&q=x", &[authorization(), form], "q=")
        .await;
    missing.refused(400, "invalid", "missing required parameter \"q\"");
    assert_eq!(server.get("/query?q=;").await.text(), "{}\n");
    assert_eq!(server.send("GET", "/?q=x", &[], "").await.status, 401);
    assert_eq!(server.get("/").await.status, 404);
}

#[tokio::test]
async fn syntax_errors_are_told_in_both_generations_words() {
    let server = Server::start().await;
    let answer = server.query("SLECT", "", &[("accept", "text/csv")]).await;
    assert_eq!(answer.status, 400);
    let body = answer.json();
    let message = body["message"].as_str().unwrap();
    assert!(message.starts_with("failed to parse query: found SLECT, expected SELECT"));
    assert!(
        body["error"]
            .as_str()
            .unwrap()
            .starts_with("error parsing query: found SLECT")
    );
    let answer = server
        .query("SELECT v FROM m WHERE v = $x", "&params=%7B", &[])
        .await;
    assert!(
        answer.json()["message"]
            .as_str()
            .unwrap()
            .starts_with("error parsing query param")
    );
}

#[tokio::test]
async fn credentials_come_before_everything_else() {
    let server = Server::start().await;
    for (method, target) in [
        ("GET", "/query"),
        ("DELETE", "/write"),
        ("GET", "/api/v2/nope"),
        ("PUT", "/api/v2/me"),
    ] {
        let answer = server.send(method, target, &[], "").await;
        answer.refused(401, "unauthorized", "unauthorized access");
        assert_eq!(
            answer.headers["www-authenticate"],
            "Basic realm=\"InfluxDB\""
        );
    }
    let wrong = [("authorization", "Token wrong")];
    let answer = server.send("GET", "/query", &wrong, "").await;
    answer.refused(401, "unauthorized", "Unauthorized");
    assert_eq!(answer.json()["error"], "authorization failed");
    let answer = server.send("GET", "/api/v2/buckets", &wrong, "").await;
    answer.refused(401, "unauthorized", "unauthorized access");
    let by_url = format!("/query?u=any&p={TOKEN}&db=db&q=SHOW+DATABASES");
    assert_eq!(server.send("GET", &by_url, &wrong, "").await.status, 200);
}

#[tokio::test]
async fn an_export_is_the_bucket_as_line_protocol() {
    let server = Server::start().await;
    server
        .write("m,t=a v=1,s=\"x\" 1\nm,t=a v=2 2\nn i=3i -1")
        .await;
    let cases = [
        (
            "?db=db",
            "m,t=a s=\"x\",v=1.0 1\nm,t=a v=2.0 2\nn i=3i -1\n",
        ),
        ("?bucket=b&org=org&measurement=n", "n i=3i -1\n"),
        (
            "?bucket=b&start=2&stop=1970-01-01T00:00:00.000000002Z",
            "m,t=a v=2.0 2\n",
        ),
        ("?bucket=b&stop=1500-01-01T00:00:00Z", ""),
    ];
    for (query, expected) in cases {
        let path = format!("/api/v2/export{query}");
        let answer = server.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, expected));
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
        let gzip = [authorization(), ("accept-encoding", "gzip")];
        let answer = server.send("GET", &path, &gzip, "").await;
        assert_eq!(answer.headers["content-encoding"], "gzip");
        let mut text = String::new();
        GzDecoder::new(&*answer.body)
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, expected);
    }
}

#[tokio::test]
async fn an_export_that_cannot_be_is_refused() {
    let server = Server::start().await;
    let refused = [
        ("", 400, "invalid", "Please provide either bucket or db"),
        ("?db=none", 404, "not found", "no dbrp mapping found"),
        (
            "?bucket=none",
            404,
            "not found",
            "bucket \"none\" not found",
        ),
        (
            "?db=db&start=yesterday",
            400,
            "invalid",
            "invalid start \"yesterday\": neither RFC 3339 nor nanoseconds",
        ),
    ];
    for (query, status, code, message) in refused {
        let answer = server.get(&format!("/api/v2/export{query}")).await;
        answer.refused(status, code, message);
    }
    let answer = server.post("/api/v2/export?db=db", "").await;
    answer.refused(405, "method not allowed", "allow: GET, OPTIONS");
    let permission = json!({
        "action": "write",
        "resource": { "type": "buckets", "id": server.bucket, "orgID": server.organization },
    });
    let body = json!({ "orgID": server.organization, "permissions": [permission] });
    let created = server
        .post("/api/v2/authorizations", body.to_string())
        .await;
    let header = format!("Token {}", created.json()["token"].as_str().unwrap());
    let headers = [("authorization", header.as_str())];
    let (organization, bucket) = (&server.organization, &server.bucket);
    let answer = server
        .send("GET", "/api/v2/export?bucket=b", &headers, "")
        .await;
    answer.refused(
        401,
        "unauthorized",
        &format!("read:orgs/{organization}/buckets/{bucket} is unauthorized"),
    );
    let answer = server
        .send("GET", "/api/v2/export?db=db", &headers, "")
        .await;
    answer.refused(404, "not found", "no dbrp mapping found");
}

#[tokio::test]
async fn management_answers_are_indented_by_tabs() {
    let server = Server::start().await;
    let target = format!("/api/v2/dbrps/?orgID={}", server.organization);
    let answer = server.get(&target).await;
    assert!(
        answer
            .text()
            .starts_with("{\n\t\"content\": [\n\t\t{\n\t\t\t\"id\": \"")
    );
    assert!(!answer.text().ends_with('\n'));
    let answer = server.get("/api/v2/dbrps/zz?org=org").await;
    answer.refused(400, "invalid", "id must have a length of 16 bytes");
    assert!(answer.text().starts_with("{\n\t\"code\""));
    server
        .send("PUT", "/api/v2/dbrps", &[authorization()], "")
        .await
        .refused(405, "method not allowed", "allow: GET, POST");
    server
        .get("/api/v2/dbrps/x/y")
        .await
        .refused(404, "not found", "path not found");
}

#[tokio::test]
async fn tokens_are_shown_once_and_limit_what_they_may_do() {
    let server = Server::start().await;
    let permission = json!({
        "action": "read",
        "resource": { "type": "buckets", "id": server.bucket, "orgID": server.organization },
    });
    let body = json!({ "orgID": server.organization, "permissions": [permission] });
    let created = server
        .post("/api/v2/authorizations", body.to_string())
        .await
        .json();
    let token = created["token"].as_str().unwrap();
    assert_eq!(token.len(), 88);
    let id = created["id"].as_str().unwrap();
    let again = server
        .get(&format!("/api/v2/authorizations/{id}"))
        .await
        .json();
    assert_eq!(again["token"], "");
    let header = format!("Token {token}");
    let headers = [("authorization", header.as_str())];
    server
        .send("POST", "/write?db=db", &headers, "m v=1")
        .await
        .refused(403, "forbidden", "insufficient permissions for write");
    let deleted = server
        .send("GET", "/query?db=db&q=DROP+MEASUREMENT+m", &headers, "")
        .await;
    assert_eq!(
        deleted.json()["results"][0]["error"],
        "insufficient permissions"
    );
}

#[tokio::test]
async fn sessions_open_the_management_surface_only() {
    let server = Server::start().await;
    let basic = [("authorization", "Basic ZGV2OjEyMzQ1Njc4")];
    let answer = server.send("POST", "/api/v2/signin", &basic, "").await;
    assert_eq!(answer.status, 204);
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; Path=/api/; Expires=Wed, 01 Jan 2020 01:00:00 GMT; HttpOnly"));
    let cookie = [("cookie", cookie.split(';').next().unwrap())];
    assert_eq!(
        server.send("GET", "/api/v2/me", &cookie, "").await.json()["name"],
        "dev"
    );
    assert_eq!(
        server
            .send("GET", "/query?q=SHOW+DATABASES", &cookie, "")
            .await
            .status,
        401
    );
    assert_eq!(
        server
            .send("POST", "/api/v2/signout", &cookie, "")
            .await
            .status,
        204
    );
    assert_eq!(
        server.send("GET", "/api/v2/me", &cookie, "").await.status,
        401
    );
}

#[tokio::test]
async fn deletes_take_a_range_and_a_predicate() {
    let server = Server::start().await;
    server
        .write("m,t=a v=1 1\nm,t=b v=2 2\nn,t=a v=3 3\nm,t=a v=4 5000000000")
        .await;
    let body = json!({
        "start": "1970-01-01T00:00:00Z", "stop": "1970-01-01T00:00:01Z",
        "predicate": "_measurement=\"m\" AND t=\"a\"",
    });
    let answer = server
        .post("/api/v2/delete?bucket=b", body.to_string())
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let found = server
        .query("SELECT v FROM m, n", "&epoch=ns", &[])
        .await
        .text()
        .to_owned();
    assert!(
        found.contains("[[2,2],[5000000000,4]]") && found.contains("[[3,3]]"),
        "{found}"
    );
    server.post("/api/v2/delete?bucket=b", "{}").await.refused(
        400,
        "invalid",
        "error decoding json body: invalid RFC3339Nano for field start, please format your time \
         with RFC3339Nano format, example: 2009-01-02T23:00:00Z",
    );
}

#[tokio::test]
async fn every_answer_names_version_build_and_request() {
    let server = Server::start().await;
    for target in ["/ping", "/nope", "/query", "/api/v2/me"] {
        let answer = server
            .send("GET", target, &[("x-request-id", "mine")], "")
            .await;
        assert!(
            answer.headers["x-influxdb-version"]
                .to_str()
                .unwrap()
                .starts_with("2.9.1+")
        );
        assert_eq!(answer.headers["x-influxdb-build"], "Headwater");
        assert_eq!(answer.headers["x-request-id"], "mine");
        assert_eq!(answer.headers["request-id"], "mine");
    }
    assert_eq!(server.send("HEAD", "/ping", &[], "").await.status, 204);
    let verbose = server.send("GET", "/ping?verbose=true", &[], "").await;
    assert_eq!(
        (verbose.status, &verbose.headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    assert_eq!(server.send("POST", "/ping", &[], "").await.status, 405);
    assert_eq!(
        server.send("GET", "/health", &[], "").await.json()["status"],
        "pass"
    );
    assert_eq!(
        server.send("GET", "/ready", &[], "").await.json()["status"],
        "ready"
    );
}

#[tokio::test]
async fn browsers_are_told_what_they_may_send() {
    let server = Server::start().await;
    let origin = ("origin", "http://example.com");
    let answer = server.send("OPTIONS", "/api/v2/me", &[origin], "").await;
    assert_eq!(answer.status, 204);
    assert_eq!(
        answer.headers["access-control-allow-origin"],
        "http://example.com"
    );
    assert_eq!(
        answer.headers["access-control-allow-methods"],
        "POST, GET, OPTIONS, PUT, DELETE, PATCH"
    );
    let answer = server
        .send("GET", "/api/v2/me", &[origin, authorization()], "")
        .await;
    assert_eq!(
        answer.headers["access-control-allow-origin"],
        "http://example.com"
    );
}

#[tokio::test]
async fn metrics_count_by_route() {
    let server = Server::start().await;
    server.write("m v=1\nm v=2 2").await;
    server.query("SHOW DATABASES", "", &[]).await;
    let text = server.get("/metrics").await.text().to_owned();
    for line in [
        "headwater_http_requests_total{route=\"/write\",method=\"POST\",status=\"204\"} 1",
        "headwater_write_points_total 2",
        "headwater_queries_total 1",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
}

#[tokio::test]
async fn errors_are_in_a_header_too_where_1_x_sends_it() {
    let server = Server::start().await;
    let answer = server.post("/write?db=db", "a\nb").await;
    let text = "unable to parse 'a': missing fields unable to parse 'b': missing fields";
    assert_eq!(answer.headers["x-influxdb-error"], text);
    let answer = server.query("SLECT", "", &[]).await;
    let words = answer.json()["error"].as_str().unwrap().to_owned();
    assert_eq!(answer.headers["x-influxdb-error"], words);
    let long = "x".repeat(2000);
    let answer = server.post("/write?db=db", long).await;
    assert_eq!(answer.headers["x-influxdb-error"].len(), 1024);
    let answer = server.send("GET", "/query", &[], "").await;
    assert_eq!(answer.status, 401);
    assert!(!answer.headers.contains_key("x-influxdb-error"));
}

#[tokio::test]
async fn answers_of_the_1_x_surface_vary_by_accepted_encoding() {
    let server = Server::start().await;
    for (method, target) in [
        ("GET", "/ping"),
        ("GET", "/query?q=SHOW+DATABASES"),
        ("POST", "/write?db=db"),
        ("POST", "/write?db=nope"),
    ] {
        let answer = server.send(method, target, &[authorization()], "").await;
        assert_eq!(answer.headers["vary"], "Accept-Encoding", "{target}");
    }
}

#[tokio::test]
async fn anybody_may_ask_for_the_methods_of_a_management_path() {
    let server = Server::start().await;
    for (target, methods) in [
        ("/api/v2/me", "GET"),
        ("/api/v2/buckets", "GET, POST"),
        ("/api/v2/write", "OPTIONS, POST"),
        ("/api/v2/delete", "OPTIONS, POST"),
        ("/api/v2/setup", "GET, POST"),
    ] {
        let answer = server.send("OPTIONS", target, &[], "").await;
        answer.refused(405, "method not allowed", &format!("allow: {methods}"));
        assert_eq!(answer.headers["allow"], methods);
    }
}

#[tokio::test]
async fn in_the_profile_oss_a_delete_names_its_organization() {
    let server = Server::start_as(Profile::Oss, Settings::default()).await;
    let body = r#"{"start":"2020-01-01T00:00:00Z","stop":"2020-01-02T00:00:00Z"}"#;
    let answer = server.post("/api/v2/delete?bucket=b", body).await;
    answer.refused(400, "invalid", "Please provide either orgID or org");
    let answer = server.post("/api/v2/delete?bucket=b&org=org", body).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
}
