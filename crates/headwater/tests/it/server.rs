//! A server process on a free port, killed when dropped, and a small client for it.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

/// The operator token that [`Server::set_up`] asks for.
pub(crate) const TOKEN: &str = "test-operator-token";
/// The organization, bucket and, by automatic mapping, database of [`Server::set_up`].
pub(crate) const NAME: &str = "first";

pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    agent: ureq::Agent,
    log: Arc<Log>,
}

/// What the process has printed, on both streams.
#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

impl Log {
    fn push(&self, text: &str) {
        self.text.lock().expect("no panic").push_str(text);
        self.grown.notify_all();
    }
}

/// Status and body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e} in {:?}", self.body))
    }
}

impl Server {
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[], &[])
    }

    /// Waits until the server says that it listens.
    pub(crate) fn start_with(data_dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args(["serve", "--bind", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .args(args)
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = Arc::<Log>::default();
        let mut stdout = child.stdout.take().expect("stdout is piped");
        let into = log.clone();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut chunk) {
                into.push(&String::from_utf8_lossy(&chunk[..read]));
            }
        });
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let mut url = None;
        for line in lines.by_ref() {
            let line = line.expect("the log is UTF-8");
            let listens = line
                .split_once("listening on ")
                .and_then(|(_, url)| url.split(['"', ' ']).next())
                .map(str::to_owned);
            log.push(&(line + "\n"));
            if listens.is_some() {
                url = listens;
                break;
            }
        }
        let Some(url) = url else {
            panic!(
                "the server did not listen:\n{}",
                log.text.lock().expect("no panic")
            );
        };
        let into = log.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                into.push(&(line + "\n"));
            }
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        Self {
            child,
            url,
            agent,
            log,
        }
    }

    /// Started on an empty directory and set up with [`TOKEN`] and [`NAME`].
    pub(crate) fn set_up(data_dir: &Path) -> Self {
        Self::set_up_with(data_dir, &[])
    }

    /// As [`Self::set_up`], with flags.
    pub(crate) fn set_up_with(data_dir: &Path, args: &[&str]) -> Self {
        let server = Self::start_with(data_dir, args, &[]);
        let body = json!({"username": "admin", "password": "test-password", "org": NAME,
            "bucket": NAME, "token": TOKEN});
        let answer = server.request("POST", "/api/v2/setup", &[], &body.to_string());
        assert_eq!(answer.status, 201, "{}", answer.body);
        server
    }

    /// With the operator token.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.try_request(method, path, query, body)
            .expect("the server answers")
    }

    /// With another token.
    pub(crate) fn request_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.try_request_as(token, method, path, query, body)
            .expect("the server answers")
    }

    /// `None` when the connection broke before an answer.
    pub(crate) fn try_request(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: &str,
    ) -> Option<Answer> {
        self.try_request_as(TOKEN, method, path, query, body)
    }

    fn try_request_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: &str,
    ) -> Option<Answer> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(self.uri(path, query))
            .header("Authorization", format!("Token {token}"));
        if body.starts_with('{') {
            request = request.header("Content-Type", "application/json");
        }
        let body = body.as_bytes().to_vec();
        let response = self.send(request.body(body).expect("a valid request"))?;
        Some(Answer {
            status: response.status().as_u16(),
            body: String::from_utf8_lossy(response.body()).into_owned(),
        })
    }

    /// Any request, its URL from [`Server::uri`]; `None` as for [`Server::try_request`].
    pub(crate) fn send(
        &self,
        request: ureq::http::Request<Vec<u8>>,
    ) -> Option<ureq::http::Response<Vec<u8>>> {
        let (parts, mut body) = self.agent.run(request).ok()?.into_parts();
        let body = body.with_config().limit(1 << 30).read_to_vec().ok()?;
        Some(ureq::http::Response::from_parts(parts, body))
    }

    /// `path` on this server with `query`, encoded.
    pub(crate) fn uri(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut uri = format!("{}{path}", self.url);
        for (i, (name, value)) in query.iter().enumerate() {
            uri.push(if i == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() {
                    uri.push(char::from(byte));
                } else {
                    uri.push_str(&format!("%{byte:02X}"));
                }
            }
        }
        uri
    }

    /// Writes lines to the database of [`NAME`], which must be accepted.
    pub(crate) fn write(&self, precision: &str, lines: &str) {
        let query = [("db", NAME), ("precision", precision)];
        let answer = self.request("POST", "/write", &query, lines);
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    /// The answer to a query of the database of [`NAME`], with times in seconds.
    pub(crate) fn query(&self, text: &str) -> Value {
        let query = [("db", NAME), ("epoch", "s"), ("q", text)];
        self.request("GET", "/query", &query, "").json()
    }

    pub(crate) fn log(&self) -> String {
        self.log.text.lock().expect("no panic").clone()
    }

    /// What was printed, once that contains `text`.
    pub(crate) fn log_with(&self, text: &str) -> String {
        let log = self.log.text.lock().expect("no panic");
        let limit = Duration::from_secs(30);
        let (log, waited) = self
            .log
            .grown
            .wait_timeout_while(log, limit, |log| !log.contains(text))
            .expect("no panic");
        assert!(!waited.timed_out(), "`{text}` was never printed:\n{log}");
        log.clone()
    }

    /// `kill -9`: no chance to finish anything.
    pub(crate) fn kill_running(&self) {
        self.signal("KILL");
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.expect("kill runs").success());
    }

    /// As an operator stops it.
    pub(crate) fn terminate(self) -> ExitStatus {
        self.signal("TERM");
        self.ended()
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn ended(mut self) -> ExitStatus {
        self.child.wait().expect("the process ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
