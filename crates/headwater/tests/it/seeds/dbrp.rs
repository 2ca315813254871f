//! Rows 86 to 102: `/api/v2/dbrps` and what its mappings mean.

use serde_json::{Value, json};

use super::fixture::{Call, Fixture, NOTHING, ORG, SELECT, SELECTED, TOKEN, text};

const PATH: &str = "/api/v2/dbrps";
const MISSING_ORG: &str = "either 'org' or 'orgID' must be provided";
const NAME_RULE: &str =
    "must contain at least one character and only be letters, numbers, '_', '-', and '.'";

impl Fixture {
    /// A request about the mapping `id`.
    fn about(&self, method: &str, id: &str) -> Call<'_> {
        let call = self.call(method, &format!("{PATH}/{id}"));
        call.token(TOKEN).param("orgID", &self.org)
    }

    /// The id of the fixture's own mapping.
    fn own_mapping(&self) -> String {
        text(&self.mappings(&[("db", "mydb"), ("rp", "autogen")])[0]["id"])
    }

    /// Bucket and mapping of a second retention policy of `mydb`, which is not the default.
    fn second_policy(&self) -> (String, String) {
        let bucket = self.make_bucket("weekly-bucket");
        let mapping = self.map(&bucket, "mydb", "weekly", false);
        (bucket, mapping)
    }
}

/// The mapping `mapping` as one that its bucket has by its name.
fn as_virtual(mut mapping: Value) -> Value {
    mapping["virtual"] = true.into();
    mapping
}

#[test]
fn seed_086_of_several_policies_one_is_the_default() {
    let f = Fixture::new();
    let own = f.own_mapping();
    let (weekly, id) = f.second_policy();
    assert_eq!(
        f.mappings(&[("db", "mydb")]),
        json!([
            f.mapping(&own, &f.bucket, ("mydb", "autogen"), true),
            f.mapping(&id, &weekly, ("mydb", "weekly"), false),
        ])
    );
}

#[test]
fn seed_087_the_default_is_set_through_the_api() {
    let f = Fixture::new();
    let own = f.own_mapping();
    let (weekly, id) = f.second_policy();
    let now_default = f.mapping(&id, &weekly, ("mydb", "weekly"), true);
    let patched = f.about("PATCH", &id).json(json!({"default": true})).send();
    patched.is(200, &json!({ "content": now_default }));
    assert_eq!(
        f.mappings(&[("db", "mydb")]),
        json!([
            f.mapping(&own, &f.bucket, ("mydb", "autogen"), false),
            now_default,
        ])
    );
    f.query(SELECT).send().is_results(NOTHING);
    f.store("m v=1 1");
    assert_eq!(f.values("SELECT v FROM weekly.m"), json!([[1, 1]]));
}

#[test]
fn seed_088_a_mapping_is_made_by_organization_id_or_name() {
    let f = Fixture::new();
    let by_id = f.try_map(&f.bucket, "db1", "rp1", false);
    let id = text(&by_id.json(201)["id"]);
    by_id.is(201, &f.mapping(&id, &f.bucket, ("db1", "rp1"), true));
    let body = json!({"bucketID": f.bucket, "org": ORG, "database": "db2",
        "retention_policy": "rp2", "default": true});
    let by_name = f.post(PATH).token(TOKEN).json(body).send();
    let id = text(&by_name.json(201)["id"]);
    by_name.is(201, &f.mapping(&id, &f.bucket, ("db2", "rp2"), true));
}

