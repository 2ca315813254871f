//! What bodies look like. Answers name every member that is always there; requests allow members
//! that nobody reads, as the handlers do.

use serde_json::{Value, json};

use super::operation::reference;

pub(super) fn all() -> Value {
    let mut all = json!({
        "ID": {"type": "string", "pattern": "^[0-9a-f]{16}$", "example": "0000000000000001"},
        "Time": {"type": "string", "format": "date-time"},
        "Object": {"type": "object"},
        "Links": {"type": "object", "additionalProperties": true},
        "Error": answer(json!({
            "code": {"type": "string", "description": "InfluxDB 2's word for what went wrong"},
            "message": {"type": "string", "description": "the reason in InfluxDB 2's words"},
            "error": {"type": "string", "description": "the reason in InfluxDB 1's words"},
        })),
        "Version": answer(json!({ "version": {"type": "string"} })),
    });
    for (name, schema) in results()
        .into_iter()
        .chain(system())
        .chain(accounts())
        .chain(organizations_and_buckets())
        .chain(authorizations())
        .chain(mappings())
    {
        all[name] = schema;
    }
    all
}

type Named = (&'static str, Value);

/// An object that always has these members.
fn answer(properties: Value) -> Value {
    let names: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(|all| all.keys())
        .collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

/// As [`answer`], with members that may be missing.
fn answer_with(properties: Value, optional: Value) -> Value {
    let mut schema = answer(properties);
    for (name, property) in optional.as_object().into_iter().flatten() {
        schema["properties"][name] = property.clone();
    }
    schema
}

/// An object that needs these members and reads others.
fn request(required: &[&str], properties: Value) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn list_of(name: &str) -> Value {
    json!({ "type": "array", "items": reference(name) })
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// A member of a request that may be left out or null.
fn optional(kind: &str) -> Value {
    json!({ "type": kind, "nullable": true })
}

fn name() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn optional_name() -> Value {
    json!({ "type": "string", "minLength": 1, "nullable": true })
}

fn optional_id() -> Value {
    json!({ "type": "string", "pattern": "^([0-9a-f]{16})?$", "nullable": true })
}

fn status() -> Value {
    json!({ "type": "string", "enum": ["active", "inactive"] })
}

fn optional_status() -> Value {
    json!({ "type": "string", "enum": ["", "active", "inactive", null], "nullable": true })
}

fn results() -> [Named; 3] {
    let row = json!({
        "name": text(),
        "tags": {"type": "object", "additionalProperties": text()},
        "columns": {"type": "array", "items": text()},
        "values": {"type": "array", "items": {"type": "array", "items": {}}},
        "partial": {"type": "boolean"},
    });
    let message = json!({ "level": text(), "text": text() });
    let result = answer_with(
        json!({ "statement_id": {"type": "integer"} }),
        json!({
            "series": list_of("Row"),
            "messages": {"type": "array", "items": answer(message)},
            "partial": {"type": "boolean"},
            "error": {"type": "string", "description": "why the statement failed"},
        }),
    );
    [
        (
            "Results",
            answer_with(json!({}), json!({ "results": list_of("Result") })),
        ),
        ("Result", result),
        (
            "Row",
            json!({"type": "object", "required": ["columns"], "properties": row}),
        ),
    ]
}

fn system() -> [Named; 3] {
    [
        (
            "Health",
            answer(json!({
                "name": text(), "message": text(), "version": text(), "commit": text(),
                "status": {"type": "string", "enum": ["pass", "fail"]},
                "checks": {"type": "array", "items": {}},
            })),
        ),
        (
            "Ready",
            answer(json!({ "status": text(), "started": reference("Time"), "up": text() })),
        ),
        (
            "Deletion",
            request(
                &["start", "stop"],
                json!({
                    "start": reference("Time"),
                    "stop": reference("Time"),
                    "predicate": {"type": "string", "nullable": true,
                        "description": "`key = \"value\"` of tags and `_measurement`, joined by `AND`",
                        "example": "_measurement=\"cpu\" AND host=\"a\""},
                }),
            ),
        ),
    ]
}

fn accounts() -> [Named; 8] {
    let user = json!({ "links": reference("Links"), "id": reference("ID"), "name": text(), "status": status() });
    [
        (
            "SetupAllowed",
            answer(json!({ "allowed": {"type": "boolean"} })),
        ),
        (
            "Setup",
            request(
                &["username", "org", "bucket"],
                json!({
                    "username": name(), "org": name(), "bucket": name(),
                    "password": {"type": "string", "minLength": 8, "maxLength": 72, "nullable": true},
                    "retentionPeriodSeconds": optional("integer"),
                    "token": optional("string"),
                }),
            ),
        ),
        (
            "SetupDone",
            answer(json!({
                "user": reference("User"), "bucket": reference("Bucket"),
                "org": reference("Organization"), "auth": {"type": "object"},
            })),
        ),
        ("User", answer(user)),
        (
            "Users",
            answer(json!({ "links": reference("Links"), "users": list_of("User") })),
        ),
        (
            "NewUser",
            request(
                &["name"],
                json!({ "name": name(), "status": optional_status() }),
            ),
        ),
        (
            "UserChange",
            request(
                &[],
                json!({ "name": optional_name(), "status": optional_status() }),
            ),
        ),
        (
            "Password",
            request(
                &["password"],
                json!({ "password": {"type": "string", "minLength": 8, "maxLength": 72} }),
            ),
        ),
    ]
}

fn organizations_and_buckets() -> [Named; 9] {
    let rule = json!({
        "everySeconds": {"type": "integer", "format": "int64", "nullable": true,
            "description": "how old points may become, 0 for any age"},
        "shardGroupDurationSeconds": {"type": "integer", "format": "int64", "nullable": true},
    });
    let rules = json!({ "type": "array", "items": reference("RetentionRule"), "nullable": true });
    let times = |mut schema: Value| {
        schema["createdAt"] = reference("Time");
        schema["updatedAt"] = reference("Time");
        schema["links"] = reference("Links");
        schema
    };
    let bucket = times(json!({
        "id": reference("ID"), "orgID": reference("ID"), "name": text(),
        "type": {"type": "string", "enum": ["user", "system"]},
        "retentionRules": list_of("RetentionRule"),
        "labels": {"type": "array", "items": {}},
    }));
    let organization =
        times(json!({ "id": reference("ID"), "name": text(), "description": text() }));
    [
        ("Organization", answer(organization)),
        (
            "Organizations",
            answer(json!({ "links": reference("Links"), "orgs": list_of("Organization") })),
        ),
        (
            "NewOrganization",
            request(
                &["name"],
                json!({ "name": name(), "description": optional("string") }),
            ),
        ),
        (
            "OrganizationChange",
            request(
                &[],
                json!({ "name": optional_name(), "description": optional("string") }),
            ),
        ),
        ("RetentionRule", request(&[], rule)),
        (
            "Bucket",
            answer_with(bucket, json!({ "description": text(), "rp": text() })),
        ),
        (
            "Buckets",
            answer(json!({ "links": reference("Links"), "buckets": list_of("Bucket") })),
        ),
        (
            "NewBucket",
            request(
                &["orgID", "name"],
                json!({"orgID": reference("ID"), "name": name(), "description": optional("string"),
                    "rp": optional("string"), "retentionRules": rules}),
            ),
        ),
        (
            "BucketChange",
            request(
                &[],
                json!({"name": optional_name(), "description": optional("string"), "retentionRules": rules}),
            ),
        ),
    ]
}

fn authorizations() -> [Named; 7] {
    let resource = |id: Value| request(&["type"], json!({ "type": name(), "id": id, "orgID": id }));
    let permission = |id: Value| {
        request(
            &["action", "resource"],
            json!({ "action": {"type": "string", "enum": ["read", "write"]}, "resource": resource(id) }),
        )
    };
    let permissions =
        json!({ "type": "array", "minItems": 1, "items": reference("NewPermission") });
    let new = json!({
        "orgID": reference("ID"), "userID": optional_id(), "description": optional("string"),
        "status": optional_status(), "permissions": permissions,
    });
    let mut credential = new.clone();
    credential["token"] =
        json!({"type": "string", "minLength": 1, "description": "the user's name"});
    [
        ("Permission", permission(reference("ID"))),
        ("NewPermission", permission(optional_id())),
        (
            "Authorization",
            answer(json!({
                "id": reference("ID"), "status": status(), "description": text(),
                "orgID": reference("ID"), "org": text(), "userID": reference("ID"), "user": text(),
                "token": {"type": "string", "description": "the secret, shown to its maker once; of a 1.x user the name"},
                "permissions": list_of("Permission"), "links": reference("Links"),
                "createdAt": reference("Time"), "updatedAt": reference("Time"),
            })),
        ),
        (
            "Authorizations",
            answer(
                json!({ "links": reference("Links"), "authorizations": list_of("Authorization") }),
            ),
        ),
        (
            "AuthorizationChange",
            request(
                &[],
                json!({ "status": optional_status(), "description": optional("string") }),
            ),
        ),
        ("NewToken", request(&["orgID", "permissions"], new)),
        (
            "NewCredential",
            request(&["orgID", "permissions", "token"], credential),
        ),
    ]
}

fn mappings() -> [Named; 5] {
    let mapping = json!({
        "id": reference("ID"), "database": text(), "retention_policy": text(),
        "default": {"type": "boolean"},
        "virtual": {"type": "boolean", "description": "made from the bucket's name, by no request"},
        "orgID": reference("ID"), "bucketID": reference("ID"),
    });
    [
        ("Mapping", answer(mapping)),
        (
            "OneMapping",
            answer(json!({ "content": reference("Mapping") })),
        ),
        ("Mappings", answer(json!({ "content": list_of("Mapping") }))),
        (
            "NewMapping",
            request(
                &["bucketID", "database", "retention_policy"],
                json!({
                    "bucketID": reference("ID"), "database": name(), "retention_policy": name(),
                    "default": optional("boolean"),
                    "orgID": optional_id(),
                    "org": {"type": "string", "nullable": true, "description": "the organization's name; one of `org` and `orgID` is needed"},
                }),
            ),
        ),
        (
            "MappingChange",
            request(
                &[],
                json!({ "retention_policy": optional_name(), "rp": optional_name(), "default": optional("boolean") }),
            ),
        ),
    ]
}
