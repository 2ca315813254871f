//! Printing a tree and parsing the text gives the tree again, and no text makes the parser
//! panic.

use headwater_influxql::ast::{
    BinaryExpr, BinaryOp, Call, CardinalityOf, DataType, DeleteStatement, ExplainStatement, Expr,
    Fill, FillNumber, Measurement, OnName, Order, Query, Regex, SelectField, SelectStatement,
    ShowCardinalityStatement, ShowMeasurementsStatement, ShowStatement, Source, Statement, VarRef,
    WildcardKind, WithKey,
};
use headwater_influxql::{Params, parse_expr, parse_query};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn name() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z_][a-zA-Z0-9_]{0,4}",
        "[ -~éµ😀\n\t]{0,6}",
        Just("select".to_owned()),
        Just("time".to_owned()),
    ]
    .boxed()
}

/// A name that may stand where an empty one would say that nothing was written.
fn present_name() -> BoxedStrategy<String> {
    name()
        .prop_filter("a name", |name| !name.is_empty())
        .boxed()
}

/// A name of a function. Printing never quotes those.
fn function() -> BoxedStrategy<String> {
    "[a-z][a-z0-9_]{2,8}"
        .prop_filter("no keyword", |name| {
            !headwater_influxql::is_keyword(name) && name != "fill" && name != "tz"
        })
        .boxed()
}

fn regex() -> BoxedStrategy<Regex> {
    "([a-z/.^$ ']|\\[[a-c/]+\\]|\\\\[.dwsn/]|\\([ab]\\|/\\)){0,5}"
        .prop_filter_map("a pattern", |pattern| Regex::new(&pattern).ok())
        .boxed()
}

fn data_type() -> BoxedStrategy<DataType> {
    prop_oneof![
        Just(DataType::Float),
        Just(DataType::Integer),
        Just(DataType::Unsigned),
        Just(DataType::String),
        Just(DataType::Boolean),
        Just(DataType::Tag),
        Just(DataType::AnyField),
    ]
    .boxed()
}

/// Operands that are one token or a name: what an operator may stand between.
fn leaf() -> BoxedStrategy<Expr> {
    prop_oneof![
        (name(), option::of(data_type()))
            .prop_map(|(name, data_type)| Expr::VarRef(VarRef { name, data_type })),
        any::<i64>().prop_map(Expr::Integer),
        (i64::MAX as u64 + 1..).prop_map(Expr::Unsigned),
        (-1e12..1e12).prop_map(Expr::Number),
        name().prop_map(Expr::String),
        any::<bool>().prop_map(Expr::Boolean),
        (0..i64::MAX).prop_map(Expr::Duration),
        (1..i64::MAX).prop_map(|duration| Expr::Duration(-duration)),
        Just(Expr::Wildcard(None)),
        Just(Expr::Wildcard(Some(WildcardKind::Field))),
        Just(Expr::Wildcard(Some(WildcardKind::Tag))),
        function().prop_map(Expr::Distinct),
    ]
    .boxed()
}

fn operator() -> BoxedStrategy<BinaryOp> {
    use BinaryOp::{
        Add, And, BitAnd, BitOr, BitXor, Div, Eq, EqRegex, Gt, GtEq, Lt, LtEq, Mod, Mul, NotEq,
        NotEqRegex, Or, Sub,
    };
    proptest::sample::select(vec![
        Add, And, BitAnd, BitOr, BitXor, Div, Eq, EqRegex, Gt, GtEq, Lt, LtEq, Mod, Mul, NotEq,
        NotEqRegex, Or, Sub,
    ])
    .boxed()
}

/// Joins two expressions so that no parentheses are missing.
fn binary(op: BinaryOp, left: Expr, right: Expr, regex: Regex) -> Expr {
    let bare = |expr: Expr, loosest: u8| match expr {
        Expr::Binary(inner) if inner.op.precedence() < loosest => {
            Expr::Paren(Box::new(Expr::Binary(inner)))
        }
        other => other,
    };
    let left = bare(left, op.precedence());
    let right = if op.is_regex() {
        Expr::Regex(regex)
    } else {
        bare(right, op.precedence() + 1)
    };
    Expr::Binary(Box::new(BinaryExpr { op, left, right }))
}

