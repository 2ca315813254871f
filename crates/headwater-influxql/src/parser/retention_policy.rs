//! CREATE DATABASE and CREATE and ALTER RETENTION POLICY (`spec/influxql/grammar.md` §3.3).

use super::show::admin;
use super::{Parser, Result};
use crate::ast::{AdminDetail, RetentionPolicySpec, Statement};
use crate::duration::{format_clock_duration, format_duration, parse_duration};
use crate::keywords::Keyword;
use crate::lexer::Token;
use crate::print::quote_ident;

impl Parser<'_> {
    /// `name [WITH [DURATION d] [REPLICATION n] [SHARD DURATION d] [FUTURE LIMIT d]
    /// [PAST LIMIT d] [NAME n]]`, of which WITH needs one.
    pub(super) fn parse_create_database(&mut self) -> Result<Statement> {
        let name = self.parse_ident()?;
        let mut text = format!("CREATE DATABASE {}", quote_ident(&name));
        let mut policy = None;
        if self.accept(Keyword::With) {
            let spec = self.parse_database_policy()?;
            text.push_str(" WITH");
            text.push_str(&print_database_policy(&spec));
            policy = Some(spec);
        }
        Ok(admin(
            "CREATE DATABASE",
            text,
            AdminDetail::CreateDatabase { name, policy },
        ))
    }

    fn parse_database_policy(&mut self) -> Result<RetentionPolicySpec> {
        let lexeme = self.scan_ignore_whitespace();
        self.unscan();
        if !matches!(
            lexeme.token,
            Token::Keyword(
                Keyword::Duration
                    | Keyword::Name
                    | Keyword::Replication
                    | Keyword::Shard
                    | Keyword::Future
                    | Keyword::Past
            )
        ) {
            return self.unexpected(
                &lexeme,
                &["DURATION", "NAME", "REPLICATION", "SHARD", "FUTURE", "PAST"],
            );
        }
        let mut spec = RetentionPolicySpec::default();
        if self.accept(Keyword::Duration) {
            spec.duration = Some(self.parse_duration_or_inf()?);
        }
        if self.accept(Keyword::Replication) {
            spec.replication = Some(self.parse_replication()?);
        }
        if self.accept(Keyword::Shard) {
            spec.shard_duration = Some(self.parse_shard_duration()?);
        }
        self.parse_limits(&mut spec)?;
        if self.accept(Keyword::Name) {
            spec.name = Some(self.parse_ident()?);
        }
        Ok(spec)
    }

    /// `name ON db DURATION d REPLICATION n [SHARD DURATION d] [DEFAULT] [FUTURE LIMIT d]
    /// [PAST LIMIT d]`.
    pub(super) fn parse_create_retention_policy(&mut self) -> Result<Statement> {
        let (name, database) = self.parse_name_on_database()?;
        let mut policy = RetentionPolicySpec {
            name: Some(name),
            ..Default::default()
        };
        self.expect(Keyword::Duration)?;
        policy.duration = Some(self.parse_duration_or_inf()?);
        self.expect(Keyword::Replication)?;
        policy.replication = Some(self.parse_replication()?);
        if self.accept(Keyword::Shard) {
            // Zero is as good as nothing, and is printed as nothing.
            policy.shard_duration = Some(self.parse_shard_duration()?).filter(|d| *d != 0);
        }
        policy.is_default = self.accept(Keyword::Default);
        self.parse_limits(&mut policy)?;
        let text = print_policy("CREATE", &database, &policy);
        let detail = AdminDetail::CreateRetentionPolicy { database, policy };
        Ok(admin("CREATE RETENTION POLICY", text, detail))
    }

    /// `(name|DEFAULT) ON db` and options in any order, each at most once.
    pub(super) fn parse_alter_retention_policy(&mut self) -> Result<Statement> {
        let lexeme = self.scan_ignore_whitespace();
        let name = match lexeme.token {
            Token::Keyword(Keyword::Default) => "default".to_owned(),
            Token::Ident => lexeme.text,
            _ => return self.unexpected(&lexeme, &["identifier"]),
        };
        self.expect(Keyword::On)?;
        let database = self.parse_ident()?;
        let mut policy = RetentionPolicySpec {
            name: Some(name),
            ..Default::default()
        };
        let mut found = Vec::new();
        loop {
            let lexeme = self.scan_ignore_whitespace();
            let Token::Keyword(
                option @ (Keyword::Duration
                | Keyword::Replication
                | Keyword::Shard
                | Keyword::Default
                | Keyword::Future
                | Keyword::Past),
            ) = lexeme.token
            else {
                if found.is_empty() {
                    return self.unexpected(
                        &lexeme,
                        &[
                            "DURATION",
                            "REPLICATION",
                            "SHARD",
                            "DEFAULT",
                            "FUTURE",
                            "PAST",
                        ],
                    );
                }
                self.unscan();
                break;
            };
            if found.contains(&option) {
                let message = format!("found duplicate {} option", option.as_str());
                return self.error_at(&lexeme, message);
            }
            self.parse_alter_option(option, &mut policy)?;
            found.push(option);
        }
        let text = print_policy("ALTER", &database, &policy);
        let detail = AdminDetail::AlterRetentionPolicy { database, policy };
        Ok(admin("ALTER RETENTION POLICY", text, detail))
    }

    fn parse_alter_option(
        &mut self,
        option: Keyword,
        policy: &mut RetentionPolicySpec,
    ) -> Result<()> {
        match option {
            Keyword::Duration => policy.duration = Some(self.parse_duration_or_inf()?),
            Keyword::Replication => policy.replication = Some(self.parse_replication()?),
            Keyword::Shard => policy.shard_duration = Some(self.parse_shard_duration()?),
            Keyword::Future => policy.future_limit = Some(self.parse_limit()?),
            Keyword::Past => policy.past_limit = Some(self.parse_limit()?),
            _ => policy.is_default = true,
        }
        Ok(())
    }

    /// `[FUTURE LIMIT d] [PAST LIMIT d]`.
    fn parse_limits(&mut self, policy: &mut RetentionPolicySpec) -> Result<()> {
        if self.accept(Keyword::Future) {
            policy.future_limit = Some(self.parse_limit()?);
        }
        if self.accept(Keyword::Past) {
            policy.past_limit = Some(self.parse_limit()?);
        }
        Ok(())
    }

    fn parse_limit(&mut self) -> Result<i64> {
        self.expect(Keyword::Limit)?;
        self.parse_duration_or_inf()
    }

    /// A duration, or INF, which is 0.
    fn parse_duration_or_inf(&mut self) -> Result<i64> {
        let lexeme = self.scan_ignore_whitespace();
        match lexeme.token {
            Token::Keyword(Keyword::Inf) => Ok(0),
            Token::Duration => self.place(&lexeme, parse_duration(&lexeme.text)),
            _ => self.unexpected(&lexeme, &["duration"]),
        }
    }

    /// `DURATION d` after SHARD, where INF makes no sense.
    fn parse_shard_duration(&mut self) -> Result<i64> {
        self.expect(Keyword::Duration)?;
        let lexeme = self.scan_ignore_whitespace();
        if lexeme.token == Token::Keyword(Keyword::Inf) {
            return self.error_at(&lexeme, "invalid duration INF for shard duration");
        }
        self.unscan();
        self.parse_duration_or_inf()
    }

    fn parse_replication(&mut self) -> Result<i64> {
        const MAX: i64 = i32::MAX as i64;
        let lexeme = self.parse_integer_token()?;
        let text = &lexeme.text;
        match text.parse::<i64>() {
            Ok(value @ 1..=MAX) => Ok(value),
            Ok(value) => self.error_at(
                &lexeme,
                format!("invalid value {value}: must be 1 <= n <= {MAX}"),
            ),
            Err(_) => {
                let message = format!("strconv.Atoi: parsing \"{text}\": value out of range");
                self.error_at(&lexeme, message)
            }
        }
    }
}

