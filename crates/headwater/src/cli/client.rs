//! The server as the commands see it: where it is, who asks, and how its answers read.

use std::io;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{Request, Response, StatusCode},
};

/// Which server, and as whom.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// URL of the server
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8086",
        env = "HEADWATER_HOST"
    )]
    host: String,
    /// API token
    #[arg(
        long,
        env = "HEADWATER_TOKEN",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    token: Option<String>,
    /// Name of a 1.x user, instead of a token; for what takes a database, not a bucket
    #[arg(long)]
    username: Option<String>,
    /// Password of the 1.x user
    #[arg(
        long,
        env = "HEADWATER_PASSWORD",
        hide_env_values = true,
        allow_hyphen_values = true,
        requires = "username"
    )]
    password: Option<String>,
}

impl Connection {
    pub(crate) fn client(&self) -> Client {
        let Some(username) = &self.username else {
            return Client::with_token(&self.host, self.token.as_deref());
        };
        let password = self.password.as_deref().unwrap_or_default();
        Client {
            authorization: Some(format!("Basic {}", base64(username, password))),
            ..Client::anonymous(&self.host)
        }
    }
}

fn base64(username: &str, password: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(format!("{username}:{password}"))
}

/// Sends requests with the caller's credentials.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    base: String,
    authorization: Option<String>,
}

/// A body and its type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content<'a> {
    None,
    Json(&'a Value),
    Form(&'a [(&'a str, &'a str)]),
    Lines(&'a [u8]),
}

impl Client {
    /// Without credentials.
    pub(crate) fn anonymous(host: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            base: host.trim_end_matches('/').to_owned(),
            authorization: None,
        }
    }

    pub(crate) fn with_token(host: &str, token: Option<&str>) -> Self {
        Self {
            authorization: token.map(|token| format!("Token {token}")),
            ..Self::anonymous(host)
        }
    }

    /// Any answer is `Ok`, whatever its status.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        content: Content<'_>,
    ) -> Result<Response<Body>, ureq::Error> {
        let mut uri = format!("{}{path}", self.base);
        if !query.is_empty() {
            uri.push('?');
            uri.push_str(&urlencoded(query));
        }
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let (kind, body) = match content {
            Content::None => return self.agent.run(request.body(())?),
            Content::Json(value) => ("application/json", value.to_string().into_bytes()),
            Content::Form(values) => (
                "application/x-www-form-urlencoded",
                urlencoded(values).into_bytes(),
            ),
            Content::Lines(bytes) => {
                let request = request.header("Content-Type", "text/plain; charset=utf-8");
                return self.agent.run(request.body(bytes)?);
            }
        };
        self.agent
            .run(request.header("Content-Type", kind).body(body)?)
    }

    /// A call of the management API: JSON in, JSON out; `Null` for an answer without a body.
    ///
    /// # Errors
    /// The server's own words when it refuses.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value> {
        let content = body.map_or(Content::None, Content::Json);
        let response = self
            .send(method, path, query, content)
            .map_err(|error| self.unreachable(error))?;
        let answer = Answer::read(response)?;
        if !answer.status.is_success() {
            bail!(answer.refusal());
        }
        if answer.text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&answer.text).context("the server's answer is not JSON")
    }

    /// The error for a request that got no answer.
    pub(crate) fn unreachable(&self, error: ureq::Error) -> anyhow::Error {
        anyhow!(error).context(format!("no answer from {}", self.base))
    }

    /// Breaks off the requests that are under way; this client takes no others.
    pub(crate) fn interrupt(&self) {
        self.agent.clone().shutdown();
    }
}

/// A whole answer; for those that are not streamed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// What `Retry-After` says, in seconds.
    pub(crate) retry_after_seconds: Option<u64>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn read(mut response: Response<Body>) -> io::Result<Self> {
        let header = response.headers().get("Retry-After");
        let retry_after_seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
        let text = response
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .lossy_utf8(true)
            .read_to_string()
            .map_err(ureq::Error::into_io)?;
        Ok(Self {
            status: response.status(),
            retry_after_seconds,
            text,
        })
    }

    /// Why the server refused, and what to do where that is known.
    pub(crate) fn refusal(&self) -> String {
        let message = self.message();
        if self.status == StatusCode::UNAUTHORIZED {
            return format!(
                "{message} (give --token or set HEADWATER_TOKEN; 1.x users: --username and --password)"
            );
        }
        if message.contains("no dbrp mapping found") {
            return format!(
                "{message}: no bucket has the database's name (make one by `headwater bucket \
                 create`, or a mapping by `headwater dbrp create`)"
            );
        }
        message
    }

    /// The server's words, else the text itself.
    pub(crate) fn message(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        match body["message"].as_str().or(body["error"].as_str()) {
            Some(message) => message.to_owned(),
            None if self.text.trim().is_empty() => self.status.to_string(),
            None => self.text.trim().to_owned(),
        }
    }
}

pub(crate) fn urlencoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}
