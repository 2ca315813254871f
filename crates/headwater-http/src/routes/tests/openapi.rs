//! The OpenAPI description against the routes.

use std::collections::BTreeSet;

use super::*;

/// What a test asks a path for its methods with.
const UNKNOWN_METHOD: &str = "BREW";

async fn description(server: &Server) -> Value {
    let answer = server.send("GET", "/api/v2/openapi.json", &[], Body::empty());
    answer.await.json()
}

#[tokio::test]
async fn the_description_has_the_methods_of_every_path() {
    let server = Server::start().await;
    let description = description(&server).await;
    for (path, operations) in description["paths"].as_object().unwrap() {
        let described: BTreeSet<String> = operations
            .as_object()
            .unwrap()
            .keys()
            .map(|method| method.to_uppercase())
            .collect();
        // The root has methods for queries alone.
        let target = path.replace("{id}", "0000000000000001") + "?q=x";
        let answer = server
            .send(UNKNOWN_METHOD, &target, &[authorization()], Body::empty())
            .await;
        assert_eq!(answer.status, 405, "{path}");
        let allowed = answer.headers["allow"].to_str().unwrap().to_owned();
        let allowed: BTreeSet<String> = allowed
            .split(", ")
            .filter(|method| !matches!(*method, "OPTIONS" | "HEAD"))
            .map(str::to_owned)
            .collect();
        assert_eq!(described, allowed, "{path}");
    }
}

#[tokio::test]
async fn the_description_has_every_path_of_the_routes() {
    let server = Server::start().await;
    let description = description(&server).await;
    let source = include_str!("../../routes.rs");
    let mut routed: BTreeSet<String> = source
        .split("route(")
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"'))
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .filter(|path| !path.contains('*'))
        .collect();
    for rest in source.split("collection(").skip(1) {
        if let Some(rest) = rest.trim_start().strip_prefix('"') {
            let path = rest.split('"').next().unwrap();
            routed.extend([path.to_owned(), format!("{path}/{{id}}")]);
        }
    }
    let paths = description["paths"].as_object().unwrap();
    assert_eq!(routed, paths.keys().cloned().collect());
}

#[tokio::test]
async fn every_reference_of_the_description_leads_somewhere() {
    let server = Server::start().await;
    let description = description(&server).await;
    let text = description.to_string();
    let names: BTreeSet<&str> = text
        .split("\"#/components/schemas/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let schemas = description["components"]["schemas"].as_object().unwrap();
    let known: BTreeSet<&str> = schemas.keys().map(String::as_str).collect();
    assert_eq!(names, known);
}
