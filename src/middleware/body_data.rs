//! The data that were read of a body.

use std::mem;

use bytes::{Bytes, BytesMut};

/// Data in one piece, not copied if they came in one chunk.
///
/// A list of chunks would let a client that sends single bytes use a hundred times the limit in
/// memory.
pub(super) enum BodyData {
    One(Bytes),
    Many(BytesMut),
}

impl BodyData {
    pub(super) const fn new() -> Self {
        Self::One(Bytes::new())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(data) => data.len(),
            Self::Many(data) => data.len(),
        }
    }

    pub(super) fn push(&mut self, more: Bytes) {
        match self {
            Self::One(data) if data.is_empty() => *data = more,
            Self::One(_) if more.is_empty() => {}
            Self::One(data) => {
                let mut both = BytesMut::with_capacity(data.len() + more.len());
                both.extend_from_slice(&mem::take(data));
                both.extend_from_slice(&more);
                *self = Self::Many(both);
            }
            Self::Many(data) => data.extend_from_slice(&more),
        }
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::One(data) => data,
            Self::Many(data) => data.freeze(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(chunks: &[&'static str]) -> Bytes {
        let mut data = BodyData::new();
        for chunk in chunks {
            data.push(Bytes::from_static(chunk.as_bytes()));
        }
        assert_eq!(data.len(), chunks.concat().len());
        data.into_bytes()
    }

    #[test]
    fn r18_chunks_are_joined() {
        for chunks in [&[][..], &["", ""], &["a"], &["", "ab", "", "c", "", "def"]] {
            assert_eq!(joined(chunks), chunks.concat());
        }
    }

    #[test]
    fn r18_a_single_chunk_is_not_copied() {
        let chunk = "the only one";
        assert_eq!(joined(&["", chunk, ""]).as_ptr(), chunk.as_ptr());
    }
}
