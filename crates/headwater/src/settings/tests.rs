use super::{layers::Effective, *};

fn load(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Effective> {
    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        flags: Flags,
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("x.toml");
    std::fs::write(&path, file).expect("a writable file");
    let mut arguments = vec!["headwater", "--config", path.to_str().expect("UTF-8")];
    arguments.extend(flags);
    let command: Command = clap::Parser::parse_from(arguments);
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Layers::load(&command.flags, variables).map_err(|error| {
        let text = format!("{error:#}").replace(path.to_str().expect("UTF-8"), "x.toml");
        anyhow::anyhow!(text)
    })
}

#[track_caller]
fn refused(file: &str, variables: &[(&str, &str)], flags: &[&str], expected: &str) {
    match load(file, variables, flags) {
        Ok(_) => panic!("accepted, but expected: {expected}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

/// The line of `config check` for a key.
fn line(effective: &Effective, key: &str) -> String {
    let text = effective.to_string();
    let line = text.lines().find(|line| line.starts_with(key));
    let line = line.unwrap_or_else(|| panic!("no {key} in:\n{text}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_sample_names_every_setting_with_its_default() {
    let uncommented: String = SAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let sample: toml::Table = uncommented.parse().expect("the sample is TOML");
    let defaults = toml::Table::try_from(Settings::default()).expect("TOML");
    assert_eq!(
        layers::keys(&sample),
        layers::keys(&defaults),
        "an entry for each setting in headwater.sample.toml"
    );
    assert_eq!(sample, defaults);
    load(SAMPLE, &[], &[]).expect("the sample as it is");
}

#[test]
fn variables_win_over_the_file_and_flags_over_both() {
    let file = "[query]\nworkers = 1\nmax_select_buckets = 1\npieces_buffered = 1";
    let variables = [
        ("HEADWATER_QUERY_WORKERS", "2"),
        ("HEADWATER_QUERY_MAX_SELECT_BUCKETS", "2"),
        ("HEADWATER_HOST", "of another command"),
    ];
    let effective = load(file, &variables, &["--set", "query.workers=3"]).expect("valid");
    let query = &effective.settings.query;
    assert_eq!(
        (
            query.workers,
            query.max_select_buckets,
            query.pieces_buffered
        ),
        (3, 2, 1)
    );
    assert_eq!(
        line(&effective, "workers"),
        "workers = 3 # --set query.workers"
    );
    assert_eq!(
        line(&effective, "max_select_buckets"),
        "max_select_buckets = 2 # HEADWATER_QUERY_MAX_SELECT_BUCKETS"
    );
    assert!(line(&effective, "pieces_buffered").ends_with("x.toml"));
    assert_eq!(line(&effective, "page_rows"), "page_rows = 4000 # default");
}

#[test]
fn what_config_check_prints_is_a_settings_file() {
    let written = "profile = \"v1\"\n[storage.wal]\nfsync = \"100ms\"";
    let effective = load(written, &[], &[]).expect("valid");
    let again = load(&effective.to_string(), &[], &[]).expect("valid");
    assert_eq!(
        format!("{:?}", again.settings),
        format!("{:?}", effective.settings)
    );
}

#[test]
fn short_names_stand_for_their_keys() {
    let variables = [
        ("HEADWATER_BIND", "[::1]:1"),
        ("HEADWATER_DATA_DIR", "/x"),
        ("HEADWATER_LOG", "warn"),
        ("HEADWATER_MEMTABLE_FLUSH_BYTES", "4096"),
        ("HEADWATER_PROFILE", "oss"),
    ];
    let settings = load("", &variables, &["--profile", "v1"])
        .expect("valid")
        .settings;
    assert_eq!(settings.server.bind.to_string(), "[::1]:1");
    assert_eq!(settings.storage.data_dir, PathBuf::from("/x"));
    assert_eq!(settings.storage.memtable_bytes_flush, 4096);
    assert_eq!(settings.log.filter, "warn");
    assert_eq!(settings.catalog().profile, Profile::V1);
}

#[test]
fn unknown_keys_are_refused_with_what_would_be_right() {
    refused(
        "bind = \"127.0.0.1:1\"\n[storage]\ncache_byte = 1",
        &[],
        &[],
        "x.toml: bind is not a setting; did you mean server.bind?\n\
         x.toml: storage.cache_byte is not a setting; did you mean storage.cache_bytes?",
    );
    refused(
        "[htttp]\nmetrics_enabled = true",
        &[],
        &[],
        "x.toml: htttp is not a setting; did you mean http?",
    );
    refused(
        "",
        &[("HEADWATER_QUERY_WORKER", "2"), ("HEADWATER_PROFIL", "v1")],
        &[],
        "HEADWATER_PROFIL is not a setting's variable; did you mean HEADWATER_PROFILE?\n\
         HEADWATER_QUERY_WORKER is not a setting's variable; did you mean HEADWATER_QUERY_WORKERS?",
    );
    refused(
        "",
        &[],
        &["--set", "workers=1"],
        "--set workers: workers is not a setting; did you mean query.workers?",
    );
}

#[test]
fn values_that_do_not_fit_are_refused_with_their_key_and_origin() {
    for (file, expected) in [
        (
            "[query]\nworkers = \"many\"",
            "x.toml: query.workers = \"many\": invalid type: string \"many\", expected usize",
        ),
        (
            "[storage]\ncache_bytes = \"1 apple\"",
            "x.toml: storage.cache_bytes = \"1 apple\": expected a number of bytes, as 1048576 or \"1MiB\"",
        ),
        (
            "[storage]\nflush_age = \"soon\"",
            "x.toml: storage.flush_age = \"soon\": expected a duration, as \"30s\" or \"1h\"",
        ),
        (
            "[storage]\nwal = 1",
            "x.toml: storage.wal is a section, not a setting",
        ),
        (
            "[storage.wal]\nfsync = \"never\"",
            "x.toml: storage.wal.fsync = \"never\": expected \"always\" or an interval, as \"100ms\"",
        ),
        (
            "[http]\nback_pressure_status = 429",
            "x.toml: http.back_pressure_status = 429: expected a status from 500 to 599",
        ),
        (
            "profile = \"v2\"",
            "x.toml: profile = \"v2\": unknown variant `v2`, expected one of `cloud`, `oss`, `v1`",
        ),
        (
            "[storage]\nmemtable_bytes_flush = \"1GiB\"",
            "storage.memtable_bytes_flush must not be above storage.memtable_bytes_max",
        ),
        (
            "[credentials]\nbcrypt_cost = 40",
            "credentials.bcrypt_cost must be from 4 to 31",
        ),
    ] {
        refused(file, &[], &[], expected);
    }
}

#[test]
fn sizes_are_numbers_or_have_a_unit() {
    for (text, bytes) in [
        ("1048576", 1 << 20),
        ("\"1 MiB\"", 1 << 20),
        ("\"3gb\"", 3_000_000_000),
        ("\"12\"", 12),
        ("0", 0),
    ] {
        let effective = load(&format!("[storage]\ncache_bytes = {text}"), &[], &[]);
        let settings = effective.expect("valid").settings;
        assert_eq!(settings.storage.cache_bytes, bytes, "{text}");
    }
}
