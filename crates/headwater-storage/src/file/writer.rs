//! Writes one data file: series in ascending order in, Parquet out. Holds about one row group and
//! the directory in memory.

mod buffer;
mod tag_chunk;

use std::path::{Path, PathBuf};

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use headwater_env::{AppendFile, SharedFileSystem};
use headwater_model::SeriesKey;
use parquet::{
    errors::ParquetError,
    file::{
        metadata::RowGroupMetaData,
        properties::{WriterProperties, WriterVersion},
        writer::SerializedFileWriter,
    },
    schema::types::TypePtr,
};

use self::buffer::{RowGroupBuffer, SeriesRun};
use super::{
    FileError, FileSchema,
    directory::{self, DirectoryBuilder},
    encoding,
    footer::{self, Section},
    schema::{ColumnRecord, parquet_schema},
};

/// A row group ends at the latest when its values occupy this much.
const ROW_GROUP_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How a data file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileOptions {
    /// Rows of a row group, at least 1.
    pub(crate) row_group_rows: usize,
    /// Rows of a data page, at least 1: what must be decoded to read one row.
    pub(crate) page_rows: usize,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            row_group_rows: 100_000,
            page_rows: 4_000,
        }
    }
}

/// What a finished data file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileSummary {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Above `max_time` when there are no rows.
    pub(crate) min_time: i64,
    pub(crate) max_time: i64,
    pub(crate) series_count: u64,
}

/// Removes what was written when the file does not get its own name.
struct Temporary {
    file_system: SharedFileSystem,
    path: PathBuf,
    is_finished: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_finished
            && let Err(error) = self.file_system.remove(&self.path)
        {
            // The next start removes it.
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a temporary file");
        }
    }
}

/// A data file being written. Dropped before `finish`, it leaves nothing behind.
pub(crate) struct FileWriter {
    path: PathBuf,
    file: Box<dyn AppendFile>,
    temporary: Temporary,
    file_bytes: u64,
    options: FileOptions,
    favors_size: bool,
    records: Vec<ColumnRecord>,
    columns: Vec<TypePtr>,
    /// Encodes into memory; what it has written is moved to `file` after each row group.
    parquet: SerializedFileWriter<Vec<u8>>,
    buffer: RowGroupBuffer,
    directory: DirectoryBuilder,
    last_key: Option<SeriesKey>,
    chunk_checksums: Vec<u32>,
    min_time: i64,
    max_time: i64,
}

impl FileWriter {
    /// Begins `path`; until `finish` the bytes are in `PATH.tmp`.
    pub(crate) fn create(
        file_system: SharedFileSystem,
        path: &Path,
        schema: FileSchema,
        options: FileOptions,
    ) -> Result<Self, FileError> {
        assert!(
            options.row_group_rows > 0 && options.page_rows > 0,
            "{options:?}"
        );
        let encode_error = |error: ParquetError| FileError::encode(path, error);
        let records = schema.column_records();
        let columns: Vec<TypePtr> = records
            .iter()
            .map(ColumnRecord::parquet_type)
            .collect::<Result<_, _>>()
            .map_err(encode_error)?;
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_created_by(concat!("headwater ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let parquet_schema = parquet_schema(columns.clone()).map_err(encode_error)?;
        let parquet = SerializedFileWriter::new(Vec::new(), parquet_schema, properties.into())
            .map_err(encode_error)?;
        let mut temporary_path = path.as_os_str().to_owned();
        temporary_path.push(".tmp");
        let temporary_path = PathBuf::from(temporary_path);
        let file = file_system
            .create(&temporary_path)
            .map_err(|e| FileError::io(&temporary_path, e))?;
        let temporary = Temporary {
            file_system,
            path: temporary_path,
            is_finished: false,
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            temporary,
            file_bytes: 0,
            options,
            favors_size: false,
            records,
            columns,
            parquet,
            buffer: RowGroupBuffer::new(&schema),
            directory: DirectoryBuilder::new(schema),
            last_key: None,
            chunk_checksums: Vec::new(),
            min_time: i64::MAX,
            max_time: i64::MIN,
        })
    }

    /// From here on prefers encodings that are small to those that decode fast, for a file that
    /// will be kept long and read seldom.
    pub(crate) fn favoring_size(mut self) -> Self {
        self.favors_size = true;
        self
    }

    /// Appends rows of one series. Series come in ascending order of their keys, times strictly
    /// ascending, also over repeated calls for one series. `columns` are the fields in the order
    /// of the schema, each `None` (all null) or an array as long as `times` of the field's type.
    /// A key may only have tags of the schema.
    pub(crate) fn write_series(
        &mut self,
        key: &SeriesKey,
        times: &[i64],
        columns: &[Option<ArrayRef>],
    ) -> Result<(), FileError> {
        let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
            return Ok(());
        };
        self.check(times, columns)?;
        self.begin_series(key)?;
        if self
            .directory
            .last_time()
            .is_some_and(|before| before >= first)
        {
            return Err(self.misuse(format!("times of series {} descend", key.as_str())));
        }
        self.min_time = self.min_time.min(first);
        self.max_time = self.max_time.max(last);
        let series = self.directory.series_count() - 1;
        let mut start = 0;
        while start < times.len() {
            let room = self.options.row_group_rows - self.buffer.row_count();
            let rows = room.min(times.len() - start);
            let part = &times[start..start + rows];
            self.directory.add_rows(part);
            self.buffer
                .append(SeriesRun { series, rows }, part, columns, start);
            if self.buffer.row_count() == self.options.row_group_rows
                || self.buffer.size_bytes() >= ROW_GROUP_BYTES_MAX
            {
                self.write_row_group()?;
            }
            start += rows;
        }
        Ok(())
    }

