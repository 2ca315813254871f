//! `headwater setup`: asks a running server to set itself up and prints the token.

use anyhow::{Context, Result};
use serde_json::json;

use super::client::Client;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The server to set up
    #[arg(long, default_value = "http://127.0.0.1:8086", env = "HEADWATER_HOST")]
    host: String,
    /// Name of the first user
    #[arg(long)]
    username: String,
    /// Password of the first user, 8 to 72 characters; without one the user cannot sign in
    #[arg(
        long,
        env = "HEADWATER_PASSWORD",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    password: Option<String>,
    /// Name of the first organization
    #[arg(long)]
    org: String,
    /// Name of the first bucket
    #[arg(long)]
    bucket: String,
    /// How long the bucket keeps its data, in seconds; 0 is for ever
    #[arg(long, default_value_t = 0)]
    retention_seconds: u64,
    /// The operator token to use; without it one is made
    #[arg(
        long,
        env = "HEADWATER_TOKEN",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    token: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut body = json!({
        "username": args.username,
        "org": args.org,
        "bucket": args.bucket,
        "retentionPeriodSeconds": args.retention_seconds,
    });
    for (name, value) in [("password", &args.password), ("token", &args.token)] {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    let answer = Client::anonymous(&args.host).call("POST", "/api/v2/setup", &[], Some(&body))?;
    let token = answer["auth"]["token"]
        .as_str()
        .context("an answer without a token")?;
    print(token);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's result")]
fn print(token: &str) {
    println!("{token}");
}
