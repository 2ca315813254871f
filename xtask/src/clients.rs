//! `cargo xtask clients`: clients that were never told about us, against the real binary. Each
//! script in `tests/clients` prints one line a case; each client has cases of every [`KINDS`].

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    process::{cargo, check, root, target_dir},
    server::Server,
    tools,
};

/// What each client must have cases of.
const KINDS: [&str; 4] = ["write", "query", "error", "authentication"];

const TOKEN: &str = "clients-operator-token";
const ORGANIZATION: &str = "clients";
const PASSWORD: &str = "a-password";

/// A client and what runs its script.
struct Client {
    name: &'static str,
    runner: Runner,
}

enum Runner {
    Python(&'static str),
    /// Requests as a client sends them, with the answers it needs.
    Recorded(&'static str),
    Node(&'static str),
    Ruby(&'static str),
    Go(&'static str),
}

const CLIENTS: [Client; 14] = [
    Client::new("influx shell", Runner::Python("influx_shell.py")),
    Client::new("Python influxdb", Runner::Python("python_influxdb.py")),
    Client::new(
        "Python influxdb-client",
        Runner::Python("python_influxdb_client.py"),
    ),
    Client::new("Python aioinflux", Runner::Python("python_aioinflux.py")),
    Client::new("npm influx", Runner::Node("node_influx.cjs")),
    Client::new(
        "npm @influxdata/influxdb-client",
        Runner::Node("node_influxdb_client.cjs"),
    ),
    Client::new(
        "npm @influxdata/influxdb-client-apis",
        Runner::Node("node_influxdb_client_apis.cjs"),
    ),
    Client::new(
        "node-red-contrib-influxdb in Node-RED",
        Runner::Node("node_red.cjs"),
    ),
    Client::new("Ruby influxdb", Runner::Ruby("ruby_influxdb.rb")),
    Client::new("Go influxdb1-client/v2", Runner::Go("go_influxdb1.go")),
    Client::new("Icinga 2 InfluxdbWriter", Runner::Python("icinga2.py")),
    Client::new(
        "Telegraf outputs.influxdb, recorded",
        Runner::Recorded("telegraf.http"),
    ),
    Client::new(
        "Grafana InfluxQL data source, recorded",
        Runner::Recorded("grafana.http"),
    ),
    Client::new(
        "Home Assistant, recorded",
        Runner::Recorded("home_assistant.http"),
    ),
];

/// Debian packages that the scripts need.
const DEBIAN: [&str; 6] = [
    "golang-github-influxdata-influxdb1-client-dev",
    "golang-go",
    "icinga2-bin",
    "influxdb-client",
    "ruby",
    "ruby-influxdb",
];

/// `args` name clients, by any part of a name; without them all run.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let wanted = |client: &&Client| {
        args.is_empty() || args.iter().any(|part| client.name.contains(part.as_str()))
    };
    let clients: Vec<&Client> = CLIENTS.iter().filter(wanted).collect();
    if clients.is_empty() {
        bail!("no client is named like that");
    }
    tools::debian(&DEBIAN)?;
    let python = tools::python()?;
    let node_modules = tools::node_modules()?;
    check(cargo().args(["build", "--package", "headwater"]))?;
    let data = target_dir().join("xtask/clients");
    let _ = std::fs::remove_dir_all(&data);
    let binary = target_dir().join("debug/headwater");
    let bench = Bench {
        api: Api::set_up(Server::headwater(&binary, &data, &[])?)?,
        python,
        node_modules,
    };
    let mut outcomes = Vec::new();
    for client in clients {
        let outcome = bench
            .run(client)
            .with_context(|| format!("cannot run the cases of {}", client.name))?;
        outcome.print_failures(client.name);
        outcomes.push((client.name, outcome));
    }
    print_table(&outcomes);
    let failing = outcomes.iter().filter(|(_, o)| !o.has_passed()).count();
    if failing > 0 {
        bail!("{failing} of {} clients fail", outcomes.len());
    }
    Ok(())
}

impl Client {
    const fn new(name: &'static str, runner: Runner) -> Self {
        Self { name, runner }
    }
}

/// What a client's script printed.
#[derive(Default)]
struct Outcome {
    version: String,
    /// How many cases of a kind passed.
    passed: BTreeMap<String, usize>,
    failures: Vec<String>,
}

impl Outcome {
    fn parse(printed: &str) -> Self {
        let mut outcome = Self::default();
        for line in printed.lines() {
            if let Some(version) = line.strip_prefix("version ") {
                version.clone_into(&mut outcome.version);
            } else if let Some(case) = line.strip_prefix("ok ") {
                let kind = case.split(' ').next().unwrap_or_default();
                *outcome.passed.entry(kind.to_owned()).or_default() += 1;
            } else if let Some(case) = line.strip_prefix("not ok ") {
                outcome.failures.push(case.to_owned());
            }
        }
        let without = KINDS
            .iter()
            .filter(|kind| !outcome.passed.contains_key(**kind));
        let missing = without.map(|kind| format!("{kind}: no case passed"));
        outcome.failures.extend(missing);
        outcome
    }

    fn has_passed(&self) -> bool {
        self.failures.is_empty()
    }

    fn print_failures(&self, client: &str) {
        for failure in &self.failures {
            println!("{client}: {failure}");
        }
    }

    fn passed(&self) -> usize {
        self.passed.values().sum()
    }
}

/// As README has it.
fn print_table(outcomes: &[(&str, Outcome)]) {
    println!("| client | version | cases | passed |\n|---|---|---|---|");
    for (name, outcome) in outcomes {
        let (version, passed) = (&outcome.version, outcome.passed());
        let cases = passed + outcome.failures.len();
        println!("| {name} | {version} | {cases} | {passed} |");
    }
}

/// The server and what runs scripts.
struct Bench {
    api: Api,
    python: PathBuf,
    node_modules: PathBuf,
}

impl Bench {
    fn run(&self, client: &Client) -> Result<Outcome> {
        let scripts = root().join("tests/clients");
        let mut command = match client.runner {
            Runner::Python(script) => with(&self.python, &scripts.join(script)),
            Runner::Recorded(file) => {
                let mut command = with(&self.python, &scripts.join("recorded.py"));
                command.arg(scripts.join("recorded").join(file));
                command
            }
            Runner::Node(script) => {
                let mut command = with(Path::new("node"), &scripts.join(script));
                command.env("NODE_PATH", &self.node_modules);
                command
            }
            Runner::Ruby(script) => with(Path::new("ruby"), &scripts.join(script)),
            Runner::Go(script) => {
                // Debian's packages are sources in a GOPATH of their own.
                let mut command = limited(Path::new("go"));
                command.arg("run").arg(scripts.join(script));
                command.env("GO111MODULE", "off");
                command.env("GOPATH", "/usr/share/gocode");
                command.env("GOFLAGS", "");
                command
            }
        };
        let account = self.api.make_account(client.name)?;
        let output = command
            .envs(account)
            // Nothing is left in the source tree.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .with_context(|| format!("cannot start {command:?}"))?;
        let mut outcome = Outcome::parse(&String::from_utf8_lossy(&output.stdout));
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let failure = format!("script: {}: {}", output.status, said.trim());
            outcome.failures.push(failure);
        }
        Ok(outcome)
    }
}

/// A client that waits for ever must not keep the others from running.
fn limited(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.arg("180").arg(program);
    command
}

fn with(interpreter: &Path, script: &Path) -> Command {
    let mut command = limited(interpreter);
    command.arg(script);
    command
}

/// A server that is set up, and its management API.
struct Api {
    server: Server,
    organization: String,
}

impl Api {
    fn set_up(server: Server) -> Result<Self> {
        let mut api = Self {
            server,
            organization: String::new(),
        };
        let made = api.post(
            "/api/v2/setup",
            &json!({"username": "admin", "password": PASSWORD, "org": ORGANIZATION,
                "bucket": "first", "token": TOKEN}),
        )?;
        api.organization = member(&made["org"], "id")?;
        Ok(api)
    }

    /// A bucket with its database, tokens and 1.x user for one client, as the variables that
    /// scripts read.
    fn make_account(&self, client: &str) -> Result<BTreeMap<&'static str, String>> {
        let organization = &self.organization;
        let database: String = client
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let bucket = json!({"orgID": organization, "name": database, "retentionRules": []});
        let bucket = member(&self.post("/api/v2/buckets", &bucket)?, "id")?;
        self.post(
            "/api/v2/dbrps",
            &json!({"orgID": organization, "bucketID": bucket, "database": database,
                "retention_policy": "autogen", "default": true}),
        )?;
        let may = |action: &str| {
            json!({"action": action,
                "resource": {"type": "buckets", "id": bucket, "orgID": organization}})
        };
        let reader = json!({"orgID": organization, "permissions": [may("read")]});
        let reader = self.post("/api/v2/authorizations", &reader)?;
        let user = format!("user_{database}");
        let users = "/private/legacy/authorizations";
        let made = self.post(
            users,
            &json!({"token": user, "orgID": organization,
                "permissions": [may("read"), may("write")]}),
        )?;
        let path = format!("{users}/{}/password", member(&made, "id")?);
        self.post(&path, &json!({"password": PASSWORD}))?;
        Ok(BTreeMap::from([
            ("HEADWATER_URL", self.server.url.clone()),
            ("HEADWATER_ORG", ORGANIZATION.to_owned()),
            ("HEADWATER_TOKEN", TOKEN.to_owned()),
            ("HEADWATER_READ_TOKEN", member(&reader, "token")?),
            ("HEADWATER_USER", user),
            ("HEADWATER_PASSWORD", PASSWORD.to_owned()),
            ("HEADWATER_DATABASE", database),
        ]))
    }

    /// The JSON answer, null where there is none.
    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut answer = ureq::post(format!("{}{path}", self.server.url))
            .header("Authorization", format!("Token {TOKEN}"))
            .header("Content-Type", "application/json")
            .send(body.to_string())
            .with_context(|| format!("the server refused POST {path}"))?;
        let text = answer.body_mut().read_to_string()?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&text)?)
    }
}

fn member(object: &Value, name: &str) -> Result<String> {
    let text = object[name].as_str();
    Ok(text
        .with_context(|| format!("the answer has no `{name}`"))?
        .to_owned())
}
