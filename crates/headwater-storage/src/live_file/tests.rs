use headwater_model::Id;

use super::FileSpace;

fn path(measurement: &str) -> String {
    FileSpace::relative_path(Id::new(1).unwrap(), measurement, Id::new(2).unwrap())
}

#[test]
fn measurements_make_safe_folder_names() {
    let prefix = "0000000000000001";
    let file = "0000000000000002.parquet";
    assert_eq!(path("cpu"), format!("{prefix}/cpu/{file}"));
    assert_eq!(path("../a b"), format!("{prefix}/%2E%2E%2Fa%20b/{file}"));
    let long = "x".repeat(1000);
    let folder = path(&long).split('/').nth(1).unwrap().to_owned();
    assert_eq!(folder.len(), 120);
    assert_ne!(path(&long), path(&"x".repeat(1001)));
}

#[test]
fn only_own_names_are_recognised() {
    assert!(FileSpace::is_own_name("0000000000000002.parquet"));
    assert!(FileSpace::is_own_name("0000000000000002.parquet.tmp"));
    assert!(!FileSpace::is_own_name("mine.parquet"));
    assert!(!FileSpace::is_own_name("0000000000000002.csv"));
}