    /// Completes the file: synced, renamed into place, directory synced.
    pub(crate) fn finish(mut self) -> Result<FileSummary, FileError> {
        if self.buffer.row_count() > 0 {
            self.write_row_group()?;
        }
        let schema = self.directory.schema().clone();
        let directory = self.directory.finish();
        let (section, plain_length) =
            directory::encode(&directory).map_err(|e| FileError::encode(&self.path, e))?;
        let section_record = Section {
            offset: self.parquet.bytes_written() as u64,
            length: section.len() as u64,
            plain_length: plain_length as u64,
            crc32c: crc32c::crc32c(&section),
        };
        let key_values = footer::key_values(
            &schema,
            &self.records,
            &self.chunk_checksums,
            section_record,
        )
        .map_err(|e| FileError::encode(&self.path, e))?;
        for pair in key_values {
            self.parquet.append_key_value_metadata(pair);
        }
        self.parquet
            .write_all(&section)
            .and_then(|()| self.parquet.flush())
            .map_err(|e| FileError::encode(&self.path, e))?;
        let encode_error = |error: ParquetError| FileError::encode(&self.path, error);
        let tail_at = self.parquet.inner().len();
        self.parquet.finish().map_err(encode_error)?;
        let tail_start = self.file_bytes + tail_at as u64;
        debug_assert_eq!(tail_start, section_record.offset + section_record.length);
        footer::seal(&mut self.parquet.inner_mut()[tail_at..], tail_start)
            .ok_or_else(|| FileError::encode(&self.path, "the footer lacks its integrity key"))?;
        let io_error = |error| FileError::io(&self.temporary.path, error);
        self.file.append(self.parquet.inner()).map_err(io_error)?;
        let bytes = self.file_bytes + self.parquet.inner().len() as u64;
        self.file.sync().map_err(io_error)?;
        drop(self.file);
        let file_system = self.temporary.file_system.clone();
        file_system
            .rename(&self.temporary.path, &self.path)
            .map_err(io_error)?;
        self.temporary.is_finished = true;
        if let Some(parent) = self.path.parent() {
            file_system
                .sync_dir(parent)
                .map_err(|e| FileError::io(parent, e))?;
        }
        Ok(FileSummary {
            rows: directory.row_count(),
            bytes,
            min_time: self.min_time,
            max_time: self.max_time,
            series_count: directory.series_count() as u64,
        })
    }

