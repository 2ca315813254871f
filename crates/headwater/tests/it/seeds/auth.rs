//! Rows 4 to 34: credentials.

use serde_json::json;

use super::fixture::{Fixture, NOTHING, SELECTED, TOKEN, text};
use crate::server::Server;

/// What the Cloud pages use as a user name.
const EMAIL: &str = "exampleuser@influxdata.com";

#[test]
fn seed_004_a_query_without_credentials_is_refused() {
    Fixture::new().select().send().is_unauthorized_access();
}

#[test]
fn seed_005_a_write_without_credentials_is_refused() {
    let f = Fixture::new();
    let write = f.post("/write").param("db", "mydb").body("m v=1");
    write.send().is_unauthorized_access();
    f.query("SELECT * FROM m").send().is_results(NOTHING);
}

#[test]
fn seed_006_the_token_scheme_works_on_query() {
    let f = Fixture::new();
    f.select().token(TOKEN).send().is_results(SELECTED);
}

#[test]
fn seed_007_the_token_scheme_works_on_write() {
    let f = Fixture::new();
    f.write("m v=1 1").send().is_no_content();
    assert_eq!(f.values("SELECT v FROM m"), json!([[1, 1]]));
}

#[test]
fn seed_008_the_word_token_is_case_sensitive() {
    let f = Fixture::new();
    for scheme in ["token", "TOKEN"] {
        let call = f.select().authorization(&format!("{scheme} {TOKEN}"));
        call.send().is_unauthorized_access();
    }
}

#[test]
fn seed_009_the_token_itself_is_case_sensitive() {
    let f = Fixture::new();
    let other = TOKEN.to_uppercase();
    assert_ne!(other, TOKEN);
    f.select().token(&other).send().is_unauthorized();
}

#[test]
fn seed_010_exactly_one_space_stands_before_the_token() {
    let f = Fixture::new();
    let call = f.select().authorization(&format!("Token  {TOKEN}"));
    call.send().is_unauthorized_access();
}

#[test]
fn seed_011_an_unknown_token_is_refused() {
    Fixture::new()
        .select()
        .token("nope")
        .send()
        .is_unauthorized();
}

#[test]
fn seed_012_an_inactive_token_is_refused() {
    let f = Fixture::new();
    let (id, token) = f.make_token("read");
    f.select().token(&token).send().is_results(SELECTED);
    let path = format!("/api/v2/authorizations/{id}");
    let patch = f.call("PATCH", &path).token(TOKEN);
    let patched = patch.json(json!({"status": "inactive"})).send().json(200);
    assert_eq!(patched["status"], "inactive");
    f.select().token(&token).send().is_unauthorized();
}

#[test]
fn seed_013_the_root_path_with_a_query_answers_as_query() {
    let f = Fixture::new();
    let call = f
        .get("/")
        .param("db", "mydb")
        .param("q", "SELECT * FROM cpu_usage");
    let call = call.token(TOKEN).header("content-type", "application/json");
    call.send().is_results(SELECTED);
}

#[test]
fn seed_014_a_get_with_a_json_content_type_is_a_query() {
    let f = Fixture::new();
    let call = f
        .select()
        .token(TOKEN)
        .header("content-type", "application/json");
    call.send().is_results(SELECTED);
}

#[test]
fn seed_015_basic_takes_any_user_name_and_a_token_as_password() {
    let f = Fixture::new();
    f.select().basic(EMAIL, TOKEN).send().is_results(SELECTED);
}

#[test]
fn seed_016_basic_is_base64_of_name_and_password() {
    let f = Fixture::new();
    // base64 of `x:optok`.
    let call = f.select().authorization("Basic eDpvcHRvaw==");
    call.send().is_results(SELECTED);
}

#[test]
fn seed_017_basic_works_on_write() {
    let f = Fixture::new();
    f.write("m v=1 1")
        .basic(EMAIL, TOKEN)
        .send()
        .is_no_content();
    assert_eq!(f.values("SELECT v FROM m"), json!([[1, 1]]));
}

