//! `headwater dbrp`: which bucket a database and retention policy mean.

use std::collections::HashMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::manage::{Manage, Session, text};

const MAPPINGS: &str = "/api/v2/dbrps";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater dbrp list
  headwater dbrp create --database telegraf --bucket sensors --default
  headwater dbrp create --database telegraf --rp short --bucket sensors-7d
  headwater dbrp delete 0a1b2c3d4e5f6071")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    manage: Manage,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the mappings whose buckets the token may read
    #[command(visible_alias = "ls")]
    List {
        /// Only those of this database
        #[arg(long, short, value_name = "NAME")]
        database: Option<String>,
    },
    /// Map a database and retention policy to a bucket and print the mapping's id
    Create {
        /// Database
        #[arg(long, short, value_name = "NAME")]
        database: String,
        /// Retention policy
        #[arg(long, value_name = "NAME", default_value = "autogen")]
        rp: String,
        /// Bucket, by name or id
        #[arg(long, short, value_name = "NAME")]
        bucket: String,
        /// Make it the database's default policy, as a database's first one is anyway
        #[arg(long)]
        default: bool,
    },
    /// Change a mapping
    Update {
        /// Id of the mapping
        id: String,
        /// New name of the retention policy
        #[arg(long, value_name = "NAME")]
        rp: Option<String>,
        /// Make it the database's default policy
        #[arg(long)]
        default: bool,
    },
    /// Delete a mapping; the bucket stays
    #[command(visible_alias = "rm")]
    Delete {
        /// Id of the mapping
        id: String,
    },
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let session = args.manage.session();
    let org_id = session.org_id()?;
    let client = &session.client;
    let org = [("orgID", &*org_id)];
    match &args.command {
        Command::List { database } => list(&session, &org_id, database.as_deref()),
        Command::Create {
            database,
            rp,
            bucket,
            default,
        } => {
            let bucket = session.bucket(&org_id, bucket)?;
            let body = json!({
                "orgID": org_id,
                "bucketID": bucket["id"],
                "database": database,
                "retention_policy": rp,
                "default": default,
            });
            let made = client.call("POST", MAPPINGS, &[], Some(&body))?;
            session.print_made(&made, &text(&made["id"]))
        }
        Command::Update { id, rp, default } => {
            let mut body = json!({});
            if let Some(rp) = rp {
                body["retention_policy"] = json!(rp);
            }
            if *default {
                body["default"] = json!(true);
            }
            let path = format!("{MAPPINGS}/{id}");
            let changed = client.call("PATCH", &path, &org, Some(&body))?;
            session.print_made(&changed, id)
        }
        Command::Delete { id } => {
            client.call("DELETE", &format!("{MAPPINGS}/{id}"), &org, None)?;
            Ok(())
        }
    }
}

fn list(session: &Session, org_id: &str, database: Option<&str>) -> Result<()> {
    let mut query = vec![("orgID", org_id)];
    query.extend(database.map(|name| ("db", name)));
    let answer = session.client.call("GET", MAPPINGS, &query, None)?;
    let found = answer["content"].as_array().cloned().unwrap_or_default();
    let buckets = session.list("/api/v2/buckets", "buckets", &[("orgID", org_id)])?;
    let names: HashMap<String, String> = buckets
        .iter()
        .map(|bucket| (text(&bucket["id"]), text(&bucket["name"])))
        .collect();
    let bucket = |mapping: &Value| {
        let id = text(&mapping["bucketID"]);
        names.get(&id).cloned().unwrap_or(id)
    };
    let kind = |mapping: &Value| match mapping["virtual"] == true {
        true => "virtual".to_owned(),
        false => String::new(),
    };
    let default = |mapping: &Value| match mapping["default"] == true {
        true => "default".to_owned(),
        false => String::new(),
    };
    session.print_list(
        &found,
        &[
            ("ID", &|mapping| text(&mapping["id"])),
            ("DATABASE", &|mapping| text(&mapping["database"])),
            ("POLICY", &|mapping| text(&mapping["retention_policy"])),
            ("BUCKET", &bucket),
            ("DEFAULT", &default),
            ("VIRTUAL", &kind),
        ],
    )
}
