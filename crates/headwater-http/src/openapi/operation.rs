//! One operation of the description, put together from what it takes and answers.

use serde_json::{Map, Value, json};

/// A method of a path.
#[derive(Debug)]
pub(super) struct Operation {
    summary: &'static str,
    id: &'static str,
    /// How a caller may be known, instead of by a token; none at all when empty.
    security: Option<Value>,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: Map<String, Value>,
}

impl Operation {
    /// `id` names it in generated clients.
    pub(super) fn new(id: &'static str, summary: &'static str) -> Self {
        let operation = Self {
            summary,
            id,
            security: None,
            parameters: Vec::new(),
            body: None,
            responses: Map::new(),
        };
        operation.errors(&[401])
    }

    /// Needs no credentials.
    pub(super) fn anonymous(mut self) -> Self {
        self.responses.remove("401");
        self.security(json!([]))
    }

    pub(super) fn security(mut self, ways: Value) -> Self {
        self.security = Some(ways);
        self
    }

    /// The identifier in the path.
    pub(super) fn of_id(self) -> Self {
        self.parameter(json!({"name": "id", "in": "path", "required": true,
            "schema": reference("ID")}))
            .errors(&[400, 404])
    }

    pub(super) fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Optional parameters of the URL, each with what it means.
    pub(super) fn query(mut self, parameters: &[(&str, Value, &str)]) -> Self {
        self.parameters.extend(parameters.iter().map(
            |(name, schema, meaning)| json!({"name": name, "in": "query", "schema": schema, "description": meaning}),
        ));
        self
    }

    pub(super) fn required_query(self, name: &str, schema: &Value, meaning: &str) -> Self {
        self.parameter(
            json!({"name": name, "in": "query", "required": true, "schema": schema,
            "description": meaning}),
        )
    }

    /// A JSON body, and the errors of bodies.
    pub(super) fn json_body(self, schema: &str) -> Self {
        let content = json!({ "application/json": { "schema": reference(schema) } });
        self.body(content).errors(&[400])
    }

    pub(super) fn body(mut self, content: Value) -> Self {
        self.body = Some(json!({ "required": true, "content": content }));
        self.errors(&[413])
    }

    /// A JSON answer.
    pub(super) fn json(self, status: u16, meaning: &str, schema: &str) -> Self {
        let content = json!({ "application/json": { "schema": reference(schema) } });
        self.response(
            status,
            json!({ "description": meaning, "content": content }),
        )
    }

    pub(super) fn no_content(self, meaning: &str) -> Self {
        self.response(204, json!({ "description": meaning }))
    }

    pub(super) fn response(mut self, status: u16, response: Value) -> Self {
        self.responses.insert(status.to_string(), response);
        self
    }

    pub(super) fn errors(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            let meaning = match status {
                400 => "the request is malformed",
                401 => "the caller is not known, or may not do this",
                403 => "the caller may not do this",
                404 => "something that the request names does not exist",
                413 => "the body is too large",
                422 => "the request contradicts what is there",
                501 => "not offered",
                _ => "the server cannot do this now",
            };
            self = self.json(*status, meaning, "Error");
        }
        self
    }

    pub(super) fn build(self) -> Value {
        let mut operation = json!({ "operationId": self.id, "summary": self.summary });
        if let Some(security) = self.security {
            operation["security"] = security;
        }
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.into();
        }
        if let Some(body) = self.body {
            operation["requestBody"] = body;
        }
        operation["responses"] = self.responses.into();
        operation
    }
}

/// The schema `name` of the components.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