    fn check(&self, times: &[i64], columns: &[Option<ArrayRef>]) -> Result<(), FileError> {
        let fields = &self.directory.schema().fields;
        if columns.len() != fields.len() {
            let reason = format!("{} columns for {} fields", columns.len(), fields.len());
            return Err(self.misuse(reason));
        }
        for ((field, field_type), column) in fields.iter().zip(columns) {
            let Some(column) = column else { continue };
            if column.len() != times.len() {
                let reason = format!(
                    "field {field} has {} values for {} times",
                    column.len(),
                    times.len()
                );
                return Err(self.misuse(reason));
            }
            if *column.data_type() != buffer::arrow_type(*field_type) {
                let reason = format!("field {field} is {field_type}, not {}", column.data_type());
                return Err(self.misuse(reason));
            }
        }
        if !times.is_sorted_by(|a, b| a < b) {
            return Err(self.misuse("times of a series do not ascend".to_owned()));
        }
        Ok(())
    }

    fn begin_series(&mut self, key: &SeriesKey) -> Result<(), FileError> {
        if let Some(last) = &self.last_key {
            if last == key {
                return Ok(());
            }
            if last > key {
                let reason = format!("series {} after {}", key.as_str(), last.as_str());
                return Err(self.misuse(reason));
            }
        }
        if *key.measurement() != self.directory.schema().measurement {
            let reason = format!("series {} is of another measurement", key.as_str());
            return Err(self.misuse(reason));
        }
        self.directory.begin_series(key).map_err(|tag| {
            FileError::encode(&self.path, format!("the schema lacks the tag {tag}"))
        })?;
        self.last_key = Some(key.clone());
        Ok(())
    }

    /// A call that breaks the rules of `write_series`; better refused than written.
    fn misuse(&self, reason: String) -> FileError {
        FileError::encode(&self.path, reason)
    }

    fn write_row_group(&mut self) -> Result<(), FileError> {
        let metadata = self
            .encode_row_group()
            .map_err(|e| FileError::encode(&self.path, e))?;
        self.parquet
            .flush()
            .map_err(|e| FileError::encode(&self.path, e))?;
        let encoded = self.parquet.inner_mut();
        for chunk in metadata.columns() {
            let (start, length) = chunk.byte_range();
            let start = (start - self.file_bytes) as usize;
            let bytes = &encoded[start..start + length as usize];
            self.chunk_checksums.push(crc32c::crc32c(bytes));
        }
        self.file
            .append(encoded)
            .map_err(|e| FileError::io(&self.temporary.path, e))?;
        self.file_bytes += encoded.len() as u64;
        encoded.clear();
        Ok(())
    }

    fn encode_row_group(&mut self) -> Result<std::sync::Arc<RowGroupMetaData>, ParquetError> {
        let rows = self.buffer.row_count();
        let group = self.buffer.take();
        let page_rows = self.options.page_rows;
        let mut columns = self.columns.iter();
        let mut next = || {
            columns
                .next()
                .expect("has a column for each one of the buffer")
        };
        let descriptors = self.parquet.schema_descr().columns().to_vec();
        let descriptor = |at: usize| descriptors[at].clone();
        let mut row_group = self.parquet.next_row_group()?;
        encoding::encode_chunk(next(), &group.times, encoding::DELTA, page_rows)?
            .append_to_row_group(&mut row_group)?;
        for tag in 0..self.directory.schema().tag_keys.len() {
            let (values, runs) = buffer::tag_runs(&self.directory, tag, &group.runs);
            let column = next();
            if tag_chunk::is_suited(&values, &runs) {
                let (bytes, close) = tag_chunk::encode(descriptor(1 + tag), &values, &runs)?;
                row_group.append_column(&bytes, close)?;
            } else {
                let values = buffer::tag_column(&values, &runs);
                // Never read by us, so its pages may be as large as the row group.
                encoding::encode_chunk(column, &values, encoding::DICTIONARY, rows)?
                    .append_to_row_group(&mut row_group)?;
            }
        }
        for values in &group.fields {
            let column = next();
            let how = encoding::choose(column, values, self.favors_size)?;
            let page_rows = match values.data_type() {
                // Several times as large as numbers.
                DataType::Utf8 => (page_rows / 4).max(1),
                _ => page_rows,
            };
            encoding::encode_chunk(column, values, how, page_rows)?
                .append_to_row_group(&mut row_group)?;
        }
        row_group.close()
    }
}

#[cfg(test)]
mod tests;
