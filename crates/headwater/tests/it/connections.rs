//! What goes over the wire and into the log: TLS, HTTP/2, the request log, stopping.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::server::{NAME, Server, TOKEN};

fn curl(args: &[&str]) -> Output {
    Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "30"])
        .args(args)
        .output()
        .expect("curl runs")
}

#[track_caller]
fn printed(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Writes a new certificate for localhost with its key, and returns the certificate.
fn certify(dir: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = made.cert.pem();
    std::fs::write(dir.join("cert.pem"), &certificate).expect("a writable folder");
    std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem())
        .expect("a writable folder");
    certificate
}

struct Secure {
    server: Server,
    /// With the name that the certificate is for.
    url: String,
}

impl Secure {
    fn start(dir: &Path) -> Self {
        let file = |name: &str| dir.join(name).to_str().expect("UTF-8").to_owned();
        let (certificate, key) = (
            format!("tls.certificate={}", file("cert.pem")),
            format!("tls.key={}", file("key.pem")),
        );
        let args = ["--set", &certificate, "--set", &key];
        let server = Server::start_with(&dir.join("data"), &args, &[]);
        let (scheme, address) = server.url.split_once("://").expect("a URL");
        assert_eq!(scheme, "https");
        let port = address.rsplit_once(':').expect("a port").1;
        let url = format!("https://localhost:{port}");
        Self { server, url }
    }

    /// Status and protocol of an answer to who trusts only `authority`.
    fn ping(&self, authority: &Path, more: &[&str]) -> Output {
        let url = format!("{}/ping", self.url);
        let mut args = vec!["--cacert", authority.to_str().expect("UTF-8")];
        args.extend(["--write-out", "%{http_code} HTTP/%{http_version}", &url]);
        args.extend(more);
        curl(&args)
    }
}

#[test]
fn tls_speaks_http_2_and_http_1_and_reads_its_certificate_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let first = dir.path().join("first.pem");
    std::fs::write(&first, certify(dir.path())).expect("a writable folder");
    let secure = Secure::start(dir.path());
    assert_eq!(printed(&secure.ping(&first, &[])), "204 HTTP/2");
    assert_eq!(
        printed(&secure.ping(&first, &["--http1.1"])),
        "204 HTTP/1.1"
    );
    let port = secure.url.rsplit_once(':').expect("a port").1;
    let plain = curl(&[&format!("http://127.0.0.1:{port}/ping")]);
    assert!(!plain.status.success(), "plain HTTP is not answered");

    let second = dir.path().join("second.pem");
    std::fs::write(&second, certify(dir.path())).expect("a writable folder");
    secure.server.signal("HUP");
    secure.server.log_with("read the certificate again");
    assert_eq!(printed(&secure.ping(&second, &[])), "204 HTTP/2");
    assert!(!secure.ping(&first, &[]).status.success());

    std::fs::write(dir.path().join("key.pem"), "no key").expect("a writable folder");
    secure.server.signal("HUP");
    secure.server.log_with("the old certificate stays in use");
    assert_eq!(printed(&secure.ping(&second, &[])), "204 HTTP/2");
    assert!(secure.server.terminate().success());
}

#[test]
fn a_certificate_that_cannot_be_used_keeps_the_server_from_starting() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    certify(dir.path());
    let file = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    for (key, complaint) in [
        ("cert.pem", "no items found"),
        ("absent.pem", "No such file or directory"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args([
                "serve",
                "--bind",
                "127.0.0.1:0",
                "--data-dir",
                &file("data"),
            ])
            .args(["--set", &format!("tls.certificate={}", file("cert.pem"))])
            .args(["--set", &format!("tls.key={}", file(key))])
            .output()
            .expect("the binary starts");
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("headwater: cannot speak TLS: cannot read"),
            "{said}"
        );
        assert!(said.contains(key) && said.contains(complaint), "{said}");
    }
}

#[test]
fn http_2_is_spoken_without_tls_to_who_begins_with_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    server.write("s", "m v=1 1");
    let url = format!("{}/query?db={NAME}&epoch=s&q=SELECT+v+FROM+m", server.url);
    let token = format!("Authorization: Token {TOKEN}");
    let format = "%{http_version}";
    let args = [
        "--http2-prior-knowledge",
        "--header",
        &token,
        "--write-out",
        format,
        &url,
    ];
    let expected = "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"m\",\
                    \"columns\":[\"time\",\"v\"],\"values\":[[1,1]]}]}]}\n2";
    assert_eq!(printed(&curl(&args)), expected);
}

#[test]
fn http_1_0_connections_are_closed_after_the_answer() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let mut stream = connect(&server);
    let body = "m v=1 1";
    let length = body.len();
    write!(
        stream,
        "POST /write?db={NAME}&u=u&p={TOKEN} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("the server reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the server closes");
    assert!(answer.starts_with("HTTP/1.0 204 "), "{answer}");
}

fn connect(server: &Server) -> TcpStream {
    let address = server.url.strip_prefix("http://").expect("plain HTTP");
    TcpStream::connect(address).expect("the server listens")
}

