use headwater_model::line_protocol::series_key;

use super::{KeyBuilder, SeriesRegistry, canonical};

fn key(host: &str) -> String {
    format!("cpu,host={host}")
}

#[test]
fn spellings_of_one_series_share_a_number() {
    let mut registry = SeriesRegistry::default();
    assert_eq!(registry.find(b"cpu,host=a"), None);
    let a = registry.insert(b"cpu,host=a", &key("a"), 0);
    let b = registry.insert(b"cpu,host=b", &key("b"), 0);
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
        assert_eq!(registry.insert(key(&name).as_bytes(), &key(&name), 0), i);
        if i % 1000 == 999 {
            clones.push(registry.keys().clone());
        }
    }
    for (i, keys) in clones.iter().enumerate() {
        assert_eq!(keys.len(), (i + 1) * 1000);
        let name = (i * 1000).to_string();
        assert_eq!(keys.text(i as u32 * 1000), key(&name));
        let built = keys.key(i as u32 * 1000);
        assert_eq!(built.tag("host").map(|v| &**v), Some(&*name));
        assert_eq!(KeyBuilder::default().key(&key(&name)), built);
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
                assert_eq!(KeyBuilder::default().key(text).tags(), key.tags(), "{raw}");
            }
            None => assert!(!["m", "m,a=1", "m,a=1,b=2"].contains(&raw), "{raw}"),
        }
    }
}
