//! Laying file, variables and flags over the defaults, and remembering which of them gave a key
//! its value.
//!
//! The defaults, written as TOML, are the list of the keys there are and of their types. Whatever
//! is laid over them is tried key by key, so that a refusal names the key, its value and where
//! they came from.

use std::{collections::BTreeMap, fmt, path::Path};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use toml::{Table, Value};

use super::{Flags, Settings};

/// Names of variables that are shorter than their key.
const SHORT_VARIABLES: [(&str, &str); 4] = [
    ("HEADWATER_BIND", "server.bind"),
    ("HEADWATER_DATA_DIR", "storage.data_dir"),
    ("HEADWATER_LOG", "log.filter"),
    (
        "HEADWATER_MEMTABLE_FLUSH_BYTES",
        "storage.memtable_bytes_flush",
    ),
];

/// The settings in effect.
#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) settings: Settings,
    table: Table,
    origins: BTreeMap<String, String>,
}

/// Settings being put together.
pub(crate) struct Layers {
    defaults: Table,
    effective: Effective,
    /// What was wrong, all of it.
    complaints: Vec<String>,
}

impl Layers {
    /// The defaults only.
    pub(crate) fn new() -> Self {
        let settings = Settings::default();
        let defaults = Table::try_from(&settings).expect("the defaults can be written as TOML");
        Self {
            effective: Effective {
                settings,
                table: defaults.clone(),
                origins: BTreeMap::new(),
            },
            defaults,
            complaints: Vec::new(),
        }
    }

    /// File, variables and flags over the defaults.
    pub(crate) fn load(
        flags: &Flags,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Effective> {
        let mut layers = Self::new();
        if let Some(path) = &flags.config {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            layers.file(path, &text)?;
        }
        layers.variables(variables);
        for (flag, key, value) in flags.given() {
            layers.lay(&flag, key, value);
        }
        layers.finish()
    }

    fn file(&mut self, path: &Path, text: &str) -> Result<()> {
        let table: Table = text
            .parse()
            .with_context(|| format!("{} is not TOML", path.display()))?;
        self.lay_table(&path.display().to_string(), "", table);
        Ok(())
    }

    fn lay_table(&mut self, origin: &str, prefix: &str, table: Table) {
        for (name, value) in table {
            let key = join(prefix, &name);
            match (value, find(&self.defaults, &key)) {
                (Value::Table(inner), Some(Value::Table(_))) => {
                    self.lay_table(origin, &key, inner);
                }
                (value, _) => self.lay(origin, &key, value),
            }
        }
    }

    /// `HEADWATER_SECTION_KEY`. Variables of other commands are left alone, but one that names a
    /// section, or all but names a setting, is a mistake.
    fn variables(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        let mut known: BTreeMap<String, String> = keys(&self.defaults)
            .into_iter()
            .map(|key| (variable(&key), key))
            .collect();
        known.extend(SHORT_VARIABLES.map(|(name, key)| (name.to_owned(), key.to_owned())));
        let sections: Vec<String> = self
            .defaults
            .iter()
            .filter(|(_, value)| value.is_table())
            .map(|(section, _)| variable(section) + "_")
            .collect();
        let mut given: Vec<_> = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with("HEADWATER_"))
            .collect();
        given.sort();
        for (name, text) in given {
            if let Some(key) = known.get(&name) {
                self.lay(&name, key, Value::String(text));
                continue;
            }
            let (nearest, distance) = nearest(&name, known.keys());
            if distance <= 2 || sections.iter().any(|section| name.starts_with(section)) {
                self.complaints.push(format!(
                    "{name} is not a setting's variable; did you mean {nearest}?"
                ));
            }
        }
    }