#[test]
fn seed_089_each_required_field_is_asked_for() {
    let f = Fixture::new();
    let whole = json!({"bucketID": f.bucket, "orgID": f.org, "database": "db1",
        "retention_policy": "rp1"});
    let bucket = "invalid bucket ID \"\": id must have a length of 16 bytes";
    let database = format!("DBRP provided is invalid: database {NAME_RULE}");
    let policy = format!("DBRP provided is invalid: retentionPolicy {NAME_RULE}");
    let cases = [
        ("bucketID", bucket),
        ("orgID", MISSING_ORG),
        ("database", database.as_str()),
        ("retention_policy", policy.as_str()),
    ];
    for (field, message) in cases {
        let mut body = whole.clone();
        body.as_object_mut().expect("an object").remove(field);
        let call = f.post(PATH).token(TOKEN).json(body);
        call.send().is_error(400, "invalid", message);
    }
    assert_eq!(f.mappings(&[("db", "db1")]), json!([]));
}

#[test]
fn seed_090_all_mappings_of_an_organization_are_listed() {
    let f = Fixture::new();
    let own = f.mapping(&f.own_mapping(), &f.bucket, ("mydb", "autogen"), true);
    for (name, value) in [("orgID", f.org.as_str()), ("org", ORG)] {
        let call = f.get(PATH).token(TOKEN).param(name, value);
        call.send().is(200, &json!({ "content": [own] }));
    }
}

#[test]
fn seed_091_a_list_needs_an_organization() {
    let f = Fixture::new();
    let call = f.get(PATH).token(TOKEN);
    call.send().is_error(400, "invalid", MISSING_ORG);
}

#[test]
fn seed_092_a_list_is_filtered() {
    let f = Fixture::new();
    let own = f.own_mapping();
    let (weekly, second) = f.second_policy();
    let third = f.map(&weekly, "other", "autogen", true);
    let cases: [(&str, &str, &[&str]); 6] = [
        ("db", "mydb", &[&own, &second]),
        ("rp", "autogen", &[&own, &third]),
        ("bucketID", &weekly, &[&second, &third]),
        ("id", &second, &[&second]),
        ("default", "true", &[&own, &third]),
        ("default", "false", &[&second]),
    ];
    for (name, value, expected) in cases {
        let found = f.mappings(&[(name, value)]);
        let ids: Vec<&str> = found
            .as_array()
            .expect("a list")
            .iter()
            .map(|mapping| mapping["id"].as_str().expect("an id"))
            .collect();
        assert_eq!(ids, expected, "{name}={value}");
    }
    let both = f.mappings(&[("db", "mydb"), ("default", "false")]);
    let expected = f.mapping(&second, &weekly, ("mydb", "weekly"), false);
    assert_eq!(both, json!([expected]));
}

#[test]
fn seed_093_one_mapping_is_read_by_its_id() {
    let f = Fixture::new();
    let id = f.own_mapping();
    let own = f.mapping(&id, &f.bucket, ("mydb", "autogen"), true);
    f.about("GET", &id)
        .send()
        .is(200, &json!({ "content": own }));
    f.about("GET", "0000000000000001")
        .send()
        .is_error(404, "not found", "unable to find DBRP");
}

#[test]
fn seed_094_policy_and_default_are_updated() {
    let f = Fixture::new();
    let (weekly, id) = f.second_policy();
    let renamed = f.mapping(&id, &weekly, ("mydb", "new"), false);
    let call = f
        .about("PATCH", &id)
        .json(json!({"retention_policy": "new"}));
    call.send().is(200, &json!({ "content": renamed }));
    let as_documented = json!({"rp": "newer", "default": true});
    let call = f.about("PATCH", &id).json(as_documented);
    let renamed = f.mapping(&id, &weekly, ("mydb", "newer"), true);
    call.send().is(200, &json!({ "content": renamed }));
    assert_eq!(f.mappings(&[("id", &id)]), json!([renamed]));
}

#[test]
fn seed_095_a_mapping_is_deleted_once() {
    let f = Fixture::new();
    let id = f.own_mapping();
    f.about("DELETE", &id).send().is_no_content();
    f.about("DELETE", &id)
        .send()
        .is_error(404, "not found", "unable to find DBRP");
    assert_eq!(f.mappings(&[]), json!([]));
}

