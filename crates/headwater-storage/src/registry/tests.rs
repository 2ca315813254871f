use headwater_model::SeriesKey;

use super::SeriesRegistry;

fn key(host: &str) -> SeriesKey {
    SeriesKey::new("cpu".into(), vec![("host".into(), host.into())])
}

#[test]
fn spellings_of_one_series_share_a_number() {
    let mut registry = SeriesRegistry::default();
    assert_eq!(registry.find(b"cpu,host=a"), None);
    let a = registry.insert(b"cpu,host=a", key("a"), 0);
    let b = registry.insert(b"cpu,host=b", key("b"), 0);
    assert_eq!(registry.insert(b"cpu,host=\\a", key("a"), 0), a);
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
        assert_eq!(registry.insert(name.as_bytes(), key(&name), 0), i);
        if i % 1000 == 999 {
            clones.push(registry.keys().clone());
        }
    }
    for (i, keys) in clones.iter().enumerate() {
        assert_eq!(keys.len(), (i + 1) * 1000);
        assert_eq!(
            keys.get(i as u32 * 1000).tag("host").map(|v| &**v),
            Some(&*(i * 1000).to_string())
        );
    }
}
