//! The integrity record.

use super::*;

fn integrity_entry(value: &str) -> Vec<u8> {
    let mut bytes = KEY_INTEGRITY.as_bytes().to_vec();
    bytes.extend_from_slice(&[0x18, value.len() as u8]);
    bytes.extend_from_slice(value.as_bytes());
    bytes
}

#[test]
fn a_sealed_tail_verifies() {
    let mut tail = b"page index".to_vec();
    tail.extend(integrity_entry(&"0".repeat(INTEGRITY_LENGTH)));
    tail.extend(b"PAR1");
    seal(&mut tail, 0x1234).unwrap();
    verify(&tail, Path::new("f")).unwrap();
    assert_eq!(recorded_tail_start(&tail, Path::new("f")).unwrap(), 0x1234);
    tail[3] ^= 1;
    assert!(verify(&tail, Path::new("f")).is_err());
}

#[test]
fn only_the_last_record_counts() {
    let mut tail = integrity_entry("a field may be named so.");
    let last = tail.len();
    tail.extend(integrity_entry(&"0".repeat(INTEGRITY_LENGTH)));
    // Neither the key without a value nor a value of another length.
    tail.extend(KEY_INTEGRITY.as_bytes());
    tail.extend(integrity_entry("short"));
    assert_eq!(find_integrity(&tail), Some(last + KEY_INTEGRITY.len() + 2));
}

#[test]
fn a_tail_without_a_record_is_refused() {
    let error = verify(b"no such key", Path::new("f")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "data file f is damaged: its footer has no headwater.integrity"
    );
}
