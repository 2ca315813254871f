//! The OpenAPI 3 description of the whole surface, served at `/api/v2/openapi.json`. Tests
//! hold it against the routes.

mod operation;
mod paths;
mod schemas;

use serde_json::{Value, json};

/// The description, of a server that calls itself `version`.
pub(crate) fn description(version: &str) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Headwater",
            "version": version,
            "description": "A time series server that speaks the InfluxDB 1.x compatibility API: \
                line protocol in through `/write`, InfluxQL out through `/query`.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "security": [{ "token": [] }],
        "paths": paths::all(),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Token` and an API token, with one space between them.",
                },
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A 1.x user and password, or any user and an API token.",
                },
                "session": { "type": "apiKey", "in": "cookie", "name": "influxdb-oss-session" },
            },
            "schemas": schemas::all(),
        },
    })
}
