//! The outside world as values: clock, randomness and file system, each a trait with the real
//! implementation here and a simulated twin in [`sim`] that tests hand in instead.
//!
//! Nothing else of Headwater asks the system for the time, for random bytes or for a durable
//! file. Network and processes are not here.

mod clock;
mod file_system;
mod random;
pub mod sim;

pub use clock::{Clock, SharedClock, SystemClock};
pub use file_system::{AppendFile, FileSystem, RandomAccessFile, SharedFileSystem, StdFileSystem};
pub use random::{OsRandom, Random, SharedRandom};
pub use sim::{Operation, SeededRandom, SimulatedClock, SimulatedFileSystem};
