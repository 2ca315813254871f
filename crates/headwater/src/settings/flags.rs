//! The flags that choose settings, for every command that needs them.

use std::path::PathBuf;

use toml::Value;

/// Each flag stands for a key of the settings; `--set` for any of them.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Flags {
    /// TOML file with settings; `headwater config sample` prints one
    #[arg(long, value_name = "FILE", env = "HEADWATER_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Address and port to listen on, 127.0.0.1:8086 by default; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
    /// Where everything is kept, ./data by default; made if it does not exist
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// How databases map to buckets: `cloud` (the default) maps on write, `oss` has virtual
    /// mappings, in `v1` CREATE DATABASE and its like work too
    #[arg(long)]
    profile: Option<String>,
    /// Bytes of points in memory at which they are written to files
    #[arg(long, value_name = "BYTES")]
    memtable_flush_bytes: Option<String>,
    /// Any other setting, as `query.workers=8`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
}

impl Flags {
    /// The flags that were given: as the user wrote it, the key it stands for, its value.
    pub(super) fn given(&self) -> impl Iterator<Item = (String, &str, Value)> {
        let short = [
            ("--bind", "server.bind", &self.bind),
            ("--data-dir", "storage.data_dir", &self.data_dir),
            ("--profile", "profile", &self.profile),
            (
                "--memtable-flush-bytes",
                "storage.memtable_bytes_flush",
                &self.memtable_flush_bytes,
            ),
        ];
        let short = short.into_iter().filter_map(|(flag, key, text)| {
            let value = Value::String(text.clone()?);
            Some((flag.to_owned(), key, value))
        });
        let set = self.set.iter().map(|(key, text)| {
            let value = Value::String(text.clone());
            (format!("--set {key}"), key.as_str(), value)
        });
        short.chain(set)
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
