//! Rows 1 to 3: what there is.

use std::process::Command;

use serde_json::{Value, json};

use super::fixture::{Fixture, SELECTED, TOKEN};
use crate::python::python;

const SCRIPT: &str = "\
import json, sys
from influxdb import InfluxDBClient
client = InfluxDBClient('127.0.0.1', int(sys.argv[1]), 'u', sys.argv[2], 'mydb')
points = list(client.query('SELECT * FROM cpu_usage').get_points())
print(json.dumps([points, client.ping(), client.get_list_database()]))
";

#[test]
fn seed_001_a_1x_client_library_queries_pings_and_lists_databases() {
    let f = Fixture::new();
    let port = f.server.url.rsplit_once(':').expect("a port").1;
    let output = Command::new(python())
        .args(["-c", SCRIPT, port, TOKEN])
        .output()
        .expect("Python starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let version = concat!("2.9.1+headwater.", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        said,
        json!([
            [{"time": "2020-01-01T00:00:00Z", "host": "host1", "value": 42.5}],
            version,
            [{"name": "mydb"}]
        ])
    );
}

#[test]
fn seed_002_query_and_write_are_on_the_port_of_the_v2_api() {
    let f = Fixture::new();
    f.get("/query").send().is_unauthorized_access();
    f.post("/write").send().is_unauthorized_access();
    f.get("/api/v2/buckets").send().is_unauthorized_access();
}

#[test]
fn seed_003_a_mapping_leads_from_database_and_policy_to_the_bucket() {
    let f = Fixture::new();
    f.select().token(TOKEN).send().is_results(SELECTED);
    let through_v2 = f.post("/api/v2/write").token(TOKEN);
    through_v2
        .param("bucket", "mybucket")
        .body("cpu_usage,host=host1 value=43 1577836800000000000")
        .send()
        .is_no_content();
    let changed = SELECTED.replace("42.5", "43");
    f.select().token(TOKEN).send().is_results(&changed);
}
