//! The Python that some tests start.

use std::path::PathBuf;

/// The interpreter with our packages, from `cargo xtask test`.
pub(crate) fn python() -> PathBuf {
    std::env::var_os("HEADWATER_TEST_PYTHON")
        .expect("run by `cargo xtask test`, which prepares a Python and names it")
        .into()
}
