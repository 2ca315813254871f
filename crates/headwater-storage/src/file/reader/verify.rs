//! What `check` needs beyond reading: every byte under a checksum, and the series as the tag
//! columns tell them, which the server itself never reads.

use std::ops::Range;

use arrow_array::{Array, StringArray, cast::AsArray};
use headwater_model::SeriesKey;
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};

use super::{DataFile, FileError};

impl DataFile {
    /// Rows of each row group.
    pub(crate) fn row_groups(&self) -> Result<Vec<Range<u64>>, FileError> {
        let footer = self.footer()?;
        let starts = footer.row_group_starts.windows(2);
        Ok(starts.map(|pair| pair[0]..pair[1]).collect())
    }

    /// The schema that the file says it has.
    pub(crate) fn schema(&self) -> Result<crate::file::FileSchema, FileError> {
        Ok(self.footer()?.schema.clone())
    }

    /// Compares all column chunks of a row group, those of tags included, with their checksums.
    pub(crate) fn verify_row_group(&self, row_group: usize) -> Result<(), FileError> {
        let footer = self.footer()?;
        let columns = footer.metadata.row_group(row_group).columns();
        for (column, metadata) in columns.iter().enumerate() {
            let (start, length) = metadata.byte_range();
            let checksum = footer.chunk_checksum(row_group, column);
            self.load(start, length, checksum, || {
                format!("column {} in row group {row_group}", metadata.column_path())
            })?;
        }
        Ok(())
    }

    /// The series of a row group's rows by its tag columns: each with how many rows follow each
    /// other.
    pub(crate) fn series_of_pages(
        &self,
        row_group: usize,
    ) -> Result<Vec<(SeriesKey, u64)>, FileError> {
        let footer = self.footer()?;
        let damaged = |reason: String| FileError::damaged(&self.0.path, reason);
        let schema = &footer.schema;
        let tags = schema.tag_keys.len();
        let rows = footer.metadata.row_group(row_group).num_rows() as u64;
        if tags == 0 {
            let key = SeriesKey::new(schema.measurement.clone(), Vec::new());
            return Ok(vec![(key, rows)]);
        }
        let bytes = self.0.file_system.read(&self.0.path);
        let bytes = bytes.map_err(|e| FileError::io(&self.0.path, e))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))
            .map_err(|e| damaged(e.to_string()))?;
        let mask = ProjectionMask::leaves(builder.parquet_schema(), 1..1 + tags);
        let reader = builder
            .with_row_groups(vec![row_group])
            .with_projection(mask)
            .build()
            .map_err(|e| damaged(e.to_string()))?;
        let mut series: Vec<(SeriesKey, u64)> = Vec::new();
        let mut last: Vec<Option<String>> = Vec::new();
        for batch in reader {
            let batch = batch.map_err(|e| damaged(e.to_string()))?;
            let columns = batch.columns().iter();
            let columns: Vec<&StringArray> = columns.map(|column| column.as_string()).collect();
            for row in 0..batch.num_rows() {
                let is_same = !series.is_empty()
                    && columns
                        .iter()
                        .zip(&last)
                        .all(|(column, last)| value(column, row) == last.as_deref());
                if is_same && let Some((_, rows)) = series.last_mut() {
                    *rows += 1;
                    continue;
                }
                last = columns
                    .iter()
                    .map(|column| value(column, row).map(str::to_owned))
                    .collect();
                let present = schema.tag_keys.iter().zip(&last);
                let present = present
                    .filter_map(|(key, value)| Some((key.clone(), value.as_deref()?.into())));
                let key = SeriesKey::new(schema.measurement.clone(), present.collect());
                series.push((key, 1));
            }
        }
        Ok(series)
    }
}

fn value(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}
