//! Where points go to or come from: a database with a retention policy, or a bucket.

/// A database as 1.x names it, or a bucket as 2.x does.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Target {
    /// Database
    #[arg(long, short, value_name = "NAME", conflicts_with = "bucket")]
    pub(crate) database: Option<String>,
    /// Retention policy of the database [default: the database's default]
    #[arg(long, value_name = "NAME", requires = "database")]
    pub(crate) rp: Option<String>,
    /// Bucket, by name or id, instead of a database
    #[arg(long, short, value_name = "NAME")]
    pub(crate) bucket: Option<String>,
    /// Organization of the bucket, by name or id [default: the token's]
    #[arg(long, value_name = "NAME", env = "HEADWATER_ORG")]
    pub(crate) org: Option<String>,
}

impl Target {
    pub(crate) fn is_none(&self) -> bool {
        self.database.is_none() && self.bucket.is_none()
    }

    /// The path that takes points for it.
    pub(crate) fn write_path(&self) -> &'static str {
        match self.bucket {
            Some(_) => "/api/v2/write",
            None => "/write",
        }
    }

    /// The parameters that name it.
    pub(crate) fn query(&self) -> Vec<(&'static str, &str)> {
        let names = match &self.bucket {
            Some(_) => [("bucket", &self.bucket), ("org", &self.org)],
            None => [("db", &self.database), ("rp", &self.rp)],
        };
        names
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
            .collect()
    }
}
