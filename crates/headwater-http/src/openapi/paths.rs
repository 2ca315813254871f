//! What each path takes and answers.

use serde_json::{Map, Value, json};

use super::operation::{Operation, reference};

/// Every path with its methods. `OPTIONS`, which tells the methods, and `HEAD` go without saying.
pub(super) fn all() -> Value {
    let mut paths = Map::new();
    for (path, method, operation) in compatible()
        .into_iter()
        .chain(system())
        .chain(data())
        .chain(accounts())
        .chain(organizations_and_buckets())
        .chain(authorizations())
        .chain(mappings())
    {
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[method] = operation.build();
    }
    paths.into()
}

type Described = (&'static str, &'static str, Operation);

fn text() -> Value {
    json!({ "type": "string" })
}

fn boolean() -> Value {
    json!({"type": "string", "enum": [
        "", "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"]})
}

/// An identifier; empty is as good as absent.
fn id() -> Value {
    json!({ "type": "string", "pattern": "^([0-9a-f]{16})?$" })
}

fn described(schema: Value, meaning: &str) -> Value {
    json!({ "allOf": [schema], "description": meaning })
}

/// `/query`, `/write` and `/ping`, with 1.x's credentials.
fn compatible() -> Vec<Described> {
    let credentials = json!([{ "token": [] }, { "basic": [] }]);
    let query = |id, summary| {
        let form = [
            ("db", text(), "the database"),
            (
                "rp",
                text(),
                "the retention policy; without it the database's default",
            ),
            (
                "epoch",
                text(),
                "times as integers of this unit: `ns`, `u`, `µ`, `ms`, `s`, `m` or `h`",
            ),
            (
                "params",
                text(),
                "a JSON object of values for `$name` in the statements",
            ),
            ("chunked", text(), "`true` for one JSON document a chunk"),
            ("chunk_size", text(), "rows a chunk"),
            ("pretty", text(), "`true` for indented JSON"),
        ];
        let results = json!({
            "application/json": { "schema": reference("Results") },
            "application/csv": { "schema": text() },
            "text/csv": { "schema": text() },
            "application/x-msgpack": { "schema": { "type": "string", "format": "binary" } },
        });
        let answer = json!({"description": "the results, and the errors, of the statements",
            "content": results});
        Operation::new(id, summary)
            .security(credentials.clone())
            .query(&form)
            .response(200, answer)
            .errors(&[400])
    };
    let q = described(text(), "InfluxQL statements, separated by `;`");
    let posted = |id, summary| {
        let form = json!({"schema": {"type": "object", "properties": {"q": q.clone()}}});
        query(id, summary)
            .query(&[("q", text(), "InfluxQL statements, separated by `;`")])
            .body(json!({
                "application/x-www-form-urlencoded": form,
                "multipart/form-data": form,
                "application/vnd.influxql": { "schema": text() },
            }))
    };
    let read = |id, summary| {
        query(id, summary).required_query("q", &text(), "InfluxQL statements, separated by `;`")
    };
    let write = Operation::new("Write", "Write line protocol to a database")
        .security(credentials.clone())
        .required_query("db", &text(), "the database")
        .query(&[
            (
                "rp",
                text(),
                "the retention policy; without it the database's default",
            ),
            (
                "precision",
                precision(&["n", "ns", "u", "us", "µ", "μ", "ms", "s", "m", "h"]),
                "the unit of timestamps",
            ),
            (
                "consistency",
                text(),
                "accepted from clusters' clients, without effect",
            ),
            refused_lines(),
        ]);
    let ping = Operation::new("Ping", "Whether the server is there, and its version")
        .anonymous()
        .query(&[("verbose", text(), "`true` for the version as JSON")])
        .json(200, "the version", "Version")
        .no_content("the server is there");
    vec![
        ("/query", "get", read("Query", "Run InfluxQL")),
        ("/query", "post", posted("PostQuery", "Run InfluxQL")),
        (
            "/",
            "get",
            at_root(read("QueryAtRoot", "Run InfluxQL, as `/query`")),
        ),
        (
            "/",
            "post",
            at_root(read("PostQueryAtRoot", "Run InfluxQL, as `/query`")),
        ),
        ("/write", "post", written(write)),
        ("/ping", "get", ping),
    ]
}

/// Without `q` in the URL there is no such page.
fn at_root(operation: Operation) -> Operation {
    let content = json!({ "text/plain": { "schema": text() } });
    let missing = json!({ "description": "there is no `q`", "content": content });
    operation.response(404, missing)
}

