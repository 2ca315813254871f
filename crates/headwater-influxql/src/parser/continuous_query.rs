//! CREATE CONTINUOUS QUERY (`spec/influxql/grammar.md` §3.3).

use super::show::admin;
use super::{Parser, Result};
use crate::ast::{AdminDetail, Expr, SelectStatement, Statement};
use crate::duration::{format_duration, parse_duration};
use crate::error::ParseError;
use crate::keywords::Keyword;
use crate::lexer::Token;
use crate::print::quote_ident;
use crate::visit;

/// `RESAMPLE [EVERY d] [FOR d]` in nanoseconds, 0 where a part is missing.
#[derive(Default)]
struct Resample {
    every: i64,
    maximum: i64,
}

impl Parser<'_> {
    /// `name ON db [RESAMPLE [EVERY d] [FOR d]] BEGIN SELECT … INTO … END`.
    pub(super) fn parse_create_continuous_query(&mut self) -> Result<Statement> {
        let (name, database) = self.parse_name_on_database()?;
        let resample = if self.accept(Keyword::Resample) {
            self.parse_resample()?
        } else {
            Resample::default()
        };
        self.expect(Keyword::Begin)?;
        self.expect(Keyword::Select)?;
        let select = self.parse_select_into()?;
        self.check_interval(&select, &resample)?;
        self.expect(Keyword::End)?;

        let (quoted, on) = (quote_ident(&name), quote_ident(&database));
        let mut text = format!("CREATE CONTINUOUS QUERY {quoted} ON {on}");
        if resample.every > 0 || resample.maximum > 0 {
            text.push_str(" RESAMPLE");
        }
        if resample.every > 0 {
            text.push_str(&format!(" EVERY {}", format_duration(resample.every)));
        }
        if resample.maximum > 0 {
            text.push_str(&format!(" FOR {}", format_duration(resample.maximum)));
        }
        text.push_str(&format!(" BEGIN {select} END"));
        let select = Box::new(select);
        let detail = AdminDetail::CreateContinuousQuery { database, select };
        Ok(admin("CREATE CONTINUOUS QUERY", text, detail))
    }

    fn parse_resample(&mut self) -> Result<Resample> {
        let every = self.parse_resample_part(Keyword::Every)?;
        let maximum = self.parse_resample_part(Keyword::For)?;
        if every == 0 && maximum == 0 {
            let lexeme = self.scan_ignore_whitespace();
            return self.unexpected(&lexeme, &["EVERY", "FOR"]);
        }
        Ok(Resample { every, maximum })
    }

    fn parse_resample_part(&mut self, keyword: Keyword) -> Result<i64> {
        if !self.accept(keyword) {
            return Ok(0);
        }
        let lexeme = self.scan_ignore_whitespace();
        if lexeme.token != Token::Duration {
            return self.unexpected(&lexeme, &["duration"]);
        }
        self.place(&lexeme, parse_duration(&lexeme.text))
    }

    /// An aggregate needs GROUP BY time, and FOR has to cover one of its intervals.
    fn check_interval(&mut self, select: &SelectStatement, resample: &Resample) -> Result<()> {
        if !visit::has_calls(select) {
            return Ok(());
        }
        let interval = match group_by_interval(select) {
            Ok(interval) if interval != 0 => interval,
            result => {
                // The token before the one that ended the SELECT is named, as in the reference.
                self.unscan();
                self.unscan();
                let lexeme = self.scan_ignore_whitespace();
                let mut expected = vec!["GROUP BY time(...)"];
                expected.extend(result.err());
                return self.unexpected(&lexeme, &expected);
            }
        };
        let minimum = interval.max(resample.every);
        if resample.maximum != 0 && resample.maximum < minimum {
            return Err(ParseError::Bare(format!(
                "FOR duration must be >= GROUP BY time duration: must be a minimum of {}, got {}",
                format_duration(minimum),
                format_duration(resample.maximum)
            )));
        }
        Ok(())
    }
}

/// The interval of `GROUP BY time(…)`, 0 without one.
fn group_by_interval(select: &SelectStatement) -> std::result::Result<i64, &'static str> {
    let calls = select
        .dimensions
        .iter()
        .filter_map(|dimension| match dimension {
            Expr::Call(call) if call.name == "time" => Some(call),
            _ => None,
        });
    let Some(call) = calls.into_iter().next() else {
        return Ok(0);
    };
    match call.args.as_slice() {
        [Expr::Duration(interval)] | [Expr::Duration(interval), _] => Ok(*interval),
        [_] | [_, _] => Err("time dimension must have duration argument"),
        _ => Err("time dimension expected 1 or 2 arguments"),
    }
}
