use super::*;

fn headers(authorization: Option<&str>) -> HeaderMap {
    authorization
        .map(|value| (header::AUTHORIZATION, value.parse().unwrap()))
        .into_iter()
        .collect()
}

fn password(username: &str, secret: &str) -> Option<Credentials> {
    Some(Credentials::Password {
        username: username.to_owned(),
        secret: secret.to_owned(),
    })
}

fn token(token: &str) -> Option<Credentials> {
    Some(Credentials::Token(token.to_owned()))
}

#[track_caller]
fn check_v1(url: &str, header: Option<&str>, expected: Option<Credentials>) {
    let found = Credentials::of_v1(&Params::parse(url.as_bytes()), &headers(header));
    assert!(found == expected, "url {url:?}, header {header:?}");
}

#[track_caller]
fn check_v2(header: Option<&str>, expected: Option<Credentials>) {
    assert!(
        Credentials::of_v2(&headers(header)) == expected,
        "header {header:?}"
    );
}

#[test]
fn url_credentials_win_over_the_header() {
    check_v1("u=a&p=b", Some("Token t"), password("a", "b"));
    check_v1("u=a%2Bb%40c&p=%C3%BC", None, password("a+b@c", "ü"));
    check_v1("u=a", Some("Token t"), token("t"));
    check_v1("p=b", None, None);
    check_v1("u=&p=b", None, None);
    check_v1("u=a&p=", Some("Token t"), token("t"));
}

#[test]
fn the_token_scheme_is_exact() {
    check_v1("", Some("Token abc=="), token("abc=="));
    check_v1("", Some("Token user:se:cret"), token("se:cret"));
    check_v1("", Some("Token :secret"), token("secret"));
    for refused in [
        "token abc",
        "TOKEN abc",
        "Token  abc",
        "Token a b",
        "Token",
        "Bearer abc",
        "abc",
    ] {
        check_v1("", Some(refused), None);
    }
}

#[test]
fn basic_takes_any_case_and_splits_at_the_first_colon() {
    check_v1(
        "",
        Some("Basic dXNlcjpwYTpzcw=="),
        password("user", "pa:ss"),
    );
    check_v1(
        "",
        Some("bAsIc dXNlcjpwYTpzcw=="),
        password("user", "pa:ss"),
    );
    check_v1("", Some("Basic OnNlY3JldA=="), password("", "secret"));
    for refused in ["Basic x:y", "Basic ####", "Basic dXNlcg==", "Basic "] {
        check_v1("", Some(refused), None);
    }
}

#[test]
fn the_management_surface_takes_token_and_bearer_of_any_case() {
    check_v2(Some("Token abc"), token("abc"));
    check_v2(Some("token abc"), token("abc"));
    check_v2(Some("BEARER a b"), token("a b"));
    for refused in ["Basic dXNlcjpwYTpzcw==", "Digest x", "abc"] {
        check_v2(Some(refused), None);
    }
}

#[test]
fn the_session_cookie_stands_in_for_a_missing_header() {
    let mut headers = headers(None);
    headers.insert(
        header::COOKIE,
        "a=b; influxdb-oss-session=key; c=d".parse().unwrap(),
    );
    assert!(Credentials::of_v2(&headers) == Some(Credentials::Session("key".to_owned())));
    headers.insert(header::AUTHORIZATION, "Token t".parse().unwrap());
    assert!(Credentials::of_v2(&headers) == token("t"));
    assert!(Credentials::of_v1(&Params::default(), &headers) == token("t"));
}
