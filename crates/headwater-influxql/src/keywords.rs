//! The reserved words of InfluxQL (`spec/influxql/grammar.md` §1.2), including the three that
//! only 2.x reserves: FUTURE, PAST and VERBOSE. A name that equals one has to be quoted.

macro_rules! keywords {
    ($($variant:ident $text:literal)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Keyword { $($variant),* }

        impl Keyword {
            /// The upper-case spelling, as error texts show it.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            const ALL_SORTED: &[(&'static str, Self)] = &[$(($text, Self::$variant)),*];
        }
    };
}

// In alphabetical order: `lookup` searches by bisection.
keywords! {
    All "ALL" Alter "ALTER" Analyze "ANALYZE" And "AND" Any "ANY" As "AS" Asc "ASC"
    Begin "BEGIN" By "BY" Cardinality "CARDINALITY" Continuous "CONTINUOUS" Create "CREATE"
    Database "DATABASE" Databases "DATABASES" Default "DEFAULT" Delete "DELETE" Desc "DESC"
    Destinations "DESTINATIONS" Diagnostics "DIAGNOSTICS" Distinct "DISTINCT" Drop "DROP"
    Duration "DURATION" End "END" Every "EVERY" Exact "EXACT" Explain "EXPLAIN" False "FALSE"
    Field "FIELD" For "FOR" From "FROM" Future "FUTURE" Grant "GRANT" Grants "GRANTS"
    Group "GROUP" Groups "GROUPS" In "IN" Inf "INF" Insert "INSERT" Into "INTO" Key "KEY"
    Keys "KEYS" Kill "KILL" Limit "LIMIT" Measurement "MEASUREMENT"
    Measurements "MEASUREMENTS" Name "NAME" Offset "OFFSET" On "ON" Or "OR" Order "ORDER"
    Password "PASSWORD" Past "PAST" Policies "POLICIES" Policy "POLICY"
    Privileges "PRIVILEGES" Queries "QUERIES" Query "QUERY" Read "READ"
    Replication "REPLICATION" Resample "RESAMPLE" Retention "RETENTION" Revoke "REVOKE"
    Select "SELECT" Series "SERIES" Set "SET" Shard "SHARD" Shards "SHARDS" Show "SHOW"
    Slimit "SLIMIT" Soffset "SOFFSET" Stats "STATS" Subscription "SUBSCRIPTION"
    Subscriptions "SUBSCRIPTIONS" Tag "TAG" To "TO" True "TRUE" User "USER" Users "USERS"
    Values "VALUES" Verbose "VERBOSE" Where "WHERE" With "WITH" Write "WRITE"
}

impl Keyword {
    /// The keyword that `word` spells in any case.
    pub(crate) fn lookup(word: &str) -> Option<Self> {
        let upper = word.to_ascii_uppercase();
        let found = Self::ALL_SORTED.binary_search_by(|(text, _)| (*text).cmp(upper.as_str()));
        found.ok().map(|index| Self::ALL_SORTED[index].1)
    }
}

/// All reserved words in upper case, in alphabetical order.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    Keyword::ALL_SORTED.iter().map(|(text, _)| *text)
}

/// Whether `word` is reserved and has to be double-quoted to be used as a name.
pub fn is_keyword(word: &str) -> bool {
    Keyword::lookup(word).is_some()
}

#[cfg(test)]
mod tests;
