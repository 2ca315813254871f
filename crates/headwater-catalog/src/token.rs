//! API tokens as secrets: how they are made and that only their hash is kept.

use std::{fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE};
use headwater_env::Random;
use sha2::{Digest, Sha256};

use crate::Authorization;

/// The SHA-256 of a token. Tokens carry 512 random bits, so that a fast hash without salt is safe
/// for them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenHash([u8; 32]);

/// An API token as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct TokenRecord {
    pub(crate) authorization: Arc<Authorization>,
    pub(crate) hash: TokenHash,
}

impl TokenHash {
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// 64 lower-case hexadecimal digits.
    pub(crate) fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; 32];
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// A new secret: 64 random bytes as 88 characters of URL-safe base64 with padding.
pub(crate) fn generate(random: &dyn Random) -> String {
    let mut bytes = [0; 64];
    random.fill(&mut bytes);
    BASE64_URL_SAFE.encode(bytes)
}
