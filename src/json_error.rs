//! Errors of reading and writing JSON.

#[cfg(doc)]
use crate::error::SessionError;

/// Cause of a [`Decode`](SessionError::Decode) or [`Encode`](SessionError::Encode) error: kind
/// and position, never data.
///
/// See the [module](crate::error) for an example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}", position(*.line, *.column))]
pub struct JsonError {
    kind: JsonErrorKind,
    line: usize,
    column: usize,
}

impl JsonError {
    /// Returns the kind of the error.
    #[must_use]
    pub const fn kind(&self) -> JsonErrorKind {
        self.kind
    }

    /// Returns the line in the JSON text, from 1; 0 if the position is unknown.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Returns the column in the line, from 1; 0 if the position is unknown.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }
}

impl From<JsonErrorKind> for JsonError {
    fn from(kind: JsonErrorKind) -> Self {
        let (line, column) = (0, 0);
        Self { kind, line, column }
    }
}

// The text of serde's error is dropped, because it quotes the value.
impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        use serde_json::error::Category;
        let kind = match error.classify() {
            Category::Data => JsonErrorKind::Type,
            Category::Syntax => JsonErrorKind::Syntax,
            Category::Eof => JsonErrorKind::Incomplete,
            Category::Io => JsonErrorKind::Io,
        };
        let (line, column) = (error.line(), error.column());
        Self { kind, line, column }
    }
}

/// Kind of a [`JsonError`].
///
/// See the [module](crate::error) for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// A value does not have the requested type, or is missing. On writing: the `Serialize`
    /// implementation of the value failed.
    #[error("a value does not fit its type")]
    Type,
    /// The text is not JSON, or contains a value that cannot be read, such as a lone surrogate or
    /// `1e400`.
    #[error("the text is not valid JSON")]
    Syntax,
    /// The text ends before the JSON value is complete.
    #[error("the JSON text ends too early")]
    Incomplete,
    /// Reading or writing failed.
    #[error("reading or writing failed")]
    Io,
    /// The field does not exist.
    #[error("the field does not exist")]
    Missing,
    /// A number is NaN or infinite.
    #[error("a number is NaN or infinite; use `Option` or text instead")]
    NotFinite,
    /// The value must be a JSON object.
    #[error("the value must be a JSON object, such as a struct or a map")]
    NotAnObject,
}

fn position(line: usize, column: usize) -> String {
    match line {
        0 => String::new(),
        line => format!(" at line {line} column {column}"),
    }
}
