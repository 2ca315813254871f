use super::*;

#[test]
fn only_parameters_without_secrets_are_shown_and_passwords_in_statements_hidden() {
    for (query, shown) in [
        ("db=a+b&epoch=ms", "db=a b epoch=ms"),
        ("u=me&p=secret&db=x", "u=… p=… db=x"),
        ("p=secret;x&token=secret", "p=… token=…"),
        ("P=secret&pass%77ord=secret", "P=… password=…"),
        (
            "q=CREATE+USER+u+WITH+PASSWORD+'secret'",
            "q=CREATE USER u WITH PASSWORD [REDACTED]",
        ),
        (
            "q=SET+PASSWORD+FOR+u+%3D+%27secret",
            "q=SET PASSWORD FOR u = [REDACTED]",
        ),
        ("", ""),
    ] {
        assert_eq!(parameters(query), shown, "{query}");
    }
    let long = format!("q={}", "é".repeat(3_000));
    assert_eq!(parameters(&long).chars().count(), 2_002);
}
