//! The arguments of every function, checked in the reference's order
//! (`spec/influxql/functions.md` §0).

use headwater_influxql::{
    ast::{Call, Expr},
    format_duration,
};

use super::compile::FieldRules;
use crate::{Error, fold::is_literal};

/// How the reference's error texts name the kind of an expression.
pub(super) fn go_type(expr: &Expr) -> &'static str {
    match expr {
        Expr::VarRef(_) => "*influxql.VarRef",
        Expr::Call(_) => "*influxql.Call",
        Expr::Binary(_) => "*influxql.BinaryExpr",
        Expr::Paren(_) => "*influxql.ParenExpr",
        Expr::Distinct(_) => "*influxql.Distinct",
        Expr::Wildcard(_) => "*influxql.Wildcard",
        Expr::Regex(_) => "*influxql.RegexLiteral",
        Expr::String(_) => "*influxql.StringLiteral",
        Expr::Number(_) => "*influxql.NumberLiteral",
        Expr::Integer(_) => "*influxql.IntegerLiteral",
        Expr::Unsigned(_) => "*influxql.UnsignedLiteral",
        Expr::Boolean(_) => "*influxql.BooleanLiteral",
        Expr::Duration(_) => "*influxql.DurationLiteral",
        Expr::Time(_) => "*influxql.TimeLiteral",
        Expr::Nil => "*influxql.nilLiteral",
        Expr::List(_) => "*influxql.ListLiteral",
    }
}

pub(super) fn invalid_argument_count(name: &str, expected: &str, got: usize) -> Error {
    Error::statement(format!(
        "invalid number of arguments for {name}, expected {expected}, got {got}"
    ))
}

fn expect_count(call: &Call, expected: usize) -> Result<(), Error> {
    if call.args.len() == expected {
        return Ok(());
    }
    Err(invalid_argument_count(
        &call.name,
        &expected.to_string(),
        call.args.len(),
    ))
}

fn expect_between(call: &Call, min: usize, max: usize) -> Result<(), Error> {
    if (min..=max).contains(&call.args.len()) {
        return Ok(());
    }
    let expected = format!("at least {min} but no more than {max}");
    Err(invalid_argument_count(
        &call.name,
        &expected,
        call.args.len(),
    ))
}

fn error<T>(text: String) -> Result<T, Error> {
    Err(Error::Statement(text))
}

/// Whether a lone call of this function picks points instead of computing values.
pub(super) fn is_selector(name: &str) -> bool {
    matches!(
        name,
        "first" | "last" | "max" | "min" | "percentile" | "sample" | "top" | "bottom"
    )
}

