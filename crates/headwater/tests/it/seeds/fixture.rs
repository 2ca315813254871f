//! The server of the checklist's fixture: organization `com.some`, user `dev`, the operator token,
//! bucket `mybucket` mapped as `mydb`/`autogen`, and one point in it.

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::http::{HeaderMap, Request};

use crate::server::Server;

/// The operator token.
pub(super) const TOKEN: &str = "optok";
pub(super) const ORG: &str = "com.some";
/// The question that most rows ask.
pub(super) const SELECT: &str = "SELECT * FROM cpu_usage";
/// The answer to [`SELECT`].
pub(super) const SELECTED: &str = concat!(
    r#"{"results":[{"statement_id":0,"series":[{"name":"cpu_usage","columns":["time","host","#,
    r#""value"],"values":[["2020-01-01T00:00:00Z","host1",42.5]]}]}]}"#,
    "\n"
);
/// The answer of a statement that has nothing to say.
pub(super) const NOTHING: &str = "{\"results\":[{\"statement_id\":0}]}\n";

pub(super) struct Fixture {
    pub(super) server: Server,
    pub(super) org: String,
    /// `mybucket`.
    pub(super) bucket: String,
    /// `m2_dev`, which has no mapping.
    pub(super) first_bucket: String,
    _dir: TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with_args(&[])
    }

    /// `args` go to `headwater serve`.
    pub(super) fn with_args(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut fixture = Self {
            server: Server::start_with(dir.path(), args, &[]),
            org: String::new(),
            bucket: String::new(),
            first_bucket: String::new(),
            _dir: dir,
        };
        fixture
            .get("/api/v2/setup")
            .send()
            .is(200, &json!({"allowed": true}));
        let created = fixture
            .post("/api/v2/setup")
            .json(
                json!({"username": "dev", "password": "12345678", "org": ORG,
                "bucket": "m2_dev", "token": TOKEN}),
            )
            .send()
            .json(201);
        fixture.org = text(&created["org"]["id"]);
        fixture.first_bucket = text(&created["bucket"]["id"]);
        fixture.bucket = fixture.make_bucket("mybucket");
        fixture.map(&fixture.bucket, "mydb", "autogen", true);
        fixture.store("cpu_usage,host=host1 value=42.5 1577836800000000000");
        fixture
    }

    /// A request without credentials.
    pub(super) fn call(&self, method: &str, path: &str) -> Call<'_> {
        Call {
            server: &self.server,
            method: method.to_owned(),
            path: path.to_owned(),
            parameters: Vec::new(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    pub(super) fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub(super) fn post(&self, path: &str) -> Call<'_> {
        self.call("POST", path)
    }

    /// A GET of `/query` in `mydb` with the operator token.
    pub(super) fn query(&self, statement: &str) -> Call<'_> {
        let call = self.get("/query").token(TOKEN);
        call.param("db", "mydb").param("q", statement)
    }

    /// A GET of `/query` in `mydb` for [`SELECT`], without credentials.
    pub(super) fn select(&self) -> Call<'_> {
        let call = self.get("/query").param("db", "mydb");
        call.param("q", SELECT)
    }

    /// A POST to `/write` in `mydb` with the operator token.
    pub(super) fn write(&self, lines: &str) -> Call<'_> {
        let call = self.post("/write").token(TOKEN).param("db", "mydb");
        call.body(lines)
    }

    /// Writes `lines` to `mydb`.
    pub(super) fn store(&self, lines: &str) {
        self.write(lines).send().is_no_content();
    }

    /// What a query in `mydb` answers, with times in nanoseconds: its series' values.
    pub(super) fn values(&self, statement: &str) -> Value {
        let answer = self.query(statement).param("epoch", "ns").send().json(200);
        answer["results"][0]["series"][0]["values"].clone()
    }

    /// The id of a new bucket.
    pub(super) fn make_bucket(&self, name: &str) -> String {
        let bucket = json!({"orgID": self.org, "name": name, "retentionRules": []});
        let call = self.post("/api/v2/buckets").token(TOKEN).json(bucket);
        text(&call.send().json(201)["id"])
    }

    /// Asks for a mapping of `database` and `policy` to `bucket`.
    pub(super) fn try_map(
        &self,
        bucket: &str,
        database: &str,
        policy: &str,
        default: bool,
    ) -> Reply {
        let mapping = json!({"bucketID": bucket, "orgID": self.org, "database": database,
            "retention_policy": policy, "default": default});
        let call = self.post("/api/v2/dbrps").token(TOKEN);
        call.json(mapping).send()
    }

    /// The id of a new mapping.
    pub(super) fn map(&self, bucket: &str, database: &str, policy: &str, default: bool) -> String {
        let mapping = self.try_map(bucket, database, policy, default);
        text(&mapping.json(201)["id"])
    }

    /// The mappings that `filter` finds.
    pub(super) fn mappings(&self, filter: &[(&str, &str)]) -> Value {
        let mut call = self.get("/api/v2/dbrps").token(TOKEN);
        call = call.param("orgID", &self.org);
        for (name, value) in filter {
            call = call.param(name, value);
        }
        call.send().json(200)["content"].take()
    }

    /// What the API shows of a mapping.
    pub(super) fn mapping(
        &self,
        id: &str,
        bucket: &str,
        (database, policy): (&str, &str),
        default: bool,
    ) -> Value {
        json!({"id": id, "database": database, "retention_policy": policy, "default": default,
            "virtual": false, "orgID": self.org, "bucketID": bucket})
    }

    fn bucket_permission(&self, action: &str) -> Value {
        json!([{"action": action,
            "resource": {"type": "buckets", "id": self.bucket, "orgID": self.org}}])
    }

    /// Id and text of a token that may do `action` with `mybucket`.
    pub(super) fn make_token(&self, action: &str) -> (String, String) {
        let body = json!({"orgID": self.org, "permissions": self.bucket_permission(action)});
        let call = self.post("/api/v2/authorizations").token(TOKEN).json(body);
        let made = call.send().json(201);
        (text(&made["id"]), text(&made["token"]))
    }

    /// A 1.x user who may read `mybucket`.
    pub(super) fn make_v1_user(&self, name: &str, password: Option<&str>) {
        let path = "/private/legacy/authorizations";
        let body = json!({"token": name, "orgID": self.org,
            "permissions": self.bucket_permission("read")});
        let made = self.post(path).token(TOKEN).json(body).send().json(201);
        if let Some(password) = password {
            let path = format!("{path}/{}/password", text(&made["id"]));
            let body = json!({ "password": password });
            let set = self.post(&path).token(TOKEN).json(body).send();
            set.is_no_content();
        }
    }
}

