//! Any InfluxQL against a small data set.

use std::{cell::RefCell, time::Duration};

use headwater_influxql::{Params, ast::Statement, parse_query};
use headwater_query::QueryRequest;
use tokio::time::{Instant, timeout_at};

use super::world::World;

/// Rows that are read of an answer before nobody wants more of it.
const ROWS_MAX: usize = 20_000;
/// How long an answer is waited for before nobody wants it. It then has to end soon.
const TIME_MAX: Duration = Duration::from_secs(1);
/// Statements that change something before the world they changed is made anew.
const CHANGES_MAX: u32 = 64;

/// Every type of field, series with and without tags, names that need quotes, a field whose type
/// differs between partitions, a name that is tag and field, and the ends of each range. The first
/// part goes into files, the second overlaps it, the third stays in memory.
const DATA: [&str; 3] = [
    r#"cpu,host=a,region=eu v=1,i=1i,u=1u,s="a",b=true,x=1.5 0
cpu,host=a,region=eu v=2,i=-2i,u=2u,s="",b=false 10000000000
cpu,host=b,region=us v=3,i=3i,s="b" 0
cpu,host=b n=5i,v=-0.5 20000000000
cpu v=7,host="field",x=2 20000000000
cpu,host=a,region=eu v=4,x=3i 3600000000000
cpu,host=b,region=us i=9i,x=4i 3601000000000
mem,host=a free=1u,used=10i 0
mem,host=c free=2u,used=20i 60000000000
\ odd\,name,ta\ g=va\=lue "f\ 1"=1,time=2 5"#,
    r#"cpu,host=a,region=eu v=8,i=4i 10000000000
cpu,host=a,region=eu v=9,b=true 15000000000
cpu,host=c v=1e308,i=9223372036854775807i,u=18446744073709551615u 30000000000
cpu,host=c v=-1e308,i=-9223372036854775808i,u=0u 40000000000
gap v=1,i=1i,s="a" 0
gap v=3,i=3i,s="b" 30000000000
gap v=10,i=10i,s="d" 120000000000"#,
    r#"cpu,host=a,region=eu v=5,i=5i,x="text",s="z" 7200000000000
cpu,host=b,region=us v=6,i=6i,x=false,s="z" 7200000000001
cpu,host=a,region=eu v=11,i=7i 3600000000000
edge,host=a v=1,i=1i -9223372036854775806
edge,host=a v=2,i=2i -1
edge,host=a v=3,i=3i 9223372036854775806
mem,host=a free=3u,used=30i 7199999999999"#,
];

thread_local! {
    /// Only read.
    static STABLE: World = world();
    /// For statements that change something, and how many did.
    static CHANGING: RefCell<Option<(World, u32)>> = const { RefCell::new(None) };
}

/// A query ends with an answer or an error text, or because nobody waits any more: no panic, no hang,
/// no heap that grows with anything but the answer.
pub fn planner(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(query) = parse_query(text, &Params::default()) else {
        return;
    };
    let changes = query.statements.iter().any(|statement| match statement {
        Statement::Delete(_) | Statement::DropMeasurement { .. } | Statement::Admin(_) => true,
        Statement::Select(select) => select.into.is_some(),
        _ => false,
    });
    let request = |world: &World| QueryRequest {
        authorization: world.operator.clone(),
        database: Some("db".to_owned()),
        retention_policy: None,
        query: query.clone(),
        is_chunked: true,
        chunk_size: 1000,
    };
    if !changes {
        return STABLE.with(|world| run(world, request(world)));
    }
    CHANGING.with_borrow_mut(|slot| {
        let (world, used) = slot.get_or_insert_with(|| (world(), 0));
        run(world, request(world));
        *used += 1;
        if *used == CHANGES_MAX {
            *slot = None;
        }
    });
}

fn world() -> World {
    let world = World::new();
    let [first, second, third] = DATA;
    for lines in [first, second] {
        world.write(lines);
        world.wait(world.engine.flush()).expect("memory has room");
    }
    world.write(third);
    world
}

/// Reads an answer up to a bound, then tells the worker that nobody waits, and waits until it ends.
fn run(world: &World, request: QueryRequest) {
    world.wait(async {
        let mut receiver = world.query.execute(request);
        let deadline = Instant::now() + TIME_MAX;
        let mut rows = 0;
        loop {
            let received = match timeout_at(deadline, receiver.recv()).await {
                Ok(received) => received,
                Err(_) => {
                    receiver.close();
                    receiver.recv().await
                }
            };
            let Some(piece) = received else {
                return;
            };
            if let Some(error) = &piece.error {
                assert!(!error.contains("[panic:"), "{error}");
            }
            for series in &piece.series {
                for column in &series.values {
                    assert_eq!(column.len(), series.row_count());
                }
                // A series counts even without rows.
                rows += series.row_count() + 1;
            }
            if rows > ROWS_MAX {
                receiver.close();
            }
        }
    });
}
