use std::sync::Arc;

use headwater_env::SystemClock;

use super::*;

fn ids() -> RequestIds {
    RequestIds {
        clock: Arc::new(SystemClock),
        node: 0x1234_5678_9abc_def0,
        last: 0.into(),
    }
}

#[test]
fn the_clients_own_id_is_echoed() {
    let mut headers = HeaderMap::new();
    headers.insert("request-id", "short".parse().unwrap());
    assert_eq!(ids().of(&headers), "short");
    headers.insert("x-request-id", "long".parse().unwrap());
    assert_eq!(ids().of(&headers), "long");
}

#[test]
fn new_ids_are_distinct_version_1_uuids() {
    assert_eq!(
        uuid_v1(0x0123_4567_89ab_cdef, 5),
        "89abcdef-4567-1123-8000-000000000005"
    );
    let ids = ids();
    let (a, b) = (ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
    assert_ne!(a, b);
    assert_eq!(a.len(), 36);
}
