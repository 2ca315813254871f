//! Which path goes where. The methods of a path are those of its handlers; any other is answered
//! 405 with their list.

use axum::{
    Router,
    http::Method,
    middleware,
    routing::{MethodRouter, any, get, post},
};

use crate::{
    AppState,
    edge::{self, note_route},
    error::Error,
    extract::credentials::Caller,
    handler::{
        authorization::{self, Tokens},
        bucket, dbrp, delete, export,
        legacy::{self, Credentials},
        organization, query, session, setup, system, user, write,
    },
    state::Shared,
};

/// The whole HTTP surface over `state`.
///
/// Paths may end in slashes. Every answer carries the headers of `spec/query.md` §7; a panic in a
/// handler is answered 500.
pub fn routes(state: AppState) -> Router {
    let shared = Shared::new(state);
    let router = compatible().merge(system_routes()).merge(management());
    let inner = router
        .fallback(system::page_not_found)
        .route_layer(middleware::from_fn(note_route))
        .with_state(shared.clone());
    edge::wrap(inner, shared)
}

/// The 1.x surface. Its handlers look at the method themselves: credentials come first.
fn compatible() -> Router<Shared> {
    Router::new()
        .route("/query", any(query::query))
        .route("/write", any(write::v1))
        .route("/ping", any(system::ping))
        .route("/", any(query::root))
        .route_layer(middleware::map_response(query::vary))
}

fn system_routes() -> Router<Shared> {
    Router::new()
        .route("/health", anonymous("GET", get(system::health)))
        .route("/ready", anonymous("GET", get(system::ready)))
        .route("/metrics", anonymous("GET", get(system::metrics)))
        .route("/debug/vars", anonymous("GET", get(system::variables)))
        .route("/api/v2", anonymous("GET", get(system::links)))
        .route(
            "/api/v2/openapi.json",
            anonymous("GET", get(system::description)),
        )
}

fn management() -> Router<Shared> {
    Router::new()
        .route("/api/v2/write", methods("OPTIONS, POST", post(write::v2)))
        .route(
            "/api/v2/delete",
            methods("OPTIONS, POST", post(delete::delete)),
        )
        .route(
            "/api/v2/export",
            methods("GET, OPTIONS", get(export::export)),
        )
        .route(
            "/api/v2/query",
            methods("OPTIONS, POST", post(system::flux)),
        )
        .route(
            "/api/v2/setup",
            anonymous("GET, POST", get(setup::is_allowed).post(setup::setup)),
        )
        .route("/api/v2/signin", anonymous("POST", post(session::sign_in)))
        .route(
            "/api/v2/signout",
            anonymous("POST", post(session::sign_out)),
        )
        .merge(collection(
            "/api/v2/orgs",
            get(organization::list).post(organization::create),
            get(organization::get)
                .patch(organization::update)
                .delete(organization::delete),
        ))
        .merge(collection(
            "/api/v2/buckets",
            get(bucket::list).post(bucket::create),
            get(bucket::get)
                .patch(bucket::update)
                .delete(bucket::delete),
        ))
        .merge(collection(
            "/api/v2/authorizations",
            get(authorization::list).post(authorization::create),
            get(authorization::get::<Tokens>)
                .patch(authorization::update::<Tokens>)
                .delete(authorization::delete::<Tokens>),
        ))
        .merge(collection(
            "/private/legacy/authorizations",
            get(legacy::list).post(legacy::create),
            get(authorization::get::<Credentials>)
                .patch(authorization::update::<Credentials>)
                .delete(authorization::delete::<Credentials>),
        ))
        .merge(collection(
            "/api/v2/dbrps",
            get(dbrp::list).post(dbrp::create),
            get(dbrp::get).patch(dbrp::update).delete(dbrp::delete),
        ))
        .merge(collection(
            "/api/v2/users",
            get(user::list).post(user::create),
            get(user::get).patch(user::update).delete(user::delete),
        ))
        .route(
            "/private/legacy/authorizations/{id}/password",
            methods("POST", post(legacy::set_password)),
        )
        .route(
            "/api/v2/users/{id}/password",
            methods("POST", post(user::set_password)),
        )
        .route("/api/v2/me", methods("GET", get(user::me)))
        .route(
            "/api/v2/me/password",
            methods(
                "POST, PUT",
                post(user::set_own_password).put(user::set_own_password),
            ),
        )
        .route("/api/v2/{*rest}", any(system::path_not_found))
        .route("/private/{*rest}", any(system::path_not_found))
}

/// A list at `path` and its members below.
fn collection(
    path: &str,
    list: MethodRouter<Shared>,
    member: MethodRouter<Shared>,
) -> Router<Shared> {
    Router::new().route(path, methods("GET, POST", list)).route(
        &format!("{path}/{{id}}"),
        methods("DELETE, GET, PATCH", member),
    )
}

/// `router`, which has the methods `allow`; others are refused, to known callers. Anybody may ask
/// for the methods; a browser's question is answered before it comes here.
fn methods(allow: &'static str, router: MethodRouter<Shared>) -> MethodRouter<Shared> {
    router.fallback(
        move |method: Method, caller: Result<Caller, Error>| async move {
            match caller {
                Err(error) if method != Method::OPTIONS => error,
                _ => Error::method_not_allowed(allow),
            }
        },
    )
}

/// As [`methods`] for what needs no credentials.
fn anonymous(allow: &'static str, router: MethodRouter<Shared>) -> MethodRouter<Shared> {
    router.fallback(move || async move { Error::method_not_allowed(allow) })
}

#[cfg(test)]
mod tests;