fn precision(names: &[&str]) -> Value {
    let mut all = vec![""];
    all.extend(names);
    json!({ "type": "string", "enum": all })
}

/// What every write takes and answers.
fn written(operation: Operation) -> Operation {
    operation
        .body(json!({ "text/plain": { "schema": text() } }))
        .no_content("every point is stored")
        .errors(&[400, 403, 404, 422, 503])
}

fn system() -> Vec<Described> {
    let metrics = json!({"description": "counters and gauges in Prometheus' format",
        "content": { "text/plain": { "schema": text() } }});
    vec![
        (
            "/health",
            "get",
            Operation::new("Health", "Whether the server works")
                .anonymous()
                .json(200, "it does", "Health")
                .json(503, "it refuses writes", "Health"),
        ),
        (
            "/ready",
            "get",
            Operation::new("Ready", "Since when the server has been up")
                .anonymous()
                .json(200, "it is up", "Ready"),
        ),
        (
            "/metrics",
            "get",
            Operation::new("Metrics", "What the server has done")
                .anonymous()
                .response(200, metrics)
                .errors(&[403]),
        ),
        (
            "/debug/vars",
            "get",
            Operation::new("Variables", "Figures by the names of InfluxDB 1.x")
                .anonymous()
                .json(200, "the figures", "Object")
                .errors(&[403]),
        ),
        (
            "/api/v2",
            "get",
            Operation::new("Links", "The resources that there are")
                .anonymous()
                .json(200, "paths by name", "Links"),
        ),
        (
            "/api/v2/openapi.json",
            "get",
            Operation::new("Description", "This description")
                .anonymous()
                .json(200, "OpenAPI 3", "Object"),
        ),
    ]
}

fn target() -> [(&'static str, Value, &'static str); 2] {
    [
        (
            "org",
            text(),
            "the organization's name or id; without it the token's",
        ),
        ("orgID", id(), "the organization's id, which wins"),
    ]
}

/// The parameter of both writes that is ours.
fn refused_lines() -> (&'static str, Value, &'static str) {
    (
        "refused_lines",
        text(),
        "`true`: the answer to a partial write numbers the refused lines in the member `lines`",
    )
}

/// `/api/v2/write`, `delete`, `export` and `query`.
fn data() -> Vec<Described> {
    let write = Operation::new("WriteToBucket", "Write line protocol to a bucket")
        .query(&target())
        .required_query("bucket", &text(), "the bucket's name or id")
        .query(&[
            (
                "precision",
                precision(&["ns", "us", "ms", "s"]),
                "the unit of timestamps",
            ),
            refused_lines(),
        ]);
    let delete = Operation::new("Delete", "Delete points of a time range")
        .query(&target())
        .query(&[
            ("bucket", text(), "the bucket's name or id"),
            ("bucketID", id(), "the bucket's id, which wins"),
        ])
        .json_body("Deletion")
        .no_content("the points are gone")
        .errors(&[403, 404, 501, 503]);
    let flux = Operation::new("Flux", "Flux is not offered: send InfluxQL to `/query`");
    vec![
        ("/api/v2/write", "post", written(write)),
        ("/api/v2/delete", "post", delete),
        ("/api/v2/export", "get", export()),
        ("/api/v2/query", "post", flux.errors(&[501])),
    ]
}

/// A bucket by `bucket`, or by `db` and `rp`.
fn export() -> Operation {
    let points = json!({"description": "line protocol that reads as the same points",
        "content": { "text/plain": { "schema": text() } }});
    Operation::new("Export", "The points of a bucket as line protocol")
        .security(json!([{ "token": [] }, { "basic": [] }]))
        .query(&target())
        .query(&[
            ("bucket", text(), "the bucket's name or id"),
            ("db", text(), "the database, when no bucket is named"),
            (
                "rp",
                text(),
                "the retention policy; without it the database's default",
            ),
            ("measurement", text(), "only of this measurement"),
            (
                "start",
                text(),
                "none before: RFC 3339, or nanoseconds since 1970",
            ),
            (
                "stop",
                text(),
                "none after: RFC 3339, or nanoseconds since 1970",
            ),
        ])
        .response(200, points)
        .errors(&[400, 403, 404])
}

