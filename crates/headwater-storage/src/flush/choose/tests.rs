use std::time::Duration;

use super::{Choice, choose};
use crate::{settings::Settings, state::ActiveGeneration};

#[test]
fn a_flush_is_due_by_size_by_age_or_for_what_is_frozen() {
    let settings = Settings::new("/data");
    let check = |bytes, since: Option<u64>, is_frozen, now| {
        let active = ActiveGeneration {
            number: 1,
            first_sequence: 1,
            bytes,
            log_bytes: 1,
            since: since.map(Duration::from_secs),
            tables: Vec::new(),
        };
        choose(&settings, &active, is_frozen, Duration::from_secs(now))
    };
    assert_eq!(check(0, None, false, 1_000_000), Choice::Nothing);
    assert_eq!(
        check(settings.memtable_bytes_flush, Some(0), false, 0),
        Choice::Size
    );
    assert_eq!(check(1, Some(10), false, 609), Choice::Nothing);
    assert_eq!(check(1, Some(10), false, 610), Choice::Age);
    assert_eq!(check(0, None, true, 0), Choice::Size);
}
