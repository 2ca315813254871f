//! `check`: what it finds on a stopped server's disk, and what a repair leaves.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use headwater_env::FileSystem;
use headwater_storage::{CheckReport, Components, Severity};

use crate::fixture::{Content, Fixture, HOUR};

async fn check(fixture: &Fixture, is_repair: bool) -> CheckReport {
    let components = Components {
        catalog: fixture.catalog.clone(),
        clock: fixture.clock.clone(),
        file_system: Arc::new(fixture.disk.clone()),
    };
    headwater_storage::check(&fixture.settings, components, is_repair)
        .await
        .unwrap()
}

/// Two series of two tags in three row groups of one file, and one point in the log.
async fn stopped() -> Fixture {
    let fixture = Fixture::with(|settings| {
        settings.row_group_rows = 4;
        settings.page_rows = 2;
    })
    .await;
    for i in 0..5 {
        let lines = format!("m,a=1,b=x v={i}i {i}\nm,a=2 v={i}i,w=\"{i}\" {i}");
        fixture.write(&lines).await;
    }
    fixture.engine.flush().await.unwrap();
    fixture.write(&format!("m v=7i {HOUR}")).await;
    fixture
}

/// What is there after a restart.
async fn restarted(mut fixture: Fixture) -> (Fixture, Content) {
    fixture.crash().await;
    let content = fixture.content();
    (fixture, content)
}

fn data_file(fixture: &Fixture) -> PathBuf {
    let dir = format!("/headwater/data/{}/m", fixture.bucket);
    let name = fixture.names(&dir).remove(0);
    Path::new(&dir).join(name)
}

/// Where a text begins in a file.
fn find(fixture: &Fixture, path: &Path, text: &str) -> usize {
    let bytes = fixture.disk.read(path).unwrap();
    let found = bytes
        .windows(text.len())
        .rposition(|w| w == text.as_bytes());
    found.unwrap()
}

