//! Any request to the HTTP surface, by a caller with all permissions.
//!
//! The first line is `METHOD TARGET [CONTENT-TYPE [CONTENT-ENCODING]]`, the rest the body.

use std::{cell::RefCell, sync::Arc};

use axum::{Router, body::Body, http::Request};
use headwater_env::SeededRandom;
use headwater_http::{AppState, Settings, routes};
use tower::ServiceExt;

use super::world::{TOKEN, World};

/// How much of an answer is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Requests before the server that they changed is made anew.
const REQUESTS_MAX: u32 = 100;

thread_local! {
    /// And how many requests it had.
    static SERVER: RefCell<Option<(World, Router, u32)>> = const { RefCell::new(None) };
}

/// Every request is answered, and not by an internal error.
pub fn request_bodies(data: &[u8]) {
    let (head, body) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[][..]),
    };
    let Ok(head) = std::str::from_utf8(head) else {
        return;
    };
    let mut words = head.split(' ');
    let mut request = Request::builder()
        .method(words.next().unwrap_or_default())
        .uri(words.next().unwrap_or_default())
        .header("authorization", format!("Token {TOKEN}"));
    for (name, value) in ["content-type", "content-encoding"].iter().zip(words) {
        request = request.header(*name, value);
    }
    let Ok(request) = request.body(Body::from(body.to_vec())) else {
        return;
    };
    SERVER.with_borrow_mut(|slot| {
        let (world, routes, requests) = slot.get_or_insert_with(server);
        world.wait(async {
            let response = routes.clone().oneshot(request).await;
            let response = response.expect("the router always answers");
            assert_ne!(response.status(), 500, "{head}");
            // A longer answer is refused by the reader, which ends the query.
            let _ = axum::body::to_bytes(response.into_body(), ANSWER_BYTES_MAX).await;
        });
        *requests += 1;
        if *requests == REQUESTS_MAX {
            *slot = None;
        }
    });
}

fn server() -> (World, Router, u32) {
    let world = World::new();
    world.write("cpu,host=a v=1,i=1i,s=\"a\",b=true 0\ncpu,host=b v=2 60000000000");
    let routes = routes(AppState {
        catalog: world.catalog.clone(),
        engine: world.engine.clone(),
        query: world.query.clone(),
        clock: world.clock.clone(),
        random: Arc::new(SeededRandom::new(2)),
        settings: Arc::new(Settings::default()),
    });
    (world, routes, 0)
}