/// Set-up, sessions and users.
fn accounts() -> Vec<Described> {
    let basic = json!([{ "basic": [] }]);
    let session = json!([{ "session": [] }]);
    let own_password = |id| {
        Operation::new(
            id,
            "Set one's own password, with the old one in a Basic header",
        )
        .security(json!([{ "session": [], "basic": [] }]))
        .json_body("Password")
        .no_content("the password is set")
    };
    vec![
        (
            "/api/v2/setup",
            "get",
            Operation::new("SetupAllowed", "Whether the server waits to be set up")
                .anonymous()
                .json(200, "whether it does", "SetupAllowed"),
        ),
        (
            "/api/v2/setup",
            "post",
            Operation::new(
                "Setup",
                "Make the first user, organization, bucket and token",
            )
            .anonymous()
            .json_body("Setup")
            .json(201, "what was made, with the operator token", "SetupDone")
            .errors(&[422]),
        ),
        (
            "/api/v2/signin",
            "post",
            Operation::new("SignIn", "Start a session")
                .security(basic)
                .no_content("the cookie `influxdb-oss-session` is set"),
        ),
        (
            "/api/v2/signout",
            "post",
            Operation::new("SignOut", "End a session")
                .security(session)
                .no_content("the session is over"),
        ),
        (
            "/api/v2/users",
            "get",
            Operation::new("ListUsers", "The users that the caller may read")
                .query(&paging())
                .query(&[
                    ("id", id(), "only this"),
                    ("name", text(), "only of this name"),
                ])
                .json(200, "the users", "Users")
                .errors(&[400, 404]),
        ),
        (
            "/api/v2/users",
            "post",
            Operation::new("CreateUser", "Make a user")
                .json_body("NewUser")
                .json(201, "the user", "User")
                .errors(&[422]),
        ),
        (
            "/api/v2/users/{id}",
            "get",
            one("GetUser", "A user", "User"),
        ),
        (
            "/api/v2/users/{id}",
            "patch",
            change("UpdateUser", "UserChange", "User"),
        ),
        ("/api/v2/users/{id}", "delete", gone("DeleteUser")),
        (
            "/api/v2/users/{id}/password",
            "post",
            password("SetUserPassword"),
        ),
        (
            "/api/v2/me",
            "get",
            Operation::new("Me", "The user of the token or session")
                .json(200, "the user", "User")
                .errors(&[404]),
        ),
        (
            "/api/v2/me/password",
            "post",
            own_password("PostOwnPassword"),
        ),
        ("/api/v2/me/password", "put", own_password("PutOwnPassword")),
    ]
}

fn paging() -> [(&'static str, Value, &'static str); 4] {
    [
        (
            "limit",
            json!({"type": "integer", "minimum": 1, "maximum": 100}),
            "how many, 20 without it",
        ),
        (
            "offset",
            json!({"type": "integer"}),
            "how many to leave out",
        ),
        ("after", id(), "only those after this"),
        ("descending", boolean(), "whether the last comes first"),
    ]
}

fn one(id: &'static str, summary: &'static str, schema: &str) -> Operation {
    Operation::new(id, summary)
        .of_id()
        .json(200, summary, schema)
}

fn change(id: &'static str, body: &str, schema: &str) -> Operation {
    Operation::new(id, "Change what the body names")
        .of_id()
        .json_body(body)
        .json(200, "as it is now", schema)
        .errors(&[422])
}

fn gone(id: &'static str) -> Operation {
    Operation::new(id, "Delete")
        .of_id()
        .no_content("it is gone")
}

fn password(id: &'static str) -> Operation {
    Operation::new(id, "Set a password")
        .of_id()
        .json_body("Password")
        .no_content("the password is set")
}

fn organizations_and_buckets() -> Vec<Described> {
    let organization_filters = [
        ("org", text(), "only of this name"),
        ("orgID", text(), "only this"),
    ];
    let bucket_filters = [
        ("org", text(), "only of the organization of this name"),
        ("orgID", id(), "only of this organization"),
        ("name", text(), "only of this name"),
        ("id", id(), "only this"),
    ];
    vec![
        (
            "/api/v2/orgs",
            "get",
            Operation::new(
                "ListOrganizations",
                "The organizations that the caller may read",
            )
            .query(&paging())
            .query(&organization_filters)
            .json(200, "the organizations", "Organizations")
            .errors(&[400, 404]),
        ),
        (
            "/api/v2/orgs",
            "post",
            Operation::new("CreateOrganization", "Make an organization")
                .json_body("NewOrganization")
                .json(201, "the organization", "Organization")
                .errors(&[422]),
        ),
        (
            "/api/v2/orgs/{id}",
            "get",
            one("GetOrganization", "An organization", "Organization"),
        ),
        (
            "/api/v2/orgs/{id}",
            "patch",
            change("UpdateOrganization", "OrganizationChange", "Organization"),
        ),
        ("/api/v2/orgs/{id}", "delete", gone("DeleteOrganization")),
        (
            "/api/v2/buckets",
            "get",
            Operation::new("ListBuckets", "The buckets that the caller may read")
                .query(&paging())
                .query(&bucket_filters)
                .json(200, "the buckets", "Buckets")
                .errors(&[400, 404]),
        ),
        (
            "/api/v2/buckets",
            "post",
            Operation::new("CreateBucket", "Make a bucket")
                .json_body("NewBucket")
                .json(201, "the bucket", "Bucket")
                .errors(&[404, 422]),
        ),
        (
            "/api/v2/buckets/{id}",
            "get",
            one("GetBucket", "A bucket", "Bucket"),
        ),
        (
            "/api/v2/buckets/{id}",
            "patch",
            change("UpdateBucket", "BucketChange", "Bucket"),
        ),
        ("/api/v2/buckets/{id}", "delete", gone("DeleteBucket")),
    ]
}

