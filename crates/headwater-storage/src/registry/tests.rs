use headwater_model::{SeriesKey, line_protocol::series_key};

use super::{KeyBuilder, SeriesRegistry, canonical};

fn key(host: &str) -> SeriesKey {
    series_key(format!("cpu,host={host}").as_bytes())
}

/// Adds a spelling of the series that it reads as.
fn insert(registry: &mut SeriesRegistry, raw: &str) -> u32 {
    let key = series_key(raw.as_bytes());
    registry.insert(raw.as_bytes(), &key, 0)
}

#[test]
fn spellings_of_one_series_share_a_number() {
    let mut registry = SeriesRegistry::default();
    assert_eq!(registry.find(b"cpu,host=a"), None);
    let a = registry.insert_canonical("cpu,host=a", 0);
    let b = insert(&mut registry, "cpu,host=b");
    assert_eq!(registry.insert(b"cpu,host=\\a", &key("a"), 0), a);
    for _ in 0..3 {
        assert_eq!(registry.find(b"cpu,host=a"), Some((a, 0)));
        assert_eq!(registry.find(b"cpu,host=b"), Some((b, 0)));
        assert_eq!(registry.find(b"cpu,host=\\a"), Some((a, 0)));
        assert_eq!(registry.find(b"cpu,host=c"), None);
    }
    assert_eq!(registry.keys().len(), 2);
}

#[test]
fn a_clone_of_the_keys_stays_as_it_is() {
    let mut registry = SeriesRegistry::default();
    let mut clones = Vec::new();
    for i in 0..10_000u32 {
        let name = i.to_string();
        assert_eq!(insert(&mut registry, key(&name).as_str()), i);
        if i % 1000 == 999 {
            clones.push(registry.keys().clone());
        }
    }
    for (i, keys) in clones.iter().enumerate() {
        assert_eq!(keys.len(), (i + 1) * 1000);
        let name = (i * 1000).to_string();
        assert_eq!(keys.text(i as u32 * 1000), key(&name).as_str());
        let built = keys.key(i as u32 * 1000);
        assert_eq!(built.tag("host").map(|v| &**v), Some(&*name));
        let number = i as u32 * 1000;
        assert_eq!(KeyBuilder::default().key(keys, number), built);
    }
}

#[test]
fn what_is_taken_as_canonical_is_the_key() {
    for raw in [
        "m",
        "m,a=1",
        "m,a=1,b=2",
        "m,b=2,a=1",
        "m,a=1,a=2",
        "m=x,a=1",
        "m,a=b=c",
        "m\\ x,a=1",
        "m,a=\\,",
        "m,a",
        "m,a=",
        "ü,ö=ä,ü=1",
    ] {
        let key = series_key(raw.as_bytes());
        match canonical(raw.as_bytes()) {
            Some(text) => {
                assert_eq!(text, key.as_str(), "{raw}");
                let mut registry = SeriesRegistry::default();
                let number = registry.insert_canonical(text, 0);
                let built = KeyBuilder::default().key(registry.keys(), number);
                assert_eq!(built.tags(), key.tags(), "{raw}");
            }
            None => assert!(!["m", "m,a=1", "m,a=1,b=2"].contains(&raw), "{raw}"),
        }
    }
}

#[test]
fn a_key_that_reads_as_another_series_is_not_that_series() {
    let mut registry = SeriesRegistry::default();
    // The name `\=x` is written with two backslashes; with one it is the name `=x`.
    let spellings = ["\\\\=x", "\\=x", "=x"];
    let numbers = spellings.map(|raw| insert(&mut registry, raw));
    let names = spellings.map(|raw| series_key(raw.as_bytes()).measurement().clone());
    for (at, raw) in spellings.iter().enumerate() {
        assert_eq!(
            registry.find(raw.as_bytes()),
            Some((numbers[at], 0)),
            "{raw}"
        );
        let keys = registry.keys();
        assert_eq!(*keys.key(numbers[at]).measurement(), names[at], "{raw}");
        let built = KeyBuilder::default().key(keys, numbers[at]);
        assert_eq!(*built.measurement(), names[at], "{raw}");
    }
    assert_eq!(numbers[0] == numbers[1], names[0] == names[1]);
    assert_eq!(registry.keys().len(), 2);
}