/// The directory's place, from the footer.
fn directory(fixture: &Fixture, path: &Path) -> (usize, usize) {
    let at = find(fixture, path, "{\"offset\":");
    let bytes = fixture.disk.read(path).unwrap();
    let text = String::from_utf8_lossy(&bytes[at..at + 80]).into_owned();
    let number = |key: &str| {
        let digits = &text[text.find(key).unwrap() + key.len()..];
        digits
            .split(|c: char| !c.is_ascii_digit())
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    (number("\"offset\":"), number("\"length\":"))
}

#[tokio::test]
async fn a_whole_data_directory_has_no_findings() {
    let fixture = stopped().await;
    let report = check(&fixture, false).await;
    let expected = CheckReport {
        findings: Vec::new(),
        segments: 1,
        records: 2,
        files: 1,
        rows: 10,
    };
    assert_eq!(report, expected);
}

#[tokio::test]
async fn a_damaged_directory_is_rebuilt_from_the_tag_columns() {
    let fixture = stopped().await;
    let path = data_file(&fixture);
    let (offset, length) = directory(&fixture, &path);
    let (fixture, before) = restarted(fixture).await;
    assert!(fixture.disk.corrupt(&path, offset + length / 2, 0x40));
    let report = check(&fixture, false).await;
    assert!(report.is_damaged());
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert!(
        report.findings[0].text.contains("series directory"),
        "{report:?}"
    );
    assert_eq!(
        report,
        check(&fixture, false).await,
        "looking changes nothing"
    );

    let report = check(&fixture, true).await;
    assert!(!report.is_damaged());
    assert_eq!(
        report.findings[0].repaired.as_deref(),
        Some("rebuilt with all its 10 rows")
    );
    assert_eq!(check(&fixture, false).await.findings, []);
    assert_eq!(restarted(fixture).await.1, before);
}

#[tokio::test]
async fn a_file_that_the_server_set_aside_comes_back_repaired() {
    let (mut fixture, before) = restarted(stopped().await).await;
    let path = data_file(&fixture);
    let (offset, _) = directory(&fixture, &path);
    fixture.crash().await;
    assert!(fixture.disk.corrupt(&path, offset + 6, 0x40));
    let range = headwater_model::TimeRange::ALL;
    assert!(
        fixture.snapshot().partitions("m", range)[0]
            .select(None)
            .is_err()
    );
    assert_eq!(fixture.content().len(), 1, "of the log");
    let report = check(&fixture, true).await;
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert_eq!(report.findings[0].text, "it was set aside as damaged");
    assert!(!report.is_damaged());
    let (fixture, after) = restarted(fixture).await;
    assert_eq!(after, before);
    assert_eq!(fixture.engine.statistics().damaged_files, 0);
}

#[tokio::test]
async fn of_damaged_pages_only_their_row_group_is_lost() {
    let (fixture, before) = restarted(stopped().await).await;
    let path = data_file(&fixture);
    // The first row group: four rows of the first series.
    assert!(fixture.disk.corrupt(&path, 20, 0x01));
    let report = check(&fixture, true).await;
    assert!(!report.is_damaged(), "{report:?}");
    let repaired = report.findings[0].repaired.clone().unwrap();
    assert!(
        repaired.starts_with("rebuilt with 6 of its 10 rows; "),
        "{repaired}"
    );
    assert_eq!(fixture.names("/headwater/quarantine").len(), 1);
    assert_eq!(check(&fixture, false).await.findings, []);
    let (_, after) = restarted(fixture).await;
    let lost: Vec<_> = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .collect();
    assert!(
        lost.iter()
            .all(|(series, time, _)| series == "m,a=1,b=x" && *time < 4)
    );
    assert_eq!(lost.len(), 4);
}

#[tokio::test]
async fn a_file_without_footer_goes_to_the_quarantine() {
    let (fixture, _) = restarted(stopped().await).await;
    let path = data_file(&fixture);
    let len = fixture.disk.read(&path).unwrap().len();
    fixture.disk.truncate(&path, len as u64 - 9).unwrap();
    let report = check(&fixture, true).await;
    let texts: Vec<_> = report
        .findings
        .iter()
        .map(|finding| &*finding.text)
        .collect();
    assert!(texts[0].starts_with("it has "), "{texts:?}");
    assert_eq!(texts[1], "it does not end like a Parquet file");
    assert_eq!(fixture.names("/headwater/quarantine").len(), 1);
    assert_eq!(check(&fixture, false).await.findings, []);
    assert_eq!(restarted(fixture).await.1.len(), 1);
}

#[tokio::test]
async fn a_missing_file_is_taken_off_the_catalog() {
    let (fixture, _) = restarted(stopped().await).await;
    fixture.disk.remove(&data_file(&fixture)).unwrap();
    let report = check(&fixture, false).await;
    assert_eq!(
        report.findings[0].text,
        "it is listed in the catalog but missing"
    );
    assert!(!check(&fixture, true).await.is_damaged());
    assert_eq!(fixture.catalog.storage_records().await.unwrap().files, []);
}

#[tokio::test]
async fn records_around_a_damaged_one_are_kept() {
    let fixture = Fixture::new().await;
    for i in 1..=3 {
        fixture.write(&format!("m v={i}i {i}")).await;
    }
    let path = Path::new("/headwater/wal/0000000000000001.log");
    let second = 16 + (fixture.disk.read(path).unwrap().len() - 16) / 3;
    assert!(fixture.disk.corrupt(path, second + 40, 0x01));
    let report = check(&fixture, false).await;
    assert!(report.is_damaged());
    assert_eq!(report.findings[0].severity, Severity::Damage);
    let text = format!("it is damaged at byte {second}: checksum does not match");
    assert_eq!(report.findings[0].text, text);
    assert!(!check(&fixture, true).await.is_damaged());
    assert_eq!(check(&fixture, false).await.findings, []);
    assert!(
        fixture
            .names("/headwater/wal")
            .contains(&"0000000000000001.log.damaged".to_owned())
    );
    let (_, after) = restarted(fixture).await;
    assert_eq!(after.into_values().collect::<Vec<_>>(), ["1i", "3i"]);
}

#[tokio::test]
async fn a_torn_end_and_files_that_nothing_lists_are_leftovers() {
    let (fixture, before) = restarted(stopped().await).await;
    let dir = data_file(&fixture).parent().unwrap().to_owned();
    let log = Path::new("/headwater/wal/0000000000000002.log");
    let len = fixture.disk.read(log).unwrap().len() as u64;
    fixture.disk.truncate(log, len - 1).unwrap();
    let mut file = fixture
        .disk
        .create(&dir.join("00000000000000fe.parquet.tmp"))
        .unwrap();
    file.append(b"x").unwrap();
    let report = check(&fixture, false).await;
    assert!(!report.is_damaged());
    assert_eq!(report.findings.len(), 2, "{report:?}");
    check(&fixture, true).await;
    assert_eq!(check(&fixture, false).await.findings, []);
    // The write at the torn end was acknowledged here, since it was us who tore it.
    assert_eq!(restarted(fixture).await.1.len(), before.len() - 1);
}