/// API tokens, and 1.x credentials, which are much the same.
fn authorizations() -> Vec<Described> {
    let filters = || {
        [
            ("id", id(), "only this"),
            ("userID", id(), "only of this user"),
            ("user", text(), "only of the user of this name"),
            ("orgID", id(), "only of this organization"),
            ("org", text(), "only of the organization of this name"),
        ]
    };
    let list = |id, summary| {
        Operation::new(id, summary)
            .query(&filters())
            .json(200, "what the caller may read of them", "Authorizations")
            .errors(&[400, 404])
    };
    let create = |id, summary, body, meaning| {
        Operation::new(id, summary)
            .json_body(body)
            .json(201, meaning, "Authorization")
            .errors(&[403, 404, 422])
    };
    let changed = |id| change(id, "AuthorizationChange", "Authorization");
    let tokens = "/api/v2/authorizations";
    let token = "/api/v2/authorizations/{id}";
    let users = "/private/legacy/authorizations";
    let user = "/private/legacy/authorizations/{id}";
    let credentials = list("ListCredentials", "1.x users").query(&[
        ("token", text(), "only of this name"),
        ("authID", id(), "as `id`"),
    ]);
    vec![
        (
            tokens,
            "get",
            list("ListTokens", "API tokens, without their secrets"),
        ),
        (
            tokens,
            "post",
            create(
                "CreateToken",
                "Make an API token",
                "NewToken",
                "the token, told this once",
            ),
        ),
        (
            token,
            "get",
            one(
                "GetToken",
                "An API token, without its secret",
                "Authorization",
            ),
        ),
        (token, "patch", changed("UpdateToken")),
        (token, "delete", gone("DeleteToken")),
        (users, "get", credentials),
        (
            users,
            "post",
            create(
                "CreateCredential",
                "Make a 1.x user",
                "NewCredential",
                "the user, still without a password",
            ),
        ),
        (
            user,
            "get",
            one("GetCredential", "A 1.x user", "Authorization"),
        ),
        (user, "patch", changed("UpdateCredential")),
        (user, "delete", gone("DeleteCredential")),
        (
            "/private/legacy/authorizations/{id}/password",
            "post",
            password("SetCredentialPassword"),
        ),
    ]
}

fn mappings() -> Vec<Described> {
    let organization = || {
        [
            (
                "orgID",
                id(),
                "the organization's id, which wins; one of the two is needed",
            ),
            ("org", text(), "the organization's name"),
        ]
    };
    let filters = [
        ("db", text(), "only of this database"),
        ("rp", text(), "only of this retention policy"),
        ("bucketID", id(), "only to this bucket"),
        ("id", id(), "only this"),
        (
            "default",
            boolean(),
            "only those that are a database's default, or not",
        ),
    ];
    let all = "/api/v2/dbrps";
    let member = "/api/v2/dbrps/{id}";
    vec![
        (
            all,
            "get",
            Operation::new(
                "ListMappings",
                "Which bucket a database and retention policy mean",
            )
            .query(&organization())
            .query(&filters)
            .json(200, "the mappings", "Mappings")
            .errors(&[400, 404]),
        ),
        (
            all,
            "post",
            Operation::new(
                "CreateMapping",
                "Map a database and retention policy to a bucket",
            )
            .json_body("NewMapping")
            .json(201, "the mapping", "Mapping")
            .errors(&[404, 422]),
        ),
        (
            member,
            "get",
            one("GetMapping", "A mapping", "OneMapping").query(&organization()),
        ),
        (
            member,
            "patch",
            change("UpdateMapping", "MappingChange", "OneMapping").query(&organization()),
        ),
        (
            member,
            "delete",
            gone("DeleteMapping").query(&organization()),
        ),
    ]
}
