//! Why a call was not done.

use http::StatusCode;

use crate::error::ApiError;

/// Why a call was not done, with the code that the second generation tells.
#[derive(Debug)]
pub(crate) struct CallError {
    pub(crate) error: ApiError,
    pub(crate) code: Code,
}

/// What kind of error it is, as the second generation tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// The caller can do something about it.
    Handled = 1000,
    UnknownMethod = 4040,
    /// The caller cannot.
    Internal = 5000,
}

impl Code {
    pub(crate) const fn number(self) -> u16 {
        self as u16
    }

    pub(crate) fn is_handled(self) -> bool {
        self != Self::Internal
    }
}

impl CallError {
    pub(crate) fn unknown_method() -> Self {
        Self {
            error: ApiError::new(StatusCode::NOT_FOUND, "unknown method"),
            code: Code::UnknownMethod,
        }
    }
}

impl From<ApiError> for CallError {
    fn from(error: ApiError) -> Self {
        let code = if error.status().is_server_error() {
            Code::Internal
        } else {
            Code::Handled
        };
        Self { error, code }
    }
}
