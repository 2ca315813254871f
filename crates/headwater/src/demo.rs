//! Setting up an empty server at start: the demo of `serve --demo` and the variables of
//! InfluxDB's Docker image.

use std::net::SocketAddr;

use anyhow::{Context, Result, anyhow, bail};
use headwater_catalog::{Catalog, NewMapping, Setup};
use tracing::info;

/// The organization, bucket, user and database of the demo.
const NAME: &str = "demo";

/// On a catalog that was never set up: makes the demo organization, bucket and mapping and prints
/// the token with lines to paste.
pub(crate) async fn set_up(catalog: &Catalog, address: SocketAddr) -> Result<()> {
    if !catalog.state().is_setup_allowed() {
        return Ok(());
    }
    let outcome = catalog
        .setup(Setup {
            username: NAME.to_owned(),
            organization: NAME.to_owned(),
            bucket: NAME.to_owned(),
            ..Setup::default()
        })
        .await?;
    catalog
        .create_mapping(NewMapping {
            org_id: outcome.organization.id,
            bucket_id: outcome.bucket.id,
            database: NAME.to_owned(),
            retention_policy: "autogen".to_owned(),
            is_default: true,
        })
        .await?;
    print(&outcome.token, address);
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the token is shown here and nowhere else"
)]
fn print(token: &str, address: SocketAddr) {
    println!(
        "\nThis server is set up with the organization, bucket and database `{NAME}`. Its token, shown only now:\n\n    \
         {token}\n\nA first write and query, ready to paste:\n\n    \
         curl -i 'http://{address}/write?db={NAME}' -H 'Authorization: Token {token}' --data-binary 'cpu,host=a usage=0.64'\n    \
         curl -G 'http://{address}/query' -H 'Authorization: Token {token}' -d db={NAME} --data-urlencode 'q=SELECT * FROM cpu'\n"
    );
}

/// Follows `DOCKER_INFLUXDB_INIT_*` when its mode is `setup` and nothing is set up yet
/// (`spec/v2_management.md` §1). Whether it set up anything.
pub(crate) async fn docker_setup(catalog: &Catalog) -> Result<bool> {
    match variable("MODE")?.as_deref() {
        None => return Ok(false),
        Some("setup") => {}
        Some(other) => bail!("DOCKER_INFLUXDB_INIT_MODE is `{other}`; only `setup` is known"),
    }
    if !catalog.state().is_setup_allowed() {
        return Ok(false);
    }
    let needed = |name: &str| {
        variable(name)?.with_context(|| format!("set-up needs DOCKER_INFLUXDB_INIT_{name}"))
    };
    let retention = match variable("RETENTION")? {
        None => 0,
        Some(text) => headwater_influxql::parse_duration(&text)
            .map_err(|error| anyhow!("DOCKER_INFLUXDB_INIT_RETENTION: {error}"))?,
    };
    let outcome = catalog
        .setup(Setup {
            username: needed("USERNAME")?,
            password: Some(needed("PASSWORD")?),
            organization: needed("ORG")?,
            bucket: needed("BUCKET")?,
            retention_seconds: retention / 1_000_000_000,
            token: variable("ADMIN_TOKEN")?,
        })
        .await?;
    info!(
        "set up organization {} from the environment",
        outcome.organization.name
    );
    Ok(true)
}

/// `DOCKER_INFLUXDB_INIT_NAME`, or what the file named by `DOCKER_INFLUXDB_INIT_NAME_FILE` holds,
/// which is how containers are handed secrets.
fn variable(name: &str) -> Result<Option<String>> {
    let filled = |name: String| std::env::var(name).ok().filter(|text| !text.is_empty());
    let name = format!("DOCKER_INFLUXDB_INIT_{name}");
    if let Some(text) = filled(name.clone()) {
        return Ok(Some(text));
    }
    let Some(path) = filled(format!("{name}_FILE")) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path).with_context(|| format!("{name}_FILE: {path}"))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}
