//! What a read touches, told without reading rows: for EXPLAIN.

/// The files, row groups and rows of a partition, and which of them a read needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Data files of the partition.
    pub files: u64,
    /// Those among them that have rows of the series in the range.
    pub files_read: u64,
    /// Row groups of all files.
    pub row_groups: u64,
    /// Those among them that have rows of these series.
    pub row_groups_read: u64,
    /// Column chunks of the wanted columns, and of the times, in these row groups.
    pub chunks_read: u64,
    /// Bytes of these chunks as they are on disk.
    pub bytes_read: u64,
    /// Rows of the series in the files; of a series that is only partly in the range, all.
    pub file_rows: u64,
    /// Rows of the series in the memtable that are in the range.
    pub memtable_rows: u64,
}

impl Footprint {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.files += other.files;
        self.files_read += other.files_read;
        self.row_groups += other.row_groups;
        self.row_groups_read += other.row_groups_read;
        self.chunks_read += other.chunks_read;
        self.bytes_read += other.bytes_read;
        self.file_rows += other.file_rows;
        self.memtable_rows += other.memtable_rows;
    }
}
