//! Retention: partitions that ended before the bucket's lower bound are dropped. Of a partition
//! that is due only in part [`crate::Snapshot`] leaves the old rows out.

use std::sync::Arc;

use headwater_catalog::Bucket;
use headwater_model::TimeRange;

use crate::{
    engine::Inner,
    error::Result,
    state::{PartitionName, State},
};

impl Inner {
    pub(crate) async fn expire(self: &Arc<Self>) -> Result<()> {
        self.poison.check()?;
        let now = self.clock.now();
        let catalog = self.catalog.state();
        let bounds = catalog.buckets().filter_map(|bucket| {
            let retention = Some(retention(bucket)).filter(|&r| r > 0)?;
            Some((bucket.id, now.saturating_sub(retention)))
        });
        let bounds: Vec<_> = bounds.collect();
        let _maintenance = self.maintenance.lock().await;
        let burial = {
            let mut state = self.state.lock();
            let mut due = Vec::new();
            for (bucket, lower_bound) in bounds {
                due.extend(state.due_partitions(bucket, lower_bound));
            }
            for &name in &due {
                state.empty_memtable(name)?;
            }
            state.bury(due)
        };
        self.commit_burial(burial).await
    }
}

impl State {
    fn due_partitions(&self, bucket: headwater_model::Id, lower_bound: i64) -> Vec<PartitionName> {
        let Some(bucket) = self.buckets.get(&bucket) else {
            return Vec::new();
        };
        let mut due = Vec::new();
        for (measurement, number) in bucket.measurements.iter().zip(0u32..) {
            let past = measurement
                .partitions
                .iter()
                .filter(|p| is_due(p.end, lower_bound));
            due.extend(past.map(|partition| PartitionName {
                bucket: bucket.id,
                measurement: number,
                start: partition.start,
            }));
        }
        due
    }

    /// Drops a partition's rows in memory.
    fn empty_memtable(&mut self, name: PartitionName) -> Result<()> {
        let Some(bucket) = self.buckets.get_mut(&name.bucket) else {
            return Ok(());
        };
        let keys = bucket.registry.keys().clone();
        if let Some(partition) = bucket.partition(name.measurement, name.start) {
            let gone = partition.table.delete(&keys, TimeRange::ALL, &|_| true)?;
            partition.frozen.clear();
            self.active.bytes = self.active.bytes.saturating_sub(gone);
        }
        Ok(())
    }
}

/// How long a bucket keeps points, in nanoseconds; 0: for ever.
pub(crate) fn retention(bucket: &Arc<Bucket>) -> i64 {
    let seconds = i64::try_from(bucket.retention_seconds).unwrap_or(0);
    seconds.checked_mul(1_000_000_000).unwrap_or(0)
}

/// Whether all times before `end` are before the lower bound of the retention.
fn is_due(end: i64, lower_bound: i64) -> bool {
    end <= lower_bound
}
