//! `cargo xtask lint`: formatting, clippy with warnings denied, and `tidy`, our own rules.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{cargo, check, output, root};

pub(crate) fn run() -> Result<()> {
    check(cargo().args(["fmt", "--all", "--check"]))?;
    check(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    tidy()?;
    println!("lint: clean");
    Ok(())
}

/// Which workspace crates each may use: the arrows of ARCHITECTURE.md.
const ARROWS: [(&str, &[&str]); 8] = [
    ("headwater-env", &[]),
    ("headwater-model", &[]),
    ("headwater-influxql", &["model"]),
    ("headwater-catalog", &["env", "model"]),
    ("headwater-storage", &["env", "model", "catalog"]),
    (
        "headwater-query",
        &["env", "model", "influxql", "catalog", "storage"],
    ),
    (
        "headwater-http",
        &["env", "model", "influxql", "catalog", "storage", "query"],
    ),
    (
        "headwater",
        &[
            "env", "model", "influxql", "catalog", "storage", "query", "http",
        ],
    ),
];

/// Licences that may be linked into a binary that is itself MIT OR Apache-2.0.
const LICENCES: [&str; 13] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
];

fn tidy() -> Result<()> {
    let mut found = Vec::new();
    let text = output(cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata without packages")?;
    for package in packages {
        check_arrows(package, &mut found);
        check_licence(package, &mut found);
    }
    check_sources(&mut found)?;
    if found.is_empty() {
        return Ok(());
    }
    bail!("tidy:\n  {}", found.join("\n  "));
}

fn check_arrows(package: &Value, found: &mut Vec<String>) {
    let name = package["name"].as_str().unwrap_or_default();
    let Some((_, allowed)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == name) else {
        return;
    };
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let used = dependency["name"].as_str().unwrap_or_default();
        let Some(short) = used.strip_prefix("headwater-") else {
            continue;
        };
        if dependency["kind"].is_null() && !allowed.contains(&short) {
            found.push(format!(
                "{name} must not depend on {used} (ARCHITECTURE.md)"
            ));
        }
    }
}

fn check_licence(package: &Value, found: &mut Vec<String>) {
    let name = package["name"].as_str().unwrap_or_default();
    let licence = package["license"].as_str().unwrap_or_default();
    let holds = |alternative: &str| {
        alternative
            .split(" AND ")
            .all(|part| LICENCES.contains(&part.trim_matches(['(', ')', ' '])))
    };
    if !licence.replace('/', " OR ").split(" OR ").any(holds) {
        found.push(format!(
            "{name}: licence `{licence}` is not on the list in xtask/src/lint.rs"
        ));
    }
}

/// Rules for our own sources: each opens with what it holds, none leaves work undone.
fn check_sources(found: &mut Vec<String>) -> Result<()> {
    let root = root();
    let listed = output(std::process::Command::new("git").current_dir(&root).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "*.rs",
    ]))?;
    let banned = BTreeMap::from([
        (concat!("todo", "!("), "unfinished work"),
        (concat!("unimplemented", "!("), "unfinished work"),
        (concat!("#[ig", "nore"), "a test that does not run"),
        (concat!("dbg", "!("), "a debugging print"),
    ]);
    for file in listed.lines() {
        let path = root.join(file);
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        // A file of unit tests is named and placed after what it tests.
        let is_unit_tests = file.ends_with("/tests.rs");
        if !text.starts_with("//!") && !is_unit_tests {
            found.push(format!(
                "{file}: must open with a `//!` line that says what it holds"
            ));
        }
        if Path::new(file)
            .file_name()
            .is_some_and(|name| name == "mod.rs")
        {
            found.push(format!("{file}: use foo.rs beside foo/"));
        }
        for (number, line) in text.lines().enumerate() {
            for (word, what) in &banned {
                if line.contains(word) {
                    found.push(format!("{file}:{}: {what}: `{word}`", number + 1));
                }
            }
        }
    }
    Ok(())
}
