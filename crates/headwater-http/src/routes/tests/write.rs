//! `/write` and `/api/v2/write`.

use super::*;

#[tokio::test]
async fn writes_are_checked_in_order() {
    let server = Server::start().await;
    let answer = server.get("/write?db=db").await;
    answer.refused(405, "method not allowed", "allow: OPTIONS, POST");
    assert_eq!(answer.headers["allow"], "OPTIONS, POST");
    let answer = server.post("/write", "m v=1").await;
    answer.refused(400, "invalid", "missing db");
    assert_eq!(answer.json()["error"], "database is required");
    let answer = server.post("/write?db=nope", "bad").await;
    answer.refused(404, "not found", "no dbrp mapping found");
    assert_eq!(answer.json()["error"], "database not found: \"nope\"");
    assert_eq!(
        server
            .post("/write?db=db&precision=x", "m v=1")
            .await
            .status,
        400
    );
    let answer = server.post("/write?db=db", "good v=1\nbad").await;
    answer.refused(400, "invalid", "unable to parse 'bad': missing fields");
    let found = server.query("SELECT * FROM good", "", &[]).await;
    assert_eq!(found.text(), "{\"results\":[{\"statement_id\":0}]}\n");
    assert_eq!(
        server.post("/write?db=db", "\n# comment\n").await.status,
        204
    );
}

#[tokio::test]
async fn packed_bodies_and_every_precision_are_taken() {
    let server = Server::start().await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"m v=1 2").unwrap();
    let packed = encoder.finish().unwrap();
    let headers = [authorization(), ("content-encoding", "gzip")];
    let answer = server
        .send("POST", "/write?db=db&precision=m", &headers, packed)
        .await;
    assert_eq!(answer.status, 204);
    let found = server.query("SELECT v FROM m", "&epoch=s", &[]).await;
    assert!(found.text().contains("[[120,1]]"), "{}", found.text());
    let answer = server.send("POST", "/write?db=db", &headers, "m v=1").await;
    answer.refused(400, "invalid", "unable to read data: gzip: invalid header");
}

#[tokio::test]
async fn a_partial_write_names_the_lines_that_were_refused_when_asked() {
    let server = Server::start().await;
    server.write("m v=1 1").await;
    let body = "\n# c\nm v=\"x\ny\" 2\nm v=3 3\n\nm v=4i 4";
    let path = "/write?db=db&refused_lines=true";
    let answer = server.post(path, body).await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(answer.json()["lines"], json!([3, 7]));
}

#[tokio::test]
async fn partial_writes_keep_the_good_points() {
    let server = Server::start().await;
    server.write("m v=1 1").await;
    let answer = server.post("/write?db=db", "m v=\"x\" 2\nm v=3 3").await;
    let reason = "field type conflict: input field \"v\" on measurement \"m\" is type string, \
                  already exists as type float";
    answer.refused(
        422,
        "unprocessable entity",
        &format!("failure writing points to database: partial write: {reason} dropped=1"),
    );
    assert_eq!(
        answer.json()["error"],
        format!("partial write: {reason} dropped=1")
    );
    assert_eq!(answer.json()["lines"], json!(null));
    let found = server.query("SELECT count(v) FROM m", "", &[]).await;
    assert!(found.text().contains(",2]]"), "{}", found.text());
}

#[tokio::test]
async fn points_without_a_time_get_the_clocks_cut_to_the_precision() {
    let server = Server::start().await;
    assert_eq!(
        server
            .post("/write?db=db&precision=h", "m v=1")
            .await
            .status,
        204
    );
    let found = server.query("SELECT v FROM m", "&epoch=ns", &[]).await;
    assert!(
        found.text().contains(&format!("[[{NOW},1]]")),
        "{}",
        found.text()
    );
}

#[tokio::test]
async fn v2_writes_name_their_bucket() {
    let server = Server::start().await;
    let bucket = &server.bucket;
    for target in [
        "/api/v2/write?org=org&bucket=b".to_owned(),
        format!("/api/v2/write?bucket={bucket}"),
        format!(
            "/api/v2/write?orgID={}&bucket=b&precision=s",
            server.organization
        ),
    ] {
        assert_eq!(
            server.post(&target, "m v=1 1").await.status,
            204,
            "{target}"
        );
    }
    server
        .post("/api/v2/write?org=nope&bucket=b", "m v=1")
        .await
        .refused(404, "not found", "organization name \"nope\" not found");
    server
        .post("/api/v2/write?org=org&bucket=nope", "m v=1")
        .await
        .refused(404, "not found", "bucket \"nope\" not found");
    server
        .post("/api/v2/write?org=org&bucket=b&precision=h", "m v=1")
        .await
        .refused(
            400,
            "invalid",
            "invalid precision; valid precision units are ns, us, ms, and s",
        );
}

#[tokio::test]
async fn a_write_maps_a_bucket_by_its_name() {
    let server = Server::start().await;
    let bucket = json!({ "orgID": server.organization, "name": "auto/rp" });
    let created = server.post("/api/v2/buckets", bucket.to_string()).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(
        server.post("/write?db=auto&rp=rp", "m v=1 1").await.status,
        204
    );
    let target = format!("/api/v2/dbrps?orgID={}&db=auto", server.organization);
    let mapping = server.get(&target).await.json()["content"][0].clone();
    assert_eq!(mapping["bucketID"], created.json()["id"]);
    assert_eq!(
        (&mapping["retention_policy"], &mapping["default"]),
        (&json!("rp"), &json!(true))
    );
}

#[tokio::test]
async fn points_outside_retention_are_refused_and_the_others_kept() {
    let server = Server::start().await;
    let bucket = json!({
        "orgID": server.organization, "name": "hour",
        "retentionRules": [{ "type": "expire", "everySeconds": 3600 }],
    });
    let created = server.post("/api/v2/buckets", bucket.to_string()).await;
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let old = NOW - 3_600_000_000_001;
    let answer = server
        .post("/write?db=hour", format!("m,t=a v=1 {old}\nm v=2 {NOW}"))
        .await;
    let at = "2019-12-31T22:59:59.999999999Z";
    let reason =
        "dropped because it violates a Retention Policy Lower Bound at 2019-12-31T23:00:00Z";
    let text = format!(
        "failure writing points to database: partial write: dropped 1 points outside retention \
         policy of duration 1h0m0s - oldest point m,t=a at {at} {reason}, newest point m,t=a at \
         {at} {reason} dropped=1 for database: {id} for retention policy: autogen"
    );
    answer.refused(422, "unprocessable entity", &text);
    let words = "partial write: points beyond retention policy dropped=1";
    assert_eq!(answer.json()["error"], words);
    assert_eq!(answer.headers["x-influxdb-error"], words);
    let q = "/query?db=hour&epoch=ns&q=SELECT+v+FROM+m";
    let found = server.get(q).await;
    assert!(
        found.text().contains(&format!("[[{NOW},2]]")),
        "{}",
        found.text()
    );
}
