//! `headwater token` and `headwater v1-user`: credentials, and what they allow.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result, bail};
use headwater_catalog::Permission;
use headwater_model::Id;
use serde_json::{Value, json};

use super::manage::{Manage, Session, text};

const TOKENS: &str = "/api/v2/authorizations";
const USERS: &str = "/private/legacy/authorizations";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater token list
  headwater token create --description grafana --read-bucket sensors
  headwater token create --description admin --all-access
  headwater token delete 0a1b2c3d4e5f6071

A token is shown once, when it is made.")]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
    #[command(flatten)]
    manage: Manage,
}

#[derive(Debug, clap::Subcommand)]
enum TokenCommand {
    /// List the tokens that the token may read
    #[command(visible_alias = "ls")]
    List,
    /// Make a token and print it
    Create {
        #[command(flatten)]
        grants: Grants,
        /// Read and write everything of the organization
        #[arg(long, conflicts_with_all = ["read_bucket", "write_bucket"])]
        all_access: bool,
    },
    /// Delete a token
    #[command(visible_alias = "rm")]
    Delete {
        /// Id of the token
        id: String,
    },
    /// Let an inactive token be used again
    Activate {
        /// Id of the token
        id: String,
    },
    /// Make a token useless without deleting it
    Deactivate {
        /// Id of the token
        id: String,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater v1-user create telegraf --write-bucket sensors
  headwater v1-user create grafana --password 'a secret' --read-bucket sensors
  headwater v1-user set-password grafana
  headwater v1-user list

Such a user signs in at /write and /query by name and password, as with InfluxDB 1.x. Without
--password the password is read from standard input.")]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
    #[command(flatten)]
    manage: Manage,
}

#[derive(Debug, clap::Subcommand)]
enum UserCommand {
    /// List the users that the token may read
    #[command(visible_alias = "ls")]
    List,
    /// Make a user
    Create {
        /// Name to sign in with
        name: String,
        /// Password; without it a line is read from standard input
        #[arg(long, allow_hyphen_values = true)]
        password: Option<String>,
        #[command(flatten)]
        grants: Grants,
    },
    /// Give a user another password
    SetPassword {
        /// Name of the user
        name: String,
        /// Password; without it a line is read from standard input
        #[arg(long, allow_hyphen_values = true)]
        password: Option<String>,
    },
    /// Delete a user
    #[command(visible_alias = "rm")]
    Delete {
        /// Name of the user
        name: String,
    },
}

/// What a credential is for and what it allows.
#[derive(Debug, clap::Args)]
struct Grants {
    /// Bucket that may be read, by name or id; may be given several times
    #[arg(long, value_name = "BUCKET")]
    read_bucket: Vec<String>,
    /// Bucket that may be written, by name or id; may be given several times
    #[arg(long, value_name = "BUCKET")]
    write_bucket: Vec<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

impl Grants {
    fn permissions(&self, session: &Session, org_id: &str) -> Result<Vec<Value>> {
        if self.read_bucket.is_empty() && self.write_bucket.is_empty() {
            bail!("what may it do? give --read-bucket or --write-bucket");
        }
        let actions = [("read", &self.read_bucket), ("write", &self.write_bucket)];
        let mut permissions = Vec::new();
        for (action, buckets) in actions {
            for bucket in buckets {
                let id = text(&session.bucket(org_id, bucket)?["id"]);
                let resource = json!({ "type": "buckets", "id": id, "orgID": org_id });
                permissions.push(json!({ "action": action, "resource": resource }));
            }
        }
        Ok(permissions)
    }
}

/// Everything of an organization.
fn all_access(org_id: &str) -> Result<Vec<Value>> {
    let id: Id = org_id.parse().context("the organization has no id")?;
    let permission = |permission: Permission| {
        let mut resource = json!({ "type": permission.resource_type.name() });
        if let Some(id) = permission.id {
            resource["id"] = json!(id.to_string());
        }
        if let Some(id) = permission.org_id {
            resource["orgID"] = json!(id.to_string());
        }
        json!({ "action": permission.action.name(), "resource": resource })
    };
    let all = Permission::all_access(id).into_iter();
    Ok(all.map(permission).collect())
}

pub(crate) fn run_token(args: &TokenArgs) -> Result<()> {
    let session = args.manage.session();
    let set_status = |id: &str, status: &str| {
        let body = json!({ "status": status });
        let path = format!("{TOKENS}/{id}");
        session.client.call("PATCH", &path, &[], Some(&body))?;
        Ok(())
    };
    match &args.command {
        TokenCommand::List => list(&session, TOKENS, "DESCRIPTION", "description"),
        TokenCommand::Create {
            grants,
            all_access: is_all,
        } => {
            let org_id = session.org_id()?;
            let permissions = match is_all {
                true => all_access(&org_id)?,
                false => grants.permissions(&session, &org_id).context(
                    "a token needs permissions (--all-access gives all of the organization's)",
                )?,
            };
            let body = json!({
                "orgID": org_id,
                "description": grants.description,
                "permissions": permissions,
            });
            let made = session.client.call("POST", TOKENS, &[], Some(&body))?;
            session.print_made(&made, &text(&made["token"]))
        }
        TokenCommand::Delete { id } => {
            let path = format!("{TOKENS}/{id}");
            session.client.call("DELETE", &path, &[], None)?;
            Ok(())
        }
        TokenCommand::Activate { id } => set_status(id, "active"),
        TokenCommand::Deactivate { id } => set_status(id, "inactive"),
    }
}

pub(crate) fn run_user(args: &UserArgs) -> Result<()> {
    let session = args.manage.session();
    match &args.command {
        UserCommand::List => list(&session, USERS, "NAME", "token"),
        UserCommand::Create {
            name,
            password,
            grants,
        } => {
            let org_id = session.org_id()?;
            let permissions = grants.permissions(&session, &org_id)?;
            let password = password_or_line(password.as_deref())?;
            let body = json!({
                "orgID": org_id,
                "token": name,
                "description": grants.description,
                "permissions": permissions,
            });
            let made = session.client.call("POST", USERS, &[], Some(&body))?;
            let id = text(&made["id"]);
            if let Err(error) = set_password(&session, &id, &password) {
                // A user without a password is of no use, and its name would be taken.
                let path = format!("{USERS}/{id}");
                session.client.call("DELETE", &path, &[], None)?;
                return Err(error);
            }
            session.print_made(&made, &id)
        }
        UserCommand::SetPassword { name, password } => {
            let id = user_id(&session, name)?;
            set_password(&session, &id, &password_or_line(password.as_deref())?)
        }
        UserCommand::Delete { name } => {
            let path = format!("{USERS}/{}", user_id(&session, name)?);
            session.client.call("DELETE", &path, &[], None)?;
            Ok(())
        }
    }
}

fn user_id(session: &Session, name: &str) -> Result<String> {
    let found = session
        .client
        .call("GET", USERS, &[("token", name)], None)
        .with_context(|| format!("there is no user {name:?}"))?;
    let id = found["authorizations"][0]["id"].as_str();
    Ok(id
        .with_context(|| format!("there is no user {name:?}"))?
        .to_owned())
}

fn set_password(session: &Session, id: &str, password: &str) -> Result<()> {
    let body = json!({ "password": password });
    let path = format!("{USERS}/{id}/password");
    session.client.call("POST", &path, &[], Some(&body))?;
    Ok(())
}

fn password_or_line(password: Option<&str>) -> Result<String> {
    if let Some(password) = password {
        return Ok(password.to_owned());
    }
    if io::stdin().is_terminal() {
        super::note("type the password, then Enter; it is shown as it is typed");
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("a password is needed");
    }
    Ok(password.to_owned())
}

fn list(session: &Session, path: &str, heading: &str, member: &str) -> Result<()> {
    let mut query = Vec::new();
    let org_id;
    if session.has_org() {
        org_id = session.org_id()?;
        query.push(("orgID", &*org_id));
    }
    let answer = session.client.call("GET", path, &query, None)?;
    let found = answer["authorizations"].as_array();
    session.print_list(
        found.map_or(&[], Vec::as_slice),
        &[
            ("ID", &|object| text(&object["id"])),
            (heading, &|object| text(&object[member])),
            ("STATUS", &|object| text(&object["status"])),
            ("ORGANIZATION", &|object| text(&object["org"])),
            ("PERMISSIONS", &permissions_text),
        ],
    )
}

/// `read:sensors, write:sensors`; long lists in short.
fn permissions_text(object: &Value) -> String {
    let permissions = object["permissions"].as_array();
    let permissions = permissions.map_or(&[][..], Vec::as_slice);
    if permissions.len() > 8 {
        return format!("{} permissions", permissions.len());
    }
    let one = |permission: &Value| {
        let resource = &permission["resource"];
        let name = ["name", "id", "type"]
            .iter()
            .find_map(|m| resource[*m].as_str());
        format!(
            "{}:{}",
            text(&permission["action"]),
            name.unwrap_or_default()
        )
    };
    permissions.iter().map(one).collect::<Vec<_>>().join(", ")
}
