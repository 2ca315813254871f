//! CREATE, DROP, GRANT, REVOKE and SET PASSWORD: statements of 1.x's administration, of which
//! only the text is kept where nobody executes them (`spec/influxql/grammar.md` §3.3).

use super::show::admin;
use super::{Parser, Result};
use crate::ast::{AdminDetail, BinaryOp, Statement};
use crate::keywords::Keyword;
use crate::lexer::Token;
use crate::print::{quote_ident, quote_string};

impl Parser<'_> {
    /// Everything after CREATE.
    pub(super) fn parse_create(&mut self) -> Result<Statement> {
        let lexeme = self.scan_ignore_whitespace();
        match lexeme.token {
            Token::Keyword(Keyword::Continuous) => {
                self.expect(Keyword::Query)?;
                self.parse_create_continuous_query()
            }
            Token::Keyword(Keyword::Database) => self.parse_create_database(),
            Token::Keyword(Keyword::User) => self.parse_create_user(),
            Token::Keyword(Keyword::Retention) => {
                self.expect(Keyword::Policy)?;
                self.parse_create_retention_policy()
            }
            Token::Keyword(Keyword::Subscription) => self.parse_create_subscription(),
            _ => self.unexpected(
                &lexeme,
                &[
                    "CONTINUOUS",
                    "DATABASE",
                    "USER",
                    "RETENTION",
                    "SUBSCRIPTION",
                ],
            ),
        }
    }

    /// Everything after DROP.
    pub(super) fn parse_drop(&mut self) -> Result<Statement> {
        let lexeme = self.scan_ignore_whitespace();
        let keyword = match lexeme.token {
            Token::Keyword(keyword) => Some(keyword),
            _ => None,
        };
        match keyword {
            Some(Keyword::Continuous) => {
                self.expect(Keyword::Query)?;
                let (name, database) = self.parse_name_on_database()?;
                let text = on("DROP CONTINUOUS QUERY", &name, &database);
                Ok(admin("DROP CONTINUOUS QUERY", text, AdminDetail::Other))
            }
            Some(Keyword::Database) => {
                let name = self.parse_ident()?;
                let text = format!("DROP DATABASE {}", quote_ident(&name));
                Ok(admin(
                    "DROP DATABASE",
                    text,
                    AdminDetail::DropDatabase { name },
                ))
            }
            Some(Keyword::Measurement) => self.parse_drop_measurement(),
            Some(Keyword::Retention) => {
                self.expect(Keyword::Policy)?;
                let (name, database) = self.parse_name_on_database()?;
                let text = on("DROP RETENTION POLICY", &name, &database);
                let detail = AdminDetail::DropRetentionPolicy { database, name };
                Ok(admin("DROP RETENTION POLICY", text, detail))
            }
            Some(Keyword::Series) => {
                let statement = self.parse_delete_tail(true)?;
                let text = statement.to_string().replacen("DELETE", "DROP SERIES", 1);
                Ok(admin(
                    "DROP SERIES",
                    text,
                    AdminDetail::DropSeries(statement),
                ))
            }
            Some(Keyword::Shard) => {
                let text = format!("DROP SHARD {}", self.parse_u64()?);
                Ok(admin("DROP SHARD", text, AdminDetail::Other))
            }
            Some(Keyword::Subscription) => {
                let (name, policy) = self.parse_name_on_policy()?;
                let text = format!("DROP SUBSCRIPTION {name} ON {policy}");
                Ok(admin("DROP SUBSCRIPTION", text, AdminDetail::Other))
            }
            Some(Keyword::User) => {
                let text = format!("DROP USER {}", quote_ident(&self.parse_ident()?));
                Ok(admin("DROP USER", text, AdminDetail::Other))
            }
            _ => self.unexpected(
                &lexeme,
                &[
                    "CONTINUOUS",
                    "DATABASE",
                    "MEASUREMENT",
                    "RETENTION",
                    "SERIES",
                    "SHARD",
                    "SUBSCRIPTION",
                    "USER",
                ],
            ),
        }
    }

    /// `name ON database`.
    pub(super) fn parse_name_on_database(&mut self) -> Result<(String, String)> {
        let name = self.parse_ident()?;
        self.expect(Keyword::On)?;
        Ok((name, self.parse_ident()?))
    }

    /// `name ON database.policy`, both printed.
    fn parse_name_on_policy(&mut self) -> Result<(String, String)> {
        let (name, database) = self.parse_name_on_database()?;
        let lexeme = self.scan();
        if lexeme.token != Token::Dot {
            return self.unexpected(&lexeme, &["."]);
        }
        let policy = self.parse_ident()?;
        Ok((
            quote_ident(&name),
            format!("{}.{}", quote_ident(&database), quote_ident(&policy)),
        ))
    }

    /// `name ON db.rp DESTINATIONS (ALL|ANY) 'url' {, 'url'}`.
    fn parse_create_subscription(&mut self) -> Result<Statement> {
        let (name, policy) = self.parse_name_on_policy()?;
        self.expect(Keyword::Destinations)?;
        let lexeme = self.scan_ignore_whitespace();
        let Token::Keyword(mode @ (Keyword::All | Keyword::Any)) = lexeme.token else {
            return self.unexpected(&lexeme, &["ALL", "ANY"]);
        };
        let urls = self.parse_list(Self::parse_string)?;
        let urls: Vec<_> = urls.iter().map(|url| quote_string(url)).collect();
        let text = format!(
            "CREATE SUBSCRIPTION {name} ON {policy} DESTINATIONS {} {}",
            mode.as_str(),
            urls.join(", ")
        );
        Ok(admin("CREATE SUBSCRIPTION", text, AdminDetail::Other))
    }

    /// `name WITH PASSWORD 's' [WITH ALL PRIVILEGES]`. The password is not kept.
    fn parse_create_user(&mut self) -> Result<Statement> {
        let name = self.parse_ident()?;
        self.expect(Keyword::With)?;
        self.expect(Keyword::Password)?;
        self.parse_string()?;
        let mut text = format!(
            "CREATE USER {} WITH PASSWORD [REDACTED]",
            quote_ident(&name)
        );
        if self.accept(Keyword::With) {
            self.expect(Keyword::All)?;
            self.expect(Keyword::Privileges)?;
            text.push_str(" WITH ALL PRIVILEGES");
        }
        Ok(admin("CREATE USER", text, AdminDetail::Other))
    }

    /// `name = 's'`. The password is not kept.
    pub(super) fn parse_set_password(&mut self) -> Result<Statement> {
        let name = self.parse_ident()?;
        self.expect_token(Token::Operator(BinaryOp::Eq))?;
        self.parse_string()?;
        let text = format!("SET PASSWORD FOR {} = [REDACTED]", quote_ident(&name));
        Ok(admin("SET PASSWORD", text, AdminDetail::Other))
    }

    pub(super) fn parse_grant(&mut self) -> Result<Statement> {
        self.parse_privilege_statement("GRANT", "GRANT ALL", Keyword::To)
    }

    pub(super) fn parse_revoke(&mut self) -> Result<Statement> {
        self.parse_privilege_statement("REVOKE", "REVOKE ALL", Keyword::From)
    }

    /// `privilege ON db TO user`, or `ALL [PRIVILEGES] TO user`; REVOKE says FROM for TO.
    fn parse_privilege_statement(
        &mut self,
        name: &'static str,
        name_all: &'static str,
        direction: Keyword,
    ) -> Result<Statement> {
        let lexeme = self.scan_ignore_whitespace();
        let privilege = match lexeme.token {
            Token::Keyword(Keyword::Read) => "READ",
            Token::Keyword(Keyword::Write) => "WRITE",
            Token::Keyword(Keyword::All) => {
                self.accept(Keyword::Privileges);
                "ALL PRIVILEGES"
            }
            _ => return self.unexpected(&lexeme, &["READ", "WRITE", "ALL [PRIVILEGES]"]),
        };
        let is_all = lexeme.token == Token::Keyword(Keyword::All);
        let next = self.scan_ignore_whitespace();
        let to = direction.as_str();
        if next.token == Token::Keyword(Keyword::On) {
            let database = self.parse_ident()?;
            self.expect(direction)?;
            let user = self.parse_ident()?;
            let (database, user) = (quote_ident(&database), quote_ident(&user));
            let text = format!("{name} {privilege} ON {database} {to} {user}");
            Ok(admin(name, text, AdminDetail::Other))
        } else if !is_all {
            self.unexpected(&next, &["ON"])
        } else if next.token == Token::Keyword(direction) {
            let user = self.parse_ident()?;
            let text = format!("{name} {privilege} {to} {}", quote_ident(&user));
            Ok(admin(name_all, text, AdminDetail::Other))
        } else {
            self.unexpected(&next, &["ON", to])
        }
    }
}

fn on(statement: &str, name: &str, database: &str) -> String {
    format!(
        "{statement} {} ON {}",
        quote_ident(name),
        quote_ident(database)
    )
}