fn expr_of(operator: BoxedStrategy<BinaryOp>) -> BoxedStrategy<Expr> {
    leaf()
        .prop_recursive(5, 40, 4, move |inner| {
            let argument = prop_oneof![3 => inner.clone(), 1 => regex().prop_map(Expr::Regex)];
            prop_oneof![
                (operator.clone(), inner.clone(), inner.clone(), regex())
                    .prop_map(|(op, left, right, regex)| binary(op, left, right, regex)),
                inner.clone().prop_map(|inner| Expr::Paren(Box::new(inner))),
                (function(), vec(argument, 0..4))
                    .prop_map(|(name, args)| Expr::Call(Call { name, args })),
            ]
        })
        .boxed()
}

fn expr() -> BoxedStrategy<Expr> {
    expr_of(operator()).boxed()
}

fn field() -> BoxedStrategy<SelectField> {
    let arithmetic = operator()
        .prop_filter("arithmetic", |op| !op.is_boolean())
        .boxed();
    let expr = prop_oneof![4 => expr_of(arithmetic), 1 => regex().prop_map(Expr::Regex)];
    (expr, option::of(name()))
        .prop_map(|(expr, alias)| SelectField { expr, alias })
        .boxed()
}

fn measurement() -> BoxedStrategy<Measurement> {
    let qualifiers = prop_oneof![
        Just((String::new(), String::new())),
        present_name().prop_map(|policy| (String::new(), policy)),
        (
            present_name(),
            prop_oneof![Just(String::new()), present_name()]
        ),
    ];
    let named = present_name().prop_map(|name| (name, None));
    let matching = regex().prop_map(|regex| (String::new(), Some(regex)));
    (qualifiers, prop_oneof![named, matching])
        .prop_map(|(qualifiers, (name, regex))| Measurement {
            database: qualifiers.0,
            retention_policy: qualifiers.1,
            name,
            regex,
            is_target: false,
        })
        .boxed()
}

fn target() -> BoxedStrategy<Measurement> {
    measurement()
        .prop_map(|measurement| {
            let qualified = !measurement.retention_policy.is_empty();
            let needs_name = measurement.name.is_empty() && !qualified;
            Measurement {
                name: if needs_name {
                    "t".to_owned()
                } else {
                    measurement.name.clone()
                },
                regex: None,
                is_target: true,
                ..measurement
            }
        })
        .prop_filter("a target that can be written", |target| {
            !target.name.is_empty() || !target.retention_policy.is_empty()
        })
        .boxed()
}

fn fill() -> BoxedStrategy<Fill> {
    prop_oneof![
        Just(Fill::Null),
        Just(Fill::None),
        Just(Fill::Previous),
        Just(Fill::Linear),
        any::<i64>().prop_map(|value| Fill::Number(FillNumber::Integer(value))),
        (-1000_i32..1000).prop_map(|value| Fill::Number(FillNumber::Float(f64::from(value) + 0.5))),
    ]
    .boxed()
}

fn order() -> BoxedStrategy<Option<Order>> {
    option::of(
        (any::<bool>(), any::<bool>()).prop_map(|(names_time, ascending)| Order {
            names_time,
            ascending,
        }),
    )
    .boxed()
}

fn count() -> BoxedStrategy<u64> {
    prop_oneof![Just(0), 0..=i64::MAX.unsigned_abs()].boxed()
}

fn dimensions() -> BoxedStrategy<Vec<Expr>> {
    vec(
        prop_oneof![4 => expr(), 1 => regex().prop_map(Expr::Regex)],
        0..3,
    )
    .boxed()
}

fn select() -> BoxedStrategy<SelectStatement> {
    select_of(measurement().prop_map(Source::Measurement).boxed())
        .prop_recursive(3, 12, 2, |inner| {
            select_of(
                prop_oneof![
                    measurement().prop_map(Source::Measurement),
                    inner.prop_map(|select| Source::Subquery(Box::new(select))),
                ]
                .boxed(),
            )
        })
        .boxed()
}