impl FieldRules<'_> {
    /// Checks a call that is not a math function and notes what it means for the statement.
    pub(super) fn check_call(&mut self, call: &Call) -> Result<(), Error> {
        self.statement.call_count += 1;
        match call.name.as_str() {
            "percentile" => self.check_percentile(call),
            "sample" => self.check_sample(call),
            "distinct" => self.check_distinct(&call.args, false),
            "top" | "bottom" => self.check_top_bottom(call),
            "derivative" | "non_negative_derivative" | "elapsed" => self.check_unit(call),
            "difference" | "non_negative_difference" | "cumulative_sum" => {
                expect_count(call, 1)?;
                self.check_transformation(call, 1)
            }
            "moving_average" => self.check_moving_average(call),
            "exponential_moving_average"
            | "double_exponential_moving_average"
            | "triple_exponential_moving_average"
            | "relative_strength_index"
            | "triple_exponential_derivative"
            | "kaufmans_efficiency_ratio"
            | "kaufmans_adaptive_moving_average"
            | "chande_momentum_oscillator" => self.check_technical_analysis(call),
            "integral" => self.check_integral(call),
            "holt_winters" | "holt_winters_with_fit" => self.check_holt_winters(call),
            "count_hll" => self.check_count_hll(call),
            _ => self.check_aggregate(call),
        }
    }

    fn check_aggregate(&mut self, call: &Call) -> Result<(), Error> {
        match call.name.as_str() {
            "max" | "min" | "first" | "last" => {}
            "count" | "sum" | "mean" | "median" | "mode" | "stddev" | "spread" | "sum_hll" => {
                self.statement.only_selectors = false;
            }
            name => return error(format!("undefined function {name}()")),
        }
        expect_count(call, 1)?;
        match &call.args[0] {
            Expr::Call(inner) if call.name == "count" && inner.name == "distinct" => {
                self.check_distinct(&inner.args, true)
            }
            Expr::Distinct(_) if call.name == "count" => {
                self.statement.only_selectors = false;
                Ok(())
            }
            arg => self.check_symbol(&call.name, arg),
        }
    }

    /// The argument must be a name, or a wildcard or regular expression outside operators.
    fn check_symbol(&mut self, function: &str, arg: &Expr) -> Result<(), Error> {
        let kind = match arg {
            Expr::VarRef(_) => return Ok(()),
            Expr::Wildcard(_) => "wildcard",
            Expr::Regex(_) => "regex field",
            _ => return error(format!("expected field argument in {function}()")),
        };
        if !self.allow_wildcard {
            return error(format!("unsupported expression with {kind}: {function}()"));
        }
        self.statement.only_selectors = false;
        Ok(())
    }

    fn check_percentile(&mut self, call: &Call) -> Result<(), Error> {
        expect_count(call, 2)?;
        if !matches!(call.args[1], Expr::Integer(_) | Expr::Number(_)) {
            return error("expected float argument in percentile()".to_owned());
        }
        self.check_symbol("percentile", &call.args[0])
    }

    fn check_sample(&mut self, call: &Call) -> Result<(), Error> {
        expect_count(call, 2)?;
        match call.args[1] {
            Expr::Integer(size) if size <= 0 => {
                return error(format!("sample window must be greater than 1, got {size}"));
            }
            Expr::Integer(_) => {}
            _ => return error("expected integer argument in sample()".to_owned()),
        }
        self.check_symbol("sample", &call.args[0])
    }

    pub(super) fn check_distinct(&mut self, args: &[Expr], nested: bool) -> Result<(), Error> {
        let argument = match args {
            [] => return error("distinct function requires at least one argument".to_owned()),
            [argument] => argument,
            _ => return error("distinct function can only have one argument".to_owned()),
        };
        if !matches!(argument, Expr::VarRef(_)) {
            return error("expected field argument in distinct()".to_owned());
        }
        self.statement.has_distinct |= !nested;
        self.statement.only_selectors = false;
        Ok(())
    }

    fn check_top_bottom(&mut self, call: &Call) -> Result<(), Error> {
        let name = &call.name;
        if let Some(earlier) = &self.statement.top_bottom {
            return error(cannot_be_combined(earlier));
        }
        let [first, names @ .., last] = call.args.as_slice() else {
            return Err(invalid_argument_count(name, "at least 2", call.args.len()));
        };
        let Expr::Integer(size) = *last else {
            return error(format!(
                "expected integer as last argument in {name}(), found {last}"
            ));
        };
        if size <= 0 {
            return error(format!(
                "limit ({size}) in {name} function must be at least 1"
            ));
        }
        let limit = self.statement.limit;
        if limit > 0 && size.unsigned_abs() > limit {
            return error(format!(
                "limit ({size}) in {name} function can not be larger than the LIMIT ({limit}) \
                 in the select statement"
            ));
        }
        if !matches!(first, Expr::VarRef(_)) {
            return error(format!(
                "expected first argument to be a field in {name}(), found {first}"
            ));
        }
        for arg in names {
            if !matches!(arg, Expr::VarRef(_)) {
                return error(format!(
                    "only fields or tags are allowed in {name}(), found {arg}"
                ));
            }
        }
        self.statement.top_bottom = Some(name.clone());
        Ok(())
    }

    fn check_unit(&mut self, call: &Call) -> Result<(), Error> {
        expect_between(call, 1, 2)?;
        match call.args.get(1) {
            None => {}
            Some(Expr::Duration(unit)) => positive(*unit)?,
            Some(other) => {
                return error(format!(
                    "second argument to {} must be a duration, got {}",
                    call.name,
                    go_type(other)
                ));
            }
        }
        self.check_transformation(call, 1)
    }

    fn check_moving_average(&mut self, call: &Call) -> Result<(), Error> {
        expect_count(call, 2)?;
        match &call.args[1] {
            Expr::Integer(size) if *size <= 1 => error(format!(
                "moving_average window must be greater than 1, got {size}"
            )),
            Expr::Integer(size) => self.check_transformation(call, *size),
            other => error(format!(
                "second argument for moving_average must be an integer, got {}",
                go_type(other)
            )),
        }
    }

    fn check_technical_analysis(&mut self, call: &Call) -> Result<(), Error> {
        let name = call.name.as_str();
        let warmups: &[&str] = match name {
            "kaufmans_efficiency_ratio" | "kaufmans_adaptive_moving_average" => &[],
            "chande_momentum_oscillator" => &["none", "exponential", "simple"],
            _ => &["exponential", "simple"],
        };
        expect_between(call, 2, if warmups.is_empty() { 3 } else { 4 })?;
        let Expr::Integer(period) = call.args[1] else {
            return error(format!("{name} period must be an integer"));
        };
        if period < 1 {
            return error(format!("{name} period must be greater than or equal to 1"));
        }
        match call.args.get(2) {
            None | Some(Expr::Integer(-1)) => {}
            Some(Expr::Integer(hold)) => {
                let least = i64::from(name == "triple_exponential_derivative");
                if *hold < least {
                    return error(format!(
                        "{name} hold period must be greater than or equal to {least}"
                    ));
                }
            }
            Some(_) => return error(format!("{name} hold period must be an integer")),
        }
        match call.args.get(3) {
            None => {}
            Some(Expr::String(warmup)) if warmups.contains(&warmup.as_str()) => {}
            Some(Expr::String(_)) => {
                let quoted: Vec<String> = warmups.iter().map(|w| format!("'{w}'")).collect();
                return error(format!(
                    "{name} warmup type must be one of: {}",
                    quoted.join(" ")
                ));
            }
            Some(_) => return error(format!("{name} warmup type must be a string")),
        }
        self.check_transformation(call, period)
    }

    /// The first argument of a transformation: a call under GROUP BY time, else a field.
    fn check_transformation(&mut self, call: &Call, extra_intervals: i64) -> Result<(), Error> {
        self.statement.only_selectors = false;
        self.statement.extra_intervals = self.statement.extra_intervals.max(extra_intervals);
        let name = &call.name;
        match &call.args[0] {
            Expr::Call(inner) => {
                if self.statement.every == 0 {
                    return error(format!("{name} aggregate requires a GROUP BY interval"));
                }
                self.check_nested(inner)
            }
            _ if self.statement.every != 0 && !self.statement.inherits_window => error(format!(
                "aggregate function required inside the call to {name}"
            )),
            arg => self.check_symbol(name, arg),
        }
    }

    fn check_nested(&mut self, inner: &Call) -> Result<(), Error> {
        if inner.name == "distinct" {
            return self.check_distinct(&inner.args, true);
        }
        self.check_expr(&Expr::Call(inner.clone()))
    }

    fn check_integral(&mut self, call: &Call) -> Result<(), Error> {
        expect_between(call, 1, 2)?;
        match call.args.get(1) {
            None => {}
            Some(Expr::Duration(unit)) => positive(*unit)?,
            Some(_) => return error("second argument must be a duration".to_owned()),
        }
        self.statement.only_selectors = false;
        self.check_symbol("integral", &call.args[0])
    }

    fn check_holt_winters(&mut self, call: &Call) -> Result<(), Error> {
        let name = &call.name;
        expect_count(call, 3)?;
        match call.args[1] {
            Expr::Integer(n) if n <= 0 => {
                return error(format!(
                    "second arg to {name} must be greater than 0, got {n}"
                ));
            }
            Expr::Integer(_) => {}
            _ => return error(format!("expected integer argument as second arg in {name}")),
        }
        match call.args[2] {
            Expr::Integer(season) if season < 0 => {
                return error(format!(
                    "third arg to {name} cannot be negative, got {season}"
                ));
            }
            Expr::Integer(_) => {}
            _ => return error(format!("expected integer argument as third arg in {name}")),
        }
        self.statement.only_selectors = false;
        let Expr::Call(inner) = &call.args[0] else {
            return error(format!("must use aggregate function with {name}"));
        };
        if self.statement.every == 0 {
            return error(format!("{name} aggregate requires a GROUP BY interval"));
        }
        self.check_nested(inner)
    }

    fn check_count_hll(&mut self, call: &Call) -> Result<(), Error> {
        expect_count(call, 1)?;
        self.statement.only_selectors = false;
        match &call.args[0] {
            Expr::Call(inner) => self.check_expr(&Expr::Call(inner.clone())),
            arg => self.check_symbol("count_hll", arg),
        }
    }

    /// A math function: the number of arguments, then those that are no literals.
    pub(super) fn check_math(&mut self, call: &Call, expected: usize) -> Result<(), Error> {
        expect_count(call, expected)?;
        call.args
            .iter()
            .filter(|arg| !is_literal(arg))
            .try_for_each(|arg| self.check_expr(arg))
    }
}

fn positive(unit: i64) -> Result<(), Error> {
    if unit > 0 {
        return Ok(());
    }
    error(format!(
        "duration argument must be positive, got {}",
        format_duration(unit)
    ))
}

pub(super) fn cannot_be_combined(function: &str) -> String {
    format!("selector function {function}() cannot be combined with other functions")
}