#[test]
fn seed_018_basic_that_is_not_encoded_is_refused() {
    let f = Fixture::new();
    let call = f.select().authorization(&format!("Basic x:{TOKEN}"));
    call.send().is_unauthorized_access();
}

#[test]
fn seed_019_u_and_p_in_the_url_work_on_query() {
    let f = Fixture::new();
    let call = f.select().param("u", EMAIL).param("p", TOKEN);
    call.send().is_results(SELECTED);
}

#[test]
fn seed_020_u_and_p_in_the_url_work_on_write() {
    let f = Fixture::new();
    let call = f
        .post("/write")
        .param("db", "mydb")
        .param("u", "x")
        .param("p", TOKEN);
    call.body("m v=1 1").send().is_no_content();
    assert_eq!(f.values("SELECT v FROM m"), json!([[1, 1]]));
}

#[test]
fn seed_021_a_trailing_slash_changes_nothing() {
    let f = Fixture::new();
    let query = f.get("/query/").param("u", "x").param("p", TOKEN);
    let query = query
        .param("db", "mydb")
        .param("q", "SELECT * FROM cpu_usage");
    query.send().is_results(SELECTED);
    let write = f.post("/write/").param("u", "x").param("p", TOKEN);
    write
        .param("db", "mydb")
        .body("m v=1 1")
        .send()
        .is_no_content();
    assert_eq!(f.values("SELECT v FROM m"), json!([[1, 1]]));
}

#[test]
fn seed_022_special_characters_in_parameters_are_url_encoded() {
    let f = Fixture::new();
    let call = f.select().param("u", "dev+test@example.com");
    call.param("p", TOKEN).send().is_results(SELECTED);
}

#[test]
fn seed_023_with_a_token_as_password_u_is_needed_but_may_be_anything() {
    let f = Fixture::new();
    let call = f.select().param("u", "ignored").param("p", TOKEN);
    call.send().is_results(SELECTED);
    f.select().param("p", TOKEN).send().is_unauthorized_access();
}

#[test]
fn seed_024_u_and_p_come_before_the_header() {
    let f = Fixture::new();
    let call = f.select().param("u", "x").param("p", "bad").token(TOKEN);
    call.send().is_unauthorized();
}

#[test]
fn seed_025_name_and_password_of_the_setup_are_refused() {
    let f = Fixture::new();
    let call = f.get("/query").param("u", "dev").param("p", "12345678");
    let call = call
        .param("db", "m2_dev")
        .param("q", "SELECT * FROM default");
    call.send().is_unauthorized();
}

#[test]
fn seed_026_name_and_password_of_the_setup_are_refused_as_basic_too() {
    let f = Fixture::new();
    f.select().basic("dev", "12345678").send().is_unauthorized();
}

#[test]
fn seed_027_docker_variables_set_up_user_organization_and_bucket() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let env = [
        ("DOCKER_INFLUXDB_INIT_MODE", "setup"),
        ("DOCKER_INFLUXDB_INIT_USERNAME", "dev"),
        ("DOCKER_INFLUXDB_INIT_PASSWORD", "12345678"),
        ("DOCKER_INFLUXDB_INIT_ORG", "com.some"),
        ("DOCKER_INFLUXDB_INIT_BUCKET", "m2_dev"),
        ("DOCKER_INFLUXDB_INIT_ADMIN_TOKEN", crate::server::TOKEN),
    ];
    let server = Server::start_with(dir.path(), &[], &env);
    let setup = server.request("GET", "/api/v2/setup", &[], "");
    assert_eq!(
        (setup.status, setup.json()),
        (200, json!({"allowed": false}))
    );
    let buckets = server.request("GET", "/api/v2/buckets", &[("name", "m2_dev")], "");
    assert_eq!(buckets.json()["buckets"][0]["name"], "m2_dev");
    let organizations = server.request("GET", "/api/v2/orgs", &[], "").json();
    assert_eq!(organizations["orgs"][0]["name"], "com.some");
    let me = server.request("GET", "/api/v2/me", &[], "").json();
    assert_eq!(me["name"], "dev");
}

