use super::*;

#[test]
fn trailing_slashes_are_dropped_and_the_query_kept() {
    let short = |uri: &'static str| {
        without_trailing_slash(&Uri::from_static(uri)).map(|uri| uri.to_string())
    };
    assert_eq!(short("/query/?q=a/"), Some("/query?q=a/".to_owned()));
    assert_eq!(short("/api/v2/dbrps//"), Some("/api/v2/dbrps".to_owned()));
    assert_eq!(short("//"), Some("/".to_owned()));
    assert_eq!(short("/query?q=/"), None);
    assert_eq!(short("/"), None);
}