    /// Gives `key` a value. Text is read as what the key takes; only TOML has types.
    fn lay(&mut self, origin: &str, key: &str, value: Value) {
        let value = match (find(&self.defaults, key), value) {
            (None, _) => return self.refuse_unknown(origin, key),
            (Some(Value::Table(_)), _) => {
                let complaint = format!("{origin}: {key} is a section, not a setting");
                return self.complaints.push(complaint);
            }
            (Some(default), Value::String(text)) => read_as(default, text),
            (Some(_), value) => value,
        };
        let mut table = self.effective.table.clone();
        *find_mut(&mut table, key).expect("found above") = value.clone();
        match Settings::deserialize(table.clone()) {
            Ok(settings) => {
                self.effective.settings = settings;
                self.effective.table = table;
                self.effective
                    .origins
                    .insert(key.to_owned(), origin.to_owned());
            }
            Err(error) => {
                let reason = error.message();
                let complaint = format!("{origin}: {key} = {value}: {reason}");
                self.complaints.push(complaint);
            }
        }
    }

    fn refuse_unknown(&mut self, origin: &str, key: &str) {
        let keys = keys(&self.defaults);
        let same_name = keys.iter().find(|known| last(known) == last(key));
        let advice = match same_name {
            Some(known) => known.as_str(),
            None => nearest(key, keys.iter().chain(self.defaults.keys())).0,
        };
        self.complaints.push(format!(
            "{origin}: {key} is not a setting; did you mean {advice}?"
        ));
    }

    fn finish(self) -> Result<Effective> {
        if !self.complaints.is_empty() {
            bail!("{}", self.complaints.join("\n"));
        }
        self.effective.settings.check()?;
        Ok(self.effective)
    }
}

/// As a TOML file whose comments tell where each value is from.
impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.section(f, "", &self.table)
    }
}

impl Effective {
    fn section(&self, f: &mut fmt::Formatter<'_>, prefix: &str, table: &Table) -> fmt::Result {
        let (sections, values): (Vec<_>, Vec<_>) =
            table.iter().partition(|(_, value)| value.is_table());
        if !prefix.is_empty() {
            writeln!(f, "\n[{prefix}]")?;
        }
        for (name, value) in values {
            let origin = self.origins.get(&join(prefix, name));
            let line = format!("{name} = {value}");
            writeln!(f, "{line:48} # {}", origin.map_or("default", |it| it))?;
        }
        for (name, value) in sections {
            let inner = value.as_table().expect("partitioned");
            self.section(f, &join(prefix, name), inner)?;
        }
        Ok(())
    }
}

fn variable(key: &str) -> String {
    format!("HEADWATER_{}", key.replace('.', "_").to_uppercase())
}

/// `text` as the type of `default`; as it is where it cannot be, which is then refused.
fn read_as(default: &Value, text: String) -> Value {
    let read = match default {
        Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
        Value::Integer(_) => text.parse().ok().map(Value::Integer),
        Value::Array(_) => {
            let parts = text.split(',').map(str::trim).filter(|it| !it.is_empty());
            Some(parts.map(Value::from).collect::<Vec<_>>().into())
        }
        _ => None,
    };
    read.unwrap_or(Value::String(text))
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn find<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        None => table.get(key),
        Some((section, rest)) => find(table.get(section)?.as_table()?, rest),
    }
}

fn find_mut<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Value> {
    match key.split_once('.') {
        None => table.get_mut(key),
        Some((section, rest)) => find_mut(table.get_mut(section)?.as_table_mut()?, rest),
    }
}

/// Every key, with its sections before it.
pub(super) fn keys(table: &Table) -> Vec<String> {
    let mut keys = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) => {
                keys.extend(keys_below(name, inner));
            }
            _ => keys.push(name.clone()),
        }
    }
    keys
}

fn keys_below(section: &str, table: &Table) -> impl Iterator<Item = String> {
    keys(table).into_iter().map(move |key| join(section, &key))
}

/// The most alike of `known` and its edit distance.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> (&'a str, usize) {
    known
        .map(|it| (it.as_str(), strsim::damerau_levenshtein(name, it)))
        .min_by_key(|(_, distance)| *distance)
        .expect("there are settings")
}