#[test]
fn seed_028_the_same_request_with_a_token_succeeds() {
    let f = Fixture::new();
    f.map(&f.first_bucket, "m2_dev", "autogen", true);
    f.write("default v=1 1577836800000000000")
        .param("db", "m2_dev")
        .send()
        .is_no_content();
    let call = f.get("/query").param("u", "dev").param("p", TOKEN);
    let call = call
        .param("db", "m2_dev")
        .param("q", "SELECT * FROM \"default\"");
    call.send().is_results(concat!(
        r#"{"results":[{"statement_id":0,"series":[{"name":"default","columns":["time","v"],"#,
        r#""values":[["2020-01-01T00:00:00Z",1]]}]}]}"#,
        "\n"
    ));
}

#[test]
fn seed_029_1x_credentials_are_made_get_a_password_and_work() {
    let f = Fixture::new();
    let path = "/private/legacy/authorizations";
    let permissions = json!([{"action": "read",
        "resource": {"type": "buckets", "id": f.bucket, "orgID": f.org}}]);
    let body = json!({"token": "v1user", "orgID": f.org, "permissions": permissions});
    let made = f.post(path).token(TOKEN).json(body).send().json(201);
    let id = text(&made["id"]);
    let shown = (&made["token"], &made["status"], &made["links"]["self"]);
    let expected = (
        &json!("v1user"),
        &json!("active"),
        &json!(format!("{path}/{id}")),
    );
    assert_eq!(shown, expected);
    let password = f.post(&format!("{path}/{id}/password")).token(TOKEN);
    let password = password.json(json!({"password": "v1password"}));
    password.send().is_no_content();
    let by_basic = f.select().basic("v1user", "v1password");
    by_basic.send().is_results(SELECTED);
    let by_url = f.select().param("u", "v1user").param("p", "v1password");
    by_url.send().is_results(SELECTED);
}

#[test]
fn seed_030_a_wrong_1x_password_is_refused() {
    let f = Fixture::new();
    f.make_v1_user("v1user", Some("v1password"));
    let call = f.select().basic("v1user", "wrong1234");
    call.send().is_unauthorized();
}

#[test]
fn seed_031_a_1x_user_with_a_password_cannot_pass_a_token_instead() {
    let f = Fixture::new();
    f.make_v1_user("v1user", Some("v1password"));
    f.select().basic("v1user", TOKEN).send().is_unauthorized();
}

#[test]
fn seed_032_a_1x_user_without_a_password_passes_a_token() {
    let f = Fixture::new();
    f.make_v1_user("v1user2", None);
    let call = f.select().basic("v1user2", TOKEN);
    call.send().is_results(SELECTED);
}

#[test]
fn seed_033_a_1x_user_is_apart_from_the_login_of_that_name() {
    let f = Fixture::new();
    f.make_v1_user("dev", Some("v1password"));
    let signed_in = f.post("/api/v2/signin").basic("dev", "12345678").send();
    signed_in.is_no_content();
    let cookie = signed_in.header("set-cookie");
    assert!(cookie.starts_with("influxdb-oss-session="), "{cookie}");
    let other = f.post("/api/v2/signin").basic("dev", "v1password");
    other.send().is_error_with(
        401,
        "unauthorized",
        "unauthorized access",
        "authorization failed",
    );
}

#[test]
fn seed_034_1x_credentials_do_not_work_as_a_token() {
    let f = Fixture::new();
    f.make_v1_user("v1user", Some("v1password"));
    let call = f.select().token("v1user:v1password");
    call.send().is_unauthorized();
}
