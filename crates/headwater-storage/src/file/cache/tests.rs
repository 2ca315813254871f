//! What stays and what goes.

use super::*;

fn key(file: u64, chunk: u32) -> CacheKey {
    CacheKey {
        file,
        part: Part::Chunk(chunk),
    }
}

fn insert(cache: &FileCache, key: CacheKey, size_bytes: usize) {
    cache.insert(key, Cached::Chunk(Bytes::from_static(b"x")), size_bytes);
}

fn entries(cache: &FileCache) -> usize {
    cache.0.state.read().entries.len()
}

#[test]
fn the_budget_is_kept() {
    let cache = FileCache::new(100);
    for chunk in 0..1_000 {
        insert(
            &cache,
            key(chunk % 7, chunk as u32),
            1 + (chunk as usize * 31) % 25,
        );
        assert!(cache.used_bytes() <= 100);
    }
    assert!(entries(&cache) >= 4);
}

#[test]
fn what_is_used_outlives_what_is_not() {
    let cache = FileCache::new(100);
    insert(&cache, key(0, 0), 10);
    for chunk in 1..100 {
        insert(&cache, key(0, chunk), 10);
        assert!(cache.get(key(0, 0)).is_some(), "after {chunk} others");
    }
    assert!(cache.get(key(0, 1)).is_none());
}

#[test]
fn a_large_entry_does_not_displace_all_others() {
    let cache = FileCache::new(100);
    insert(&cache, key(0, 0), 10);
    insert(&cache, key(0, 1), 60);
    assert!(cache.get(key(0, 0)).is_some());
    assert!(cache.get(key(0, 1)).is_none());
}

#[test]
fn a_new_value_replaces_the_old_one() {
    let cache = FileCache::new(100);
    insert(&cache, key(0, 0), 10);
    insert(&cache, key(0, 0), 20);
    assert_eq!((entries(&cache), cache.used_bytes()), (1, 20));
}

#[test]
fn removing_a_file_leaves_the_others() {
    let cache = FileCache::new(1_000);
    for chunk in 0..20 {
        insert(&cache, key(u64::from(chunk % 3), chunk), 10);
    }
    cache.remove_file(1);
    for chunk in 0..20 {
        assert_eq!(
            cache.get(key(u64::from(chunk % 3), chunk)).is_some(),
            chunk % 3 != 1
        );
    }
    assert_eq!(cache.used_bytes(), 10 * entries(&cache));
}