/// What follows `CREATE DATABASE name WITH`. The two durations that 1.x knew are printed in
/// clock form there, unlike everywhere else.
fn print_database_policy(spec: &RetentionPolicySpec) -> String {
    let mut text = String::new();
    if let Some(duration) = spec.duration {
        text.push_str(&format!(" DURATION {}", format_clock_duration(duration)));
    }
    if let Some(replication) = spec.replication {
        text.push_str(&format!(" REPLICATION {replication}"));
    }
    if let Some(duration) = spec.shard_duration.filter(|duration| *duration > 0) {
        text.push_str(&format!(
            " SHARD DURATION {}",
            format_clock_duration(duration)
        ));
    }
    push_limits(&mut text, spec);
    if let Some(name) = &spec.name {
        text.push_str(&format!(" NAME {}", quote_ident(name)));
    }
    text
}

/// CREATE or ALTER RETENTION POLICY.
fn print_policy(verb: &str, database: &str, spec: &RetentionPolicySpec) -> String {
    let name = spec.name.as_deref().unwrap_or_default();
    let (name, database) = (quote_ident(name), quote_ident(database));
    let mut text = format!("{verb} RETENTION POLICY {name} ON {database}");
    if let Some(duration) = spec.duration {
        text.push_str(&format!(" DURATION {}", format_duration(duration)));
    }
    if let Some(replication) = spec.replication {
        text.push_str(&format!(" REPLICATION {replication}"));
    }
    if let Some(duration) = spec.shard_duration {
        text.push_str(&format!(" SHARD DURATION {}", format_duration(duration)));
    }
    if spec.is_default {
        text.push_str(" DEFAULT");
    }
    push_limits(&mut text, spec);
    text
}

fn push_limits(text: &mut String, spec: &RetentionPolicySpec) {
    for (which, limit) in [("FUTURE", spec.future_limit), ("PAST", spec.past_limit)] {
        if let Some(limit) = limit {
            text.push_str(&format!(" {which} LIMIT {}", format_duration(limit)));
        }
    }
}