fn select_of(source: BoxedStrategy<Source>) -> BoxedStrategy<SelectStatement> {
    let zone = option::of(proptest::sample::select(vec![
        chrono_tz::Tz::UTC,
        chrono_tz::Europe::Berlin,
        chrono_tz::America::New_York,
    ]));
    let heads = (vec(field(), 1..3), option::of(target()), vec(source, 1..3));
    let middles = (option::of(expr()), dimensions(), fill(), order());
    (heads, middles, [count(), count(), count(), count()], zone)
        .prop_map(
            |((fields, into, sources), (condition, dimensions, fill, order), counts, timezone)| {
                let [limit, offset, slimit, soffset] = counts;
                SelectStatement {
                    fields,
                    into,
                    sources,
                    condition,
                    dimensions,
                    fill,
                    order,
                    limit,
                    offset,
                    slimit,
                    soffset,
                    timezone,
                }
            },
        )
        .boxed()
}

fn with_key() -> BoxedStrategy<WithKey> {
    prop_oneof![
        name().prop_map(WithKey::Eq),
        name().prop_map(WithKey::NotEq),
        regex().prop_map(WithKey::EqRegex),
        regex().prop_map(WithKey::NotEqRegex),
        vec(name(), 1..4).prop_map(WithKey::In),
    ]
    .boxed()
}

/// SHOW SERIES, SHOW TAG VALUES or SHOW FIELD KEYS.
fn show() -> BoxedStrategy<Statement> {
    let parts = (
        option::of(name()),
        vec(measurement(), 0..3),
        option::of(expr()),
        order(),
    );
    (
        0..4,
        parts,
        [count(), count(), count(), count()],
        with_key(),
    )
        .prop_map(
            |(which, (database, sources, condition, order), counts, with_key)| {
                let [limit, offset, slimit, soffset] = counts;
                let show = ShowStatement {
                    database,
                    sources,
                    with_key: None,
                    condition,
                    order,
                    limit,
                    offset,
                    slimit: 0,
                    soffset: 0,
                };
                match which {
                    0 => Statement::ShowSeries(show),
                    1 => Statement::ShowTagValues(ShowStatement {
                        with_key: Some(with_key),
                        ..show
                    }),
                    2 => Statement::ShowTagKeys(ShowStatement {
                        slimit,
                        soffset,
                        ..show
                    }),
                    _ => Statement::ShowFieldKeys(ShowStatement {
                        condition: None,
                        ..show
                    }),
                }
            },
        )
        .boxed()
}

fn show_cardinality() -> BoxedStrategy<Statement> {
    let of = proptest::sample::select(vec![
        CardinalityOf::Series,
        CardinalityOf::Measurement,
        CardinalityOf::TagKey,
        CardinalityOf::TagValues,
        CardinalityOf::FieldKey,
    ]);
    let parts = (
        option::of(name()),
        vec(measurement(), 0..3),
        option::of(expr()),
        dimensions(),
    );
    (of, any::<bool>(), parts, with_key(), [count(), count()])
        .prop_map(
            |(of, exact, (database, sources, condition, dimensions), with_key, [limit, offset])| {
                let with_key = (of == CardinalityOf::TagValues).then_some(with_key);
                Statement::ShowCardinality(ShowCardinalityStatement {
                    of,
                    exact,
                    database,
                    sources,
                    with_key,
                    condition,
                    dimensions,
                    limit,
                    offset,
                })
            },
        )
        .boxed()
}

fn show_measurements() -> BoxedStrategy<Statement> {
    let on_name = || prop_oneof![name().prop_map(OnName::Name), Just(OnName::Wildcard)];
    let on = option::of((on_name(), option::of(on_name())));
    (
        on,
        option::of(measurement()),
        option::of(expr()),
        order(),
        [count(), count()],
    )
        .prop_map(
            |(on, with_measurement, condition, order, [limit, offset])| {
                let (database, retention_policy) = on.unzip();
                Statement::ShowMeasurements(ShowMeasurementsStatement {
                    database,
                    retention_policy: retention_policy.flatten(),
                    with_measurement,
                    condition,
                    order,
                    limit,
                    offset,
                })
            },
        )
        .boxed()
}

fn delete() -> BoxedStrategy<Statement> {
    let source = measurement().prop_map(|measurement| Measurement {
        database: String::new(),
        ..measurement
    });
    let with_sources = (vec(source, 1..3), option::of(expr()));
    let everywhere = expr().prop_map(|condition| (Vec::new(), Some(condition)));
    let delete = prop_oneof![4 => with_sources, 1 => everywhere];
    delete
        .prop_map(|(sources, condition)| Statement::Delete(DeleteStatement { sources, condition }))
        .boxed()
}

