use super::*;

#[test]
fn the_first_value_of_a_name_counts() {
    let params = Params::parse("db=a%20b&db=c&q=x+y&empty=&µ=%C2%B5".as_bytes());
    assert_eq!(params.get("db"), Some("a b"));
    assert_eq!(params.get("q"), Some("x y"));
    assert_eq!(params.get("empty"), Some(""));
    assert_eq!(params.get_filled("empty"), None);
    assert_eq!(params.get("µ"), Some("µ"));
    assert_eq!(params.get("missing"), None);
}

#[test]
fn urlencoded_bodies_override_the_url() {
    let form = Form::urlencoded(Params::parse(b"db=url&rp=r"), b"db=body&q=");
    assert_eq!(form.values.get("db"), Some("body"));
    assert_eq!(form.values.get("rp"), Some("r"));
    assert_eq!(form.values.get("q"), Some(""));
}

#[tokio::test]
async fn multipart_bodies_come_after_the_url() {
    let body = "--B\r\nContent-Disposition: form-data; name=\"db\"\r\n\r\nbody\r\n\
                --B\r\nContent-Disposition: form-data; name=\"epoch\"\r\n\r\nms\r\n\
                --B\r\nContent-Disposition: form-data; name=\"q\"; filename=\"f\"\r\n\r\n\
                SELECT 1\r\n--B--\r\n";
    let form = Form::multipart(Params::parse(b"db=url"), body.into(), "B".into())
        .await
        .unwrap();
    assert_eq!(form.values.get("db"), Some("url"));
    assert_eq!(form.values.get("epoch"), Some("ms"));
    assert_eq!(form.values.get("q"), None);
    assert_eq!(form.query_file.as_deref(), Some("SELECT 1"));
    assert!(
        Form::multipart(Params::default(), "--B\r\nx".into(), "B".into())
            .await
            .is_err()
    );
}
