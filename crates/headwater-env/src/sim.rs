//! Simulated twins: a clock that tests set, a seeded generator, and a file system in memory that
//! crashes and fails on demand. With these a run is a function of its seed.

mod clock;
mod file_system;
mod random;

pub use clock::SimulatedClock;
pub use file_system::{Operation, SimulatedFileSystem};
pub use random::SeededRandom;