fn statement() -> BoxedStrategy<Statement> {
    prop_oneof![
        6 => select().prop_map(|select| Statement::Select(Box::new(select))),
        1 => (any::<bool>(), any::<bool>(), select()).prop_map(|(analyze, verbose, select)| {
            Statement::Explain(ExplainStatement { analyze, verbose, select: Box::new(select) })
        }),
        2 => delete(),
        1 => name().prop_map(|name| Statement::DropMeasurement { name }),
        1 => Just(Statement::ShowDatabases),
        1 => option::of(name())
            .prop_map(|database| Statement::ShowRetentionPolicies { database }),
        2 => show_measurements(),
        4 => show(),
        2 => show_cardinality(),
        1 => (any::<u64>(), option::of(name()))
            .prop_map(|(id, host)| Statement::KillQuery { id, host }),
    ]
    .boxed()
}

/// Statements of administration, which a tree keeps as their canonical text. Those with a
/// password print it redacted.
fn administration() -> BoxedStrategy<String> {
    let quoted = || {
        present_name().prop_map(|name| {
            let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{}\"", escaped.replace('\n', "\\n"))
        })
    };
    let duration = || {
        let choices = vec!["INF", "1h", "0s", "90m", "2w3d", "7d"];
        proptest::sample::select(choices)
    };
    let options = |part: &'static str, value: BoxedStrategy<String>| {
        option::of(value)
            .prop_map(move |value| value.map_or(String::new(), |it| format!(" {part} {it}")))
            .boxed()
    };
    let text = |it: BoxedStrategy<&'static str>| it.prop_map(str::to_owned).boxed();
    let length = || options("DURATION", text(duration().boxed()));
    let copies = || options("REPLICATION", (1..9_u8).prop_map(|n| n.to_string()).boxed());
    let shard = || {
        let whole = proptest::sample::select(vec!["1h", "1d", "7d"]);
        options("SHARD DURATION", text(whole.boxed()))
    };
    let privilege = || proptest::sample::select(vec!["READ", "WRITE", "ALL", "ALL PRIVILEGES"]);
    let plain = proptest::sample::select(vec![
        "SHOW USERS",
        "SHOW QUERIES",
        "SHOW SHARDS",
        "SHOW SHARD GROUPS",
        "SHOW SUBSCRIPTIONS",
        "SHOW CONTINUOUS QUERIES",
        "SHOW STATS",
        "SHOW STATS FOR 'runtime'",
        "SHOW DIAGNOSTICS",
        "SHOW DIAGNOSTICS FOR 'build'",
    ]);
    let policy = (
        quoted(),
        quoted(),
        duration(),
        1..9_u8,
        shard(),
        any::<bool>(),
    )
        .prop_map(|(name, database, duration, copies, shard, is_default)| {
            let default = if is_default { " DEFAULT" } else { "" };
            format!(
                "CREATE RETENTION POLICY {name} ON {database} DURATION {duration} \
                 REPLICATION {copies}{shard}{default}"
            )
        });
    let with_database = (
        length(),
        copies(),
        shard(),
        options("NAME", quoted().boxed()),
    );
    prop_oneof![
        text(plain.boxed()),
        policy,
        (quoted(), with_database).prop_map(|(name, (length, copies, shard, policy))| {
            let parts = length + &copies + &shard + &policy;
            let with = if parts.is_empty() { "" } else { " WITH" };
            format!("CREATE DATABASE {name}{with}{parts}")
        }),
        (quoted(), quoted(), duration(), copies(), shard()).prop_map(
            |(name, database, duration, copies, shard)| format!(
                "ALTER RETENTION POLICY {name} ON {database} DURATION {duration}{copies}{shard}"
            )
        ),
        (quoted(), quoted()).prop_map(|(a, b)| format!("DROP RETENTION POLICY {a} ON {b}")),
        (quoted(), quoted()).prop_map(|(a, b)| format!("DROP CONTINUOUS QUERY {a} ON {b}")),
        (quoted(), quoted(), quoted()).prop_map(|(a, b, c)| format!(
            "CREATE SUBSCRIPTION {a} ON {b}.{c} DESTINATIONS ANY 'udp://h:1', 'udp://h:2'"
        )),
        (quoted(), quoted(), quoted())
            .prop_map(|(a, b, c)| format!("DROP SUBSCRIPTION {a} ON {b}.{c}")),
        (quoted(), quoted()).prop_map(|(name, source)| format!(
            "CREATE CONTINUOUS QUERY {name} ON d RESAMPLE EVERY 10m FOR 2h BEGIN \
             SELECT mean(v) INTO t FROM {source} GROUP BY time(5m) END"
        )),
        quoted().prop_map(|name| format!("DROP DATABASE {name}")),
        quoted().prop_map(|name| format!("DROP USER {name}")),
        quoted().prop_map(|name| format!("SHOW GRANTS FOR {name}")),
        any::<u32>().prop_map(|id| format!("DROP SHARD {id}")),
        (privilege(), quoted(), quoted()).prop_map(|(p, a, b)| format!("GRANT {p} ON {a} TO {b}")),
        (privilege(), quoted(), quoted())
            .prop_map(|(p, a, b)| format!("REVOKE {p} ON {a} FROM {b}")),
        quoted().prop_map(|user| format!("GRANT ALL PRIVILEGES TO {user}")),
        quoted().prop_map(|user| format!("REVOKE ALL FROM {user}")),
        delete()
            .prop_map(|statement| statement.to_string().replacen("DELETE", "DROP SERIES", 1))
            .prop_filter("no policy", |text| parse_query(text, &Params::default())
                .is_ok()),
    ]
    .boxed()
}