/// A JSON string's text.
pub(super) fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// A request being put together.
pub(super) struct Call<'a> {
    server: &'a Server,
    method: String,
    path: String,
    parameters: Vec<(String, String)>,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Call<'_> {
    /// In the URL, encoded; replaces one of the same name.
    pub(super) fn param(mut self, name: &str, value: &str) -> Self {
        self.parameters.retain(|(known, _)| known != name);
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn without_param(mut self, name: &str) -> Self {
        self.parameters.retain(|(known, _)| known != name);
        self
    }

    /// Replaces one of the same name.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = value.parse().expect("a valid header value");
        self.headers.insert(name, value);
        self
    }

    pub(super) fn authorization(self, value: &str) -> Self {
        self.header("authorization", value)
    }

    pub(super) fn token(self, token: &str) -> Self {
        self.authorization(&format!("Token {token}"))
    }

    pub(super) fn basic(self, username: &str, password: &str) -> Self {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let encoded = STANDARD.encode(format!("{username}:{password}"));
        self.authorization(&format!("Basic {encoded}"))
    }

    /// As curl's `--data-binary`, with its content type.
    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    pub(super) fn json(mut self, body: Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header("content-type", "application/json")
    }

    /// The answer, which has the headers of every answer.
    #[track_caller]
    pub(super) fn send(self) -> Reply {
        let parameters: Vec<(&str, &str)> = self
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(self.server.uri(&self.path, &parameters))
            .body(self.body)
            .expect("a valid request");
        *request.headers_mut() = self.headers;
        let (parts, body) = self
            .server
            .send(request)
            .expect("the server answers")
            .into_parts();
        let reply = Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        };
        let version = reply.header("x-influxdb-version");
        assert!(version.starts_with("2.9.1+headwater."), "{version}");
        assert_eq!(reply.header("x-influxdb-build"), "Headwater");
        assert!(!reply.header("x-request-id").is_empty());
        assert_eq!(reply.header("request-id"), reply.header("x-request-id"));
        reply
    }
}

/// An answer.
pub(super) struct Reply {
    status: u16,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// A header's value, empty without the header.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("visible ASCII"))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The JSON body of an answer of this status.
    #[track_caller]
    pub(super) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        serde_json::from_str(self.text()).expect("JSON")
    }

    /// A management answer.
    #[track_caller]
    pub(super) fn is(&self, status: u16, body: &Value) {
        assert_eq!(self.json(status), *body);
        let kind = self.header("content-type");
        assert_eq!(kind, "application/json; charset=utf-8");
    }

    /// 200 with exactly this body of this type.
    #[track_caller]
    pub(super) fn is_ok(&self, content_type: &str, body: &str) {
        assert_eq!(
            (self.status, self.header("content-type"), self.text()),
            (200, content_type, body)
        );
    }

    /// 200 with this JSON from `/query`, byte for byte.
    #[track_caller]
    pub(super) fn is_results(&self, body: &str) {
        self.is_ok("application/json", body);
    }

    /// 200 with a failed only statement.
    #[track_caller]
    pub(super) fn is_statement_error(&self, message: &str) {
        let message = Value::from(message);
        self.is_results(&format!(
            "{{\"results\":[{{\"statement_id\":0,\"error\":{message}}}]}}\n"
        ));
    }

    #[track_caller]
    pub(super) fn is_no_content(&self) {
        assert_eq!(
            (self.status, self.header("content-type"), self.text()),
            (204, "", "")
        );
    }

    /// The error of this code and message, with 1.x's `words`.
    #[track_caller]
    pub(super) fn is_error_with(&self, status: u16, code: &str, message: &str, words: &str) {
        self.is(
            status,
            &json!({"code": code, "message": message, "error": words}),
        );
        assert_eq!(self.header("x-platform-error-code"), code);
        let challenge = if status == 401 {
            "Basic realm=\"InfluxDB\""
        } else {
            ""
        };
        assert_eq!(self.header("www-authenticate"), challenge);
    }

    /// As [`Reply::is_error_with`], where 1.x has no words of its own.
    #[track_caller]
    pub(super) fn is_error(&self, status: u16, code: &str, message: &str) {
        self.is_error_with(status, code, message, message);
    }

    /// No or unusable credentials.
    #[track_caller]
    pub(super) fn is_unauthorized_access(&self) {
        let words = "unable to parse authentication credentials";
        self.is_error_with(401, "unauthorized", "unauthorized access", words);
    }

    /// Wrong credentials.
    #[track_caller]
    pub(super) fn is_unauthorized(&self) {
        self.is_error_with(401, "unauthorized", "Unauthorized", "authorization failed");
    }
}
