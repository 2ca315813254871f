//! The 64-bit identifier of organizations, users, buckets, mappings and tokens, written as 16
//! lower-case hexadecimal digits (`spec/v2_management.md`).

use std::{fmt, num::NonZeroU64, str::FromStr};

/// A non-zero 64-bit identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(NonZeroU64);

/// Why a text is no identifier; the texts are the reference's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("id must have a length of 16 bytes")]
    Length,
    #[error("invalid ID")]
    Invalid,
}

impl Id {
    /// `None` for zero, which is no identifier.
    pub fn new(value: u64) -> Option<Self> {
        NonZeroU64::new(value).map(Self)
    }

    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != 16 {
            return Err(IdError::Length);
        }
        if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(IdError::Invalid);
        }
        u64::from_str_radix(text, 16)
            .ok()
            .and_then(Self::new)
            .ok_or(IdError::Invalid)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}