/// Words and symbols in any order: more of the parser than arbitrary characters reach.
fn token_soup() -> BoxedStrategy<String> {
    let words = [
        "SELECT",
        "a",
        "\"b\"",
        "'c'",
        "FROM",
        "m",
        "WHERE",
        "GROUP",
        "BY",
        "time",
        "(",
        ")",
        ",",
        ".",
        "..",
        "::",
        ":",
        "/x/",
        "/",
        "=~",
        "=",
        "-",
        "--",
        "/*",
        "*/",
        "*",
        "1",
        "1.",
        ".5",
        "1h",
        "$p",
        "$",
        ";",
        "\n",
        "fill(",
        "tz('UTC')",
        "ORDER",
        "LIMIT",
        "SHOW",
        "TAG",
        "VALUES",
        "WITH",
        "KEY",
        "IN",
        "DELETE",
        "DROP",
        "SERIES",
        "CREATE",
        "DATABASE",
        "CONTINUOUS",
        "QUERY",
        "ON",
        "BEGIN",
        "INTO",
        "END",
        "DISTINCT",
        "float",
        "field",
        "\\",
    ];
    vec(
        (proptest::sample::select(words.to_vec()), any::<bool>()),
        0..30,
    )
    .prop_map(|words| {
        words
            .into_iter()
            .flat_map(|(word, spaced)| [word, if spaced { " " } else { "" }])
            .collect()
    })
    .boxed()
}

proptest! {
    #[test]
    fn expressions_survive_printing(expr in expr()) {
        let text = expr.to_string();
        prop_assert_eq!(parse_expr(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?, expr);
    }

    #[test]
    fn statements_survive_printing(statements in vec(statement(), 1..3)) {
        let query = Query { statements };
        let text = query.to_string();
        let parsed = parse_query(&text, &Params::default());
        prop_assert_eq!(parsed.map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?, query);
    }

    #[test]
    fn statements_of_administration_survive_printing(text in administration()) {
        let parse = |text: &str| {
            let parsed = parse_query(text, &Params::default());
            parsed.map_err(|error| TestCaseError::fail(format!("{text}: {error}")))
        };
        let query = parse(&text)?;
        prop_assert_eq!(parse(&query.to_string())?, query);
    }

    #[test]
    fn canonical_text_is_a_fixed_point(text in token_soup()) {
        if let Ok(query) = parse_query(&text, &Params::default()) {
            let canonical = query.to_string();
            if let Ok(again) = parse_query(&canonical, &Params::default()) {
                prop_assert_eq!(again.to_string(), canonical);
            }
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}|[ -~\n\r\t\0µ]{0,60}") {
        let _ = parse_query(&text, &Params::default());
        let _ = parse_expr(&text);
        let _ = Params::from_json(&text);
        let _ = Regex::new(&text);
    }
}
