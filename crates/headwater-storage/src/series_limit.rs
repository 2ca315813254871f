//! The limit of a bucket's series. Without it nothing here costs anything; with it the identities
//! of a bucket's series are kept in memory, 16 bytes and some each, from the first write on.

use std::sync::Arc;

use headwater_model::{Id, SeriesKey, TimeRange};

use crate::{
    engine::{Engine, Inner},
    error::{Error, Result},
    scan::{SeriesSet, collect_series, identity},
};

/// The series that a bucket has, as far as its limit needs to know.
#[derive(Debug, Default)]
pub(crate) struct KnownSeries {
    set: Option<SeriesSet>,
    /// Series may have gone since the set was made.
    is_outdated: bool,
    /// The registry may know series that are gone, until it starts afresh.
    pub(crate) distrusts_registry: bool,
}

impl KnownSeries {
    /// Whether a series may be written: it is there, or there is room for one more.
    pub(crate) fn admit(&mut self, key: &SeriesKey, series_max: usize) -> bool {
        let Some(set) = &mut self.set else {
            return true;
        };
        let identity = identity(key);
        if set.len() >= series_max {
            return set.contains(&identity);
        }
        set.insert(identity);
        true
    }

    /// To be called when rows have been removed.
    pub(crate) fn note_removal(&mut self) {
        self.is_outdated = true;
    }

    fn is_current(&self, series_max: usize) -> bool {
        let is_right = |set: &SeriesSet| !self.is_outdated || set.len() < series_max;
        self.set.as_ref().is_some_and(is_right)
    }
}

impl Inner {
    /// Makes sure that the series of a bucket are known, if they are limited. Writes to the bucket
    /// wait meanwhile, so that none is missed.
    pub(crate) async fn know_series(self: &Arc<Self>, bucket: Id) -> Result<()> {
        let series_max = self.settings.series_per_bucket_max;
        if series_max == 0 || self.knows_series(bucket, series_max) {
            return Ok(());
        }
        let _one = self.counting.lock().await;
        if self.knows_series(bucket, series_max) {
            return Ok(());
        }
        let snapshot = Engine(self.clone()).snapshot(bucket);
        let count = move || {
            let mut set = SeriesSet::default();
            for measurement in snapshot.measurements()? {
                for partition in snapshot.partitions(&measurement, TimeRange::ALL) {
                    collect_series(&partition.0, &mut set)?;
                }
            }
            Ok::<_, Error>(set)
        };
        let set = tokio::task::spawn_blocking(count).await;
        let set = set.map_err(|e| Error::Internal(e.to_string()))??;
        self.state.lock().bucket(bucket).known = KnownSeries {
            set: Some(set),
            is_outdated: false,
            distrusts_registry: true,
        };
        Ok(())
    }

    fn knows_series(&self, bucket: Id, series_max: usize) -> bool {
        let state = self.state.lock();
        let bucket = state.buckets.get(&bucket);
        bucket.is_some_and(|bucket| bucket.known.is_current(series_max))
    }
}
