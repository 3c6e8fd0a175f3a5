//! Arrays of optional elements, without the `null`s at their end.

use serde::de::SeqAccess;
use serde::ser::{SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

/// Serializer of an array that omits `null`s at its end.
pub(super) struct Elements<S: Serializer> {
    array: S::SerializeSeq,
    /// `null`s that are written if another element follows.
    omitted: usize,
}

impl<S: Serializer> Elements<S> {
    pub(super) fn new(serializer: S) -> Result<Self, S::Error> {
        Ok(Self {
            array: serializer.serialize_seq(None)?,
            omitted: 0,
        })
    }

    pub(super) fn push(&mut self, element: Option<&impl Serialize>) -> Result<(), S::Error> {
        let Some(element) = element else {
            self.omitted += 1;
            return Ok(());
        };
        for _ in 0..std::mem::take(&mut self.omitted) {
            self.array.serialize_element(&())?;
        }
        self.array.serialize_element(element)
    }

    pub(super) fn end(self) -> Result<S::Ok, S::Error> {
        self.array.end()
    }
}

/// Reads the next element, which may be `null` or absent.
pub(super) fn next<'de, T, A>(elements: &mut A) -> Result<Option<T>, A::Error>
where
    T: Deserialize<'de>,
    A: SeqAccess<'de>,
{
    Ok(elements.next_element::<Option<T>>()?.flatten())
}
