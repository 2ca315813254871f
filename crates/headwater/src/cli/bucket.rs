//! `headwater bucket`: list, make, change and delete buckets.

use anyhow::Result;
use serde_json::{Value, json};

use super::manage::{Manage, Session, parse_seconds, print_seconds, text};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater bucket list
  headwater bucket create sensors --retention 30d
  headwater bucket update sensors --retention inf
  headwater bucket delete sensors

A write to the database `sensors` goes to the bucket of that name; one to the retention policy
`short` of it to the bucket `sensors/short`.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    manage: Manage,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the buckets that the token may read
    #[command(visible_alias = "ls")]
    List,
    /// Make a bucket and print its id
    Create {
        /// Name of the bucket
        name: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change a bucket
    Update {
        /// Name or id of the bucket
        bucket: String,
        /// New name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Delete a bucket and all its data
    #[command(visible_alias = "rm")]
    Delete {
        /// Name or id of the bucket
        bucket: String,
    },
}

#[derive(Debug, clap::Args)]
struct Settings {
    /// How long points are kept, such as 30d or 12h; `inf` is for ever
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds)]
    retention: Option<u64>,
    /// How long the time partitions are, such as 1d
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds)]
    shard_group_duration: Option<u64>,
    /// What the bucket is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

impl Settings {
    /// The members of a request. `current` is the rule of a bucket that is changed.
    fn body(&self, current: Option<&Value>) -> Value {
        let mut body = json!({});
        if self.retention.is_some() || self.shard_group_duration.is_some() {
            let mut rule = current.cloned().unwrap_or(json!({ "everySeconds": 0 }));
            rule["type"] = json!("expire");
            if let Some(seconds) = self.retention {
                rule["everySeconds"] = json!(seconds);
            }
            if let Some(seconds) = self.shard_group_duration {
                rule["shardGroupDurationSeconds"] = json!(seconds);
            }
            body["retentionRules"] = json!([rule]);
        }
        if let Some(description) = &self.description {
            body["description"] = json!(description);
        }
        body
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let session = args.manage.session();
    let client = &session.client;
    match &args.command {
        Command::List => list(&session),
        Command::Create { name, settings } => {
            let mut body = settings.body(None);
            body["name"] = json!(name);
            body["orgID"] = json!(session.org_id()?);
            let made = client.call("POST", "/api/v2/buckets", &[], Some(&body))?;
            session.print_made(&made, &text(&made["id"]))
        }
        Command::Update {
            bucket,
            name,
            settings,
        } => {
            let found = session.bucket(&session.org_id()?, bucket)?;
            let mut body = settings.body(Some(&found["retentionRules"][0]));
            if let Some(name) = name {
                body["name"] = json!(name);
            }
            let changed = client.call("PATCH", &path(&found), &[], Some(&body))?;
            session.print_made(&changed, &text(&changed["id"]))
        }
        Command::Delete { bucket } => {
            let found = session.bucket(&session.org_id()?, bucket)?;
            client.call("DELETE", &path(&found), &[], None)?;
            Ok(())
        }
    }
}

fn path(bucket: &Value) -> String {
    format!("/api/v2/buckets/{}", text(&bucket["id"]))
}

fn list(session: &Session) -> Result<()> {
    let org_id = session.org_id()?;
    let buckets = session.list("/api/v2/buckets", "buckets", &[("orgID", &org_id)])?;
    let rule = |bucket: &Value, member: &str| print_seconds(&bucket["retentionRules"][0][member]);
    session.print_list(
        &buckets,
        &[
            ("ID", &|bucket| text(&bucket["id"])),
            ("NAME", &|bucket| text(&bucket["name"])),
            ("RETENTION", &|bucket| rule(bucket, "everySeconds")),
            ("PARTITIONS", &|bucket| {
                rule(bucket, "shardGroupDurationSeconds")
            }),
            ("DESCRIPTION", &|bucket| text(&bucket["description"])),
        ],
    )
}
