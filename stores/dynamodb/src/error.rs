//! Errors of DynamoDB as errors of a store.
//!
//! Codes of the [common errors](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html)
//! and of [DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html).
//! The message of DynamoDB is never part of an error: it may quote a key.

use std::error::Error;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use jwt_redis_session::store::{StoreError, StoreErrorKind};

/// A failed request, with what is known of its effect.
#[derive(Debug)]
pub(crate) enum Failure {
    /// DynamoDB has refused the request because of too many others. It was not applied.
    Throttled(StoreError),
    /// The request may or may not have been applied.
    Unknown(StoreError),
    /// The request was not applied and fails again.
    Permanent(StoreError),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Throttled(error) | Failure::Unknown(error) | Failure::Permanent(error) => {
                error
            }
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Permanent(error)
    }
}

impl<E: ProvideErrorMetadata> From<SdkError<E, HttpResponse>> for Failure {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ConstructionFailure(_) => {
                let detail = "the AWS client lacks a setting, for example its region";
                Self::Permanent(configuration(detail))
            }
            SdkError::TimeoutError(_) => Self::Unknown(StoreErrorKind::Timeout.into()),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::Unknown(StoreErrorKind::Timeout.into())
            }
            SdkError::DispatchFailure(failure)
                if failure.is_io() || failure.as_other().is_some() =>
            {
                Self::Unknown(StoreErrorKind::Connection.into())
            }
            // Credentials that cannot be loaded, and what the client cannot classify.
            SdkError::DispatchFailure(failure) => {
                Self::Unknown(configuration(root_cause(failure.as_connector_error())))
            }
            SdkError::ServiceError(service) => {
                of_service(service.err().code(), service.raw().status().as_u16())
            }
            // The body ended early, or is no JSON.
            _ => Self::Unknown(StoreErrorKind::Protocol.into()),
        }
    }
}

/// Returns whether the condition of a write held.
pub(crate) fn condition_held<T, E: ProvideErrorMetadata>(
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<bool, Failure> {
    match answer {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(error))
            if error.err().code() == Some("ConditionalCheckFailedException") =>
        {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the error of an answer, by its code and its HTTP status.
fn of_service(code: Option<&str>, status: u16) -> Failure {
    use StoreErrorKind as Kind;

    let error = |kind| StoreError::new(kind).with_detail(code.unwrap_or("no error code"));
    match code.unwrap_or_default() {
        "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "ThrottlingException"
        | "Throttling" => Failure::Throttled(error(Kind::Overloaded)),
        "ReplicatedWriteConflictException" | "TransactionConflictException" => {
            Failure::Throttled(error(Kind::Contention))
        }
        "AccessDenied" | "AccessDeniedException" | "KMSAccessDeniedException" => {
            Failure::Permanent(error(Kind::Permission))
        }
        "ExpiredTokenException"
        | "IncompleteSignatureException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "RequestTimeTooSkewed"
        | "UnrecognizedClientException" => Failure::Permanent(error(Kind::Auth)),
        "ResourceNotFoundException" => {
            let detail = "ResourceNotFoundException: create the table, or correct its name and the \
                          region";
            Failure::Permanent(configuration(detail))
        }
        "ValidationException" => {
            let detail = "ValidationException: the table must be defined as in table.json";
            Failure::Permanent(configuration(detail))
        }
        // Such a write may have been applied, as DynamoDB documents.
        _ if status >= 500 => Failure::Unknown(error(Kind::Overloaded)),
        // The answer of something else, or of DynamoDB but not whole.
        "" if status < 400 => Failure::Unknown(error(Kind::Protocol)),
        "" => Failure::Permanent(error(Kind::Protocol)),
        _ => Failure::Permanent(error(Kind::Other)),
    }
}

/// Returns the text of the first cause.
fn root_cause(error: Option<&impl Error>) -> String {
    let Some(error) = error else {
        return "no answer".to_owned();
    };
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn configuration(detail: impl Into<Box<str>>) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration).with_detail(detail)
}
