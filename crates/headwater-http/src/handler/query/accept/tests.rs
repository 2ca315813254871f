use super::*;

#[track_caller]
fn check(accept: &str, expected: Format) {
    let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
    assert_eq!(format(&headers), expected, "{accept}");
}

#[test]
fn the_first_of_the_heaviest_known_types_wins() {
    check("application/json", Format::Json);
    check("application/csv", Format::ApplicationCsv);
    check("text/csv", Format::TextCsv);
    check("application/x-msgpack", Format::MessagePack);
    check(
        "text/html, application/x-msgpack;q=0.5, text/csv;q=0.9",
        Format::TextCsv,
    );
    check("text/csv, application/x-msgpack", Format::TextCsv);
    check("text/html", Format::Json);
    check("*/*", Format::Json);
    check("text/csv;q=0", Format::Json);
    assert_eq!(format(&HeaderMap::new()), Format::Json);
}