#[test]
fn seed_096_mapping_a_pair_again_overwrites_it() {
    let f = Fixture::new();
    let id = f.own_mapping();
    let other = f.make_bucket("other-bucket");
    let now = f.mapping(&id, &other, ("mydb", "autogen"), true);
    f.try_map(&other, "mydb", "autogen", false).is(201, &now);
    assert_eq!(f.mappings(&[]), json!([now]));
    f.query(SELECT).send().is_results(NOTHING);
    let oss = Fixture::with_args(&["--profile", "oss"]);
    let other = oss.make_bucket("other-bucket");
    oss.try_map(&other, "mydb", "autogen", false).is_error(
        422,
        "conflict",
        "another DBRP mapping with same orgID, db, and rp exists",
    );
}

#[test]
fn seed_097_oss_buckets_have_virtual_mappings_by_their_names() {
    let f = Fixture::with_args(&["--profile", "oss"]);
    let plain = f.make_bucket("a");
    let with_policy = f.make_bucket("a/b");
    assert_eq!(
        f.mappings(&[("db", "a")]),
        json!([
            as_virtual(f.mapping(&plain, &plain, ("a", "autogen"), true)),
            as_virtual(f.mapping(&with_policy, &with_policy, ("a", "b"), false)),
        ])
    );
}

#[test]
fn seed_098_oss_a_slash_buckets_policy_is_the_default_of_a_database_without_one() {
    let f = Fixture::with_args(&["--profile", "oss"]);
    let bucket = f.make_bucket("vx/vy");
    let mapping = as_virtual(f.mapping(&bucket, &bucket, ("vx", "vy"), true));
    assert_eq!(f.mappings(&[("db", "vx")]), json!([mapping]));
    let point = "cpu_usage,host=host1 value=42.5 1577836800000000000";
    f.write(point).param("db", "vx").send().is_no_content();
    f.query(SELECT)
        .param("db", "vx")
        .send()
        .is_results(SELECTED);
}

#[test]
fn seed_099_oss_virtual_mappings_are_read_only_and_give_way_to_explicit_ones() {
    let f = Fixture::with_args(&["--profile", "oss"]);
    let bucket = f.make_bucket("vdb");
    f.about("PATCH", &bucket)
        .json(json!({"retention_policy": "x"}))
        .send()
        .is_error(400, "invalid", "virtual DBRP mappings cannot be updated");
    f.about("DELETE", &bucket).send().is_error(
        400,
        "invalid",
        "virtual DBRP mappings cannot be deleted",
    );
    let id = f.map(&f.bucket, "vdb", "autogen", true);
    let explicit = f.mapping(&id, &f.bucket, ("vdb", "autogen"), true);
    assert_eq!(f.mappings(&[("db", "vdb")]), json!([explicit]));
    f.query(SELECT)
        .param("db", "vdb")
        .send()
        .is_results(SELECTED);
}

#[test]
fn seed_100_a_mapped_bucket_is_queried_and_another_is_an_error() {
    let f = Fixture::new();
    f.query(SELECT).send().is_results(SELECTED);
    f.query(SELECT)
        .param("db", "m2_dev")
        .send()
        .is_statement_error("database not found: m2_dev");
}

#[test]
fn seed_101_a_write_is_looked_up_by_its_database_and_policy() {
    let f = Fixture::new();
    f.second_policy();
    f.store("m v=1 1");
    f.write("m v=2 1")
        .param("rp", "weekly")
        .send()
        .is_no_content();
    assert_eq!(f.values("SELECT v FROM autogen.m"), json!([[1, 1]]));
    assert_eq!(f.values("SELECT v FROM weekly.m"), json!([[1, 2]]));
}

#[test]
fn seed_102_deleting_a_bucket_removes_its_mappings() {
    let f = Fixture::new();
    let path = format!("/api/v2/buckets/{}", f.bucket);
    f.call("DELETE", &path).token(TOKEN).send().is_no_content();
    assert_eq!(f.mappings(&[]), json!([]));
    f.query(SELECT)
        .send()
        .is_statement_error("database not found: mydb");
}
