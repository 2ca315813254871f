//! What may not be read is not there (`spec/auth.md` §5).

use std::sync::Arc;

use headwater_catalog::{Action, Authorization};
use headwater_model::Precision;
use serde_json::{Value as Json, json};

use crate::fixture::{Fixture, to_json};

struct Case {
    fixture: Fixture,
    reader: Arc<Authorization>,
    writer: Arc<Authorization>,
}

async fn case() -> Case {
    let fixture = Fixture::new().await;
    let bucket = fixture.database("db", "rp", true, 604_800).await;
    fixture
        .write(bucket, Precision::Second, "cpu,host=a v=1 0")
        .await;
    let reader = fixture.token(bucket, &[Action::Read]).await;
    let writer = fixture.token(bucket, &[Action::Write]).await;
    Case {
        fixture,
        reader,
        writer,
    }
}

impl Case {
    async fn results(&self, caller: &Arc<Authorization>, text: &str) -> Json {
        let mut request = self.fixture.request("db", text);
        request.authorization = Arc::clone(caller);
        to_json(self.fixture.pieces(request).await, Some(1_000_000_000))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_not_be_read_is_not_found() {
    let case = case().await;
    let not_found = json!([{"statement_id": 0, "error": "database not found: db"}]);
    for text in [
        "SELECT v FROM cpu",
        "SHOW SERIES",
        "SHOW FIELD KEYS",
        "SHOW SERIES EXACT CARDINALITY",
        "EXPLAIN SELECT v FROM cpu",
        "SHOW TAG KEYS",
    ] {
        assert_eq!(case.results(&case.writer, text).await, not_found, "{text}");
    }
    assert_eq!(
        case.results(&case.writer, "SHOW MEASUREMENTS").await,
        json!([{"statement_id": 0}])
    );
    assert_eq!(
        case.results(&case.writer, "SHOW DATABASES").await,
        json!([{"statement_id": 0, "series": [{"name": "databases", "columns": ["name"]}]}])
    );
    assert_eq!(
        case.results(&case.writer, "DELETE FROM cpu").await[0]["error"],
        "no dbrp mappings found: db=db, rp=, please check to make sure db and rp exist"
    );
    assert_eq!(
        case.results(&case.writer, "DROP MEASUREMENT cpu").await,
        json!([{"statement_id": 0}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_needs_permission_to_write() {
    let case = case().await;
    for text in [
        "DELETE FROM cpu; SELECT v FROM cpu",
        "DROP MEASUREMENT cpu; SELECT v FROM cpu",
    ] {
        let results = case.results(&case.reader, text).await;
        assert_eq!(
            results[0],
            json!({"statement_id": 0, "error": "insufficient permissions"})
        );
        assert_eq!(
            results[1]["series"][0]["values"],
            json!([[0, 1.0]]),
            "{text}"
        );
    }
}
