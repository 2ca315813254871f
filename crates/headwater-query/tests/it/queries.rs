//! SHOW QUERIES and KILL QUERY.

use std::sync::Arc;

use headwater_catalog::{Action, Authorization, Profile};
use headwater_model::Precision;
use headwater_query::{QueryRequest, Settings};
use serde_json::{Value as Json, json};
use tokio::runtime::Builder;

use crate::fixture::{Fixture, to_json};

/// Far more windows than anyone waits for.
const ENDLESS: &str =
    "SELECT count(v) FROM cpu WHERE time >= 0 AND time < 20000d GROUP BY time(1s)";

struct Case {
    fixture: Fixture,
    reader: Arc<Authorization>,
}

async fn case() -> Case {
    let settings = Settings {
        workers: 1,
        ..Settings::default()
    };
    let fixture = Fixture::with(Profile::V1, settings).await;
    let bucket = fixture.database("db", "rp", true, 604_800).await;
    fixture.write(bucket, Precision::Second, "cpu v=1 0").await;
    let reader = fixture.token(bucket, &[Action::Read]).await;
    Case { fixture, reader }
}

impl Case {
    fn request(&self, caller: &Arc<Authorization>, text: &str) -> QueryRequest {
        QueryRequest {
            authorization: Arc::clone(caller),
            ..self.fixture.request("db", text)
        }
    }

    async fn results(&self, caller: &Arc<Authorization>, text: &str) -> Json {
        to_json(self.fixture.pieces(self.request(caller, text)).await, None)
    }

    /// Ids and texts of the requests that a caller sees.
    async fn listed(&self, caller: &Arc<Authorization>) -> Vec<(i64, String)> {
        let results = self.results(caller, "SHOW QUERIES").await;
        let rows = results[0]["series"][0]["values"].as_array().unwrap().iter();
        rows.map(|row| {
            (
                row[0].as_i64().unwrap(),
                row[1].as_str().unwrap().to_owned(),
            )
        })
        .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn running_and_waiting_requests_are_listed_with_the_one_that_asks() {
    let case = case().await;
    let operator = &case.fixture.operator;
    // Once it has answered, it has the only worker.
    let mut running = case
        .fixture
        .query()
        .execute(case.request(operator, ENDLESS));
    running.recv().await.unwrap();
    let text = "SHOW DATABASES; CREATE USER u WITH PASSWORD 'secret'";
    let waiting = case.fixture.query().execute(case.request(operator, text));
    let results = case.results(operator, "SHOW QUERIES").await;
    assert_eq!(
        results,
        json!([{"statement_id": 0, "series": [{
            "columns": ["qid", "query", "database", "duration", "status"],
            "values": [
                [1, "SELECT count(v) FROM cpu WHERE time >= 0 AND time < 20000d GROUP BY time(1s)",
                 "db", "0s", "running"],
                [2, "SHOW DATABASES;\nCREATE USER u WITH PASSWORD [REDACTED]",
                 "db", "0s", "queued"],
                [3, "SHOW QUERIES", "db", "0s", "running"],
            ],
        }]}])
    );
    drop((running, waiting));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_request_ends_even_if_nobody_takes_its_answer() {
    let case = case().await;
    let operator = &case.fixture.operator;
    let text = format!("{ENDLESS}; SHOW DATABASES");
    let mut killed = case.fixture.query().execute(case.request(operator, &text));
    killed.recv().await.unwrap();
    assert_eq!(
        case.results(operator, "KILL QUERY 1").await,
        json!([{"statement_id": 0}])
    );
    // The worker is free though the receiver has taken no further piece.
    assert_eq!(
        case.results(operator, "SELECT count(v) FROM cpu").await[0]["series"][0]["values"][0][1],
        1
    );
    let mut last = Vec::new();
    while let Some(piece) = killed.recv().await {
        if piece.error.is_some() {
            last.push(piece);
        }
    }
    assert_eq!(
        to_json(last, None),
        json!([
            {"statement_id": 0, "error": "query interrupted"},
            {"statement_id": 1, "error": "not executed"},
        ])
    );
    assert_eq!(
        case.results(operator, "KILL QUERY 1").await[0]["error"],
        "no such query id: 1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_can_be_killed() {
    let case = case().await;
    let operator = &case.fixture.operator;
    let mut running = case
        .fixture
        .query()
        .execute(case.request(operator, ENDLESS));
    running.recv().await.unwrap();
    let waiting = case.fixture.pieces(case.request(operator, ENDLESS));
    let killer = async {
        // It is in the list as soon as it was asked for.
        while case.listed(operator).await.len() < 3 {}
        case.results(operator, "KILL QUERY 2").await
    };
    let (waited, _) = tokio::join!(waiting, killer);
    assert_eq!(
        to_json(waited, None),
        json!([{"statement_id": 0, "error": "query interrupted"}])
    );
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_write_all_buckets_sees_and_kills_only_own_requests() {
    let case = case().await;
    let operator = &case.fixture.operator;
    let of_operator = case
        .fixture
        .query()
        .execute(case.request(operator, ENDLESS));
    let of_reader = case
        .fixture
        .query()
        .execute(case.request(&case.reader, ENDLESS));
    let ids = |listed: Vec<(i64, String)>| listed.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(ids(case.listed(&case.reader).await), [2, 3]);
    assert_eq!(ids(case.listed(operator).await), [1, 2, 4]);
    assert_eq!(
        case.results(&case.reader, "KILL QUERY 1").await[0]["error"],
        "no such query id: 1"
    );
    assert_eq!(
        case.results(&case.reader, "KILL QUERY 2").await,
        json!([{"statement_id": 0}])
    );
    drop((of_operator, of_reader));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_other_profiles_neither_statement_is_offered() {
    for profile in [Profile::Cloud, Profile::Oss] {
        let fixture = Fixture::with_profile(profile).await;
        for text in ["SHOW QUERIES", "KILL QUERY 1"] {
            assert_eq!(
                fixture.error("", text).await,
                "not implemented: SHOW QUERIES"
            );
        }
    }
}

#[test]
fn a_runtime_that_stops_does_not_wait_for_the_end_of_queries() {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let running = runtime.block_on(async {
        let case = case().await;
        let request = case.request(&case.fixture.operator, ENDLESS);
        let mut answer = case.fixture.query().execute(request);
        answer.recv().await.unwrap();
        (case, answer)
    });
    // Returns when the worker has ended, though its client is still there.
    drop(runtime);
    drop(running);
}
