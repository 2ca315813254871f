use super::*;

fn of(query: &str) -> Result<Paging, String> {
    Paging::of(&Params::parse(query.as_bytes())).map_err(|error| format!("{error:?}"))
}

fn id(value: u64) -> Id {
    Id::new(value).unwrap()
}

#[test]
fn limits_are_checked() {
    assert_eq!(
        of("").unwrap(),
        Paging {
            limit: 20,
            offset: 0,
            after: None,
            descending: false
        }
    );
    assert_eq!(of("limit=100&offset=-5&descending=T").unwrap().limit, 100);
    for (query, complaint) in [
        ("limit=0", "limit must be between 1 and 100"),
        ("limit=101", "limit must be between 1 and 100"),
        ("limit=x", "limit is invalid"),
        ("offset=x", "offset is invalid"),
        ("descending=yes", "descending is invalid"),
        (
            "after=zz",
            "decoding after: id must have a length of 16 bytes",
        ),
    ] {
        assert!(of(query).unwrap_err().contains(complaint), "{query}");
    }
}

#[test]
fn pages_are_cut_after_offset_and_id() {
    let list = || (1..=5).map(id).collect::<Vec<_>>();
    let cut = |query: &str| of(query).unwrap().cut(list(), |id| *id);
    assert_eq!(cut("limit=2&offset=1"), [id(2), id(3)]);
    assert_eq!(cut("limit=2&descending=true"), [id(5), id(4)]);
    assert_eq!(cut("after=0000000000000003"), [id(4), id(5)]);
    assert_eq!(cut("after=0000000000000009"), []);
}

#[test]
fn links_name_filters_and_neighbours() {
    let paging = of("limit=2&offset=2").unwrap();
    assert_eq!(
        paging.links("/b", &[("org", "a b"), ("id", "")], 2),
        json!({
            "self": "/b?descending=false&limit=2&offset=2&org=a+b",
            "next": "/b?descending=false&limit=2&offset=4&org=a+b",
            "prev": "/b?descending=false&limit=2&offset=0&org=a+b",
        })
    );
}