#[test]
fn a_request_under_way_is_finished_when_the_server_is_told_to_stop() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let mut stream = connect(&server);
    let (first, second) = ("m v=1 1\n", "m v=2 2\n");
    let length = first.len() + second.len();
    write!(
        stream,
        "POST /write?db={NAME} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {TOKEN}\r\n\
         Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    )
    .expect("the server reads");
    // That the body is asked for shows that the request is under way.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).expect("the server answers");
    assert_eq!(&asked[..], b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
        .write_all(first.as_bytes())
        .expect("the server reads");
    server.signal("TERM");
    server.log_with("stopping on SIGTERM");
    stream
        .write_all(second.as_bytes())
        .expect("the server reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the server closes");
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    assert!(server.ended().success());
    let server = Server::start(dir.path());
    let found = server.query("SELECT count(v) FROM m");
    assert_eq!(found["results"][0]["series"][0]["values"][0][1], json!(2));
}

#[test]
fn a_request_that_takes_too_long_does_not_keep_the_server_from_stopping() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let args = ["--set", "server.shutdown_limit=100ms"];
    let server = Server::set_up_with(dir.path(), &args);
    let mut stream = connect(&server);
    write!(
        stream,
        "POST /write?db={NAME} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {TOKEN}\r\n\
         Expect: 100-continue\r\nContent-Length: 10\r\n\r\n"
    )
    .expect("the server reads");
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).expect("the server answers");
    server.signal("TERM");
    server.log_with("requests were still running after 100ms");
    assert!(server.ended().success());
}

/// The status of a query that carries its credentials in the URL.
fn anonymous(server: &Server, query: &[(&str, &str)]) -> u16 {
    let request = ureq::http::Request::get(server.uri("/query", query));
    let answer = server.send(request.body(Vec::new()).expect("a valid request"));
    answer.expect("the server answers").status().as_u16()
}

/// Everything that carries a secret, at the most talkative the log can be.
#[test]
fn no_secret_is_ever_logged() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let args = [
        "--set",
        "http.log_requests=true",
        "--set",
        "log.filter=trace",
        "--set",
        "log.format=json",
    ];
    let server = Server::set_up_with(dir.path(), &args);
    let org = server.request("GET", "/api/v2/orgs", &[], "").json()["orgs"][0]["id"].clone();
    let permission = json!({"action": "read", "resource": {"type": "buckets", "orgID": org}});
    let created = server.request(
        "POST",
        "/api/v2/authorizations",
        &[],
        &json!({"orgID": org, "permissions": [permission]}).to_string(),
    );
    let made_token = created.json()["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let body = json!({"token": "v1user", "orgID": org, "permissions": [permission]});
    let v1 = server.request(
        "POST",
        "/private/legacy/authorizations",
        &[],
        &body.to_string(),
    );
    let v1 = v1.json()["id"].as_str().expect("an id").to_owned();
    let path = format!("/private/legacy/authorizations/{v1}/password");
    let body = json!({"password": "v1-secret-password"}).to_string();
    assert_eq!(server.request("POST", &path, &[], &body).status, 204);
    let by_url = [
        ("u", "v1user"),
        ("p", "v1-secret-password"),
        ("q", "SHOW DATABASES"),
    ];
    let header = |value: &str| format!("Authorization: {value}");
    let target = |path: &str| format!("{}{path}", server.url);
    assert_eq!(anonymous(&server, &by_url), 200);
    let wrong = [
        ("u", "v1user"),
        ("p", "wrong-secret-password"),
        ("q", "SHOW DATABASES"),
    ];
    assert_eq!(anonymous(&server, &wrong), 401);
    let statements =
        "CREATE USER u WITH PASSWORD 'statement-secret'; SET PASSWORD FOR u = 'other-secret'";
    for (method, query) in [
        ("GET", statements),
        ("POST", statements),
        ("GET", "PASSWORD 'unparsed-secret'"),
    ] {
        server.request(method, "/query", &[("db", NAME), ("q", query)], "");
    }
    let form = ["--data", "p=form-secret", "--data-urlencode"];
    let q = format!("q={statements}");
    let target_query = target("/query");
    printed(&curl(
        &[
            &form[..],
            &[
                &q,
                "--header",
                &header(&format!("Token {TOKEN}")),
                &target_query,
            ],
        ]
        .concat(),
    ));
    let session = curl(&[
        "--user",
        "admin:test-password",
        "--request",
        "POST",
        "--include",
        &target("/api/v2/signin"),
    ]);
    let session = printed(&session);
    let (_, after) = session
        .split_once("influxdb-oss-session=")
        .expect("a session");
    let session = after.split(';').next().expect("a key").to_owned();
    let cookie = format!("influxdb-oss-session={session}");
    let me = target("/api/v2/me");
    printed(&curl(&["--cookie", &cookie, &me]));
    printed(&curl(&["--header", &header("Bearer bearer-secret"), &me]));
    printed(&curl(&[
        "--http2-prior-knowledge",
        "--header",
        &header("Token h2-secret"),
        &me,
    ]));
    printed(&curl(&[
        "--header",
        &header(&format!("Token {made_token}")),
        &me,
    ]));
    printed(&curl(&[
        "--user",
        "v1user:v1-secret-password",
        &target("/query?q=SHOW+DATABASES"),
    ]));
    server.request("GET", "/last", &[("marker", "x")], "");
    let log = server.log_with("\"path\":\"/last\"");

    let basic = "djF1c2VyOnYxLXNlY3JldC1wYXNzd29yZA";
    for secret in [
        TOKEN,
        "test-password",
        &made_token,
        &session,
        "v1-secret-password",
        "wrong-secret-password",
        "statement-secret",
        "other-secret",
        "unparsed-secret",
        "form-secret",
        "bearer-secret",
        "h2-secret",
        basic,
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
    let requests: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("one object a line"))
        .filter(|line| line["target"] == "headwater_http::request")
        .collect();
    let line = requests
        .iter()
        .find(|line| line["status"] == 401 && line["path"] == "/query")
        .expect("the refused request is logged");
    assert_eq!(line["parameters"], "u=… p=… q=SHOW DATABASES");
    assert_eq!(
        (&line["method"], &line["whole"]),
        (&json!("GET"), &json!(true))
    );
    assert!(requests.iter().any(|line| line["protocol"] == "HTTP/2.0"));
}
