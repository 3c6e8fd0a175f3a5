//! Session data as a type of the application, in axum handlers.
//!
//! The extractor [`Typed`] reads the fields of the session as a struct, so that handlers need not
//! check for missing fields. The struct implements [`TypedData`], which decides what happens to
//! sessions whose data has another shape, for example because an older version of the application
//! has written them.
//!
//! ```
//! use axum::Router;
//! use axum::routing::{get, post};
//! use jwt_redis_session::SessionError;
//! use jwt_redis_session::typed::{Typed, TypedData};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Profile {
//!     user: String,
//!     visits: u64,
//! }
//!
//! impl TypedData for Profile {}
//!
//! async fn me(profile: Typed<Profile>) -> String {
//!     format!("Hello {}!", profile.user)
//! }
//!
//! // Concurrent visits are all counted.
//! async fn visit(mut profile: Typed<Profile>) -> Result<String, SessionError> {
//!     profile.update(|profile| profile.visits += 1).await?;
//!     Ok(profile.visits.to_string())
//! }
//!
//! let routes: Router = Router::new().route("/me", get(me)).route("/visit", post(visit));
//! ```

use std::any::type_name;
use std::fmt;
use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::axum::{ActiveSession, optional};
use crate::error::SessionError;
use crate::middleware::SessionRejection;
use crate::record::SessionData;
use crate::session::Session;

/// Type that the fields of a session form, for the extractor [`Typed`].
///
/// The type gets all fields of the session as one object. Fields that it does not have are ignored
/// and kept, so several types can share a session.
///
/// Mark a field that was added later with `#[serde(default)]`. [`mismatch`](Self::mismatch) is for
/// changes that serde cannot handle.
///
/// ```
/// use jwt_redis_session::typed::{Mismatch, TypedData};
/// use jwt_redis_session::{SessionData, SessionError};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Cart {
///     items: Vec<String>,
/// }
///
/// impl TypedData for Cart {
///     // Until version 2 the cart was one text. Anything else becomes an empty cart.
///     fn mismatch(data: &SessionData, _: &SessionError) -> Mismatch<Self> {
///         let text: String = data.get("items").ok().flatten().unwrap_or_default();
///         let items = text.split_whitespace().map(str::to_owned).collect();
///         Mismatch::Use(Self { items })
///     }
/// }
/// ```
pub trait TypedData: DeserializeOwned {
    /// Decides what happens to a session whose data does not fit this type. Defaults to
    /// [`Mismatch::Error`].
    ///
    /// `error` is the [`Decode`](SessionError::Decode) error, which names the field if it is known.
    fn mismatch(data: &SessionData, error: &SessionError) -> Mismatch<Self> {
        let _ = (data, error);
        Mismatch::Error
    }
}

/// Decision about a session whose data does not fit its type.
///
/// See [`TypedData`] for an example.
pub enum Mismatch<T> {
    /// The handler gets this value: a default, or one that was converted from the old data.
    ///
    /// Nothing is stored. [`Typed::update`] stores the value with its changes.
    Use(T),
    /// The session is destroyed and the request answered 401, so that the user logs in again.
    ///
    /// The data is read again first, because another request may have replaced it. While two
    /// versions of the application are in use, each one drops the sessions of the other.
    Drop,
    /// The request is answered with a generic 500. An event at the level ERROR names the type and,
    /// if it is known, the field; it contains no data.
    Error,
}

impl<T> fmt::Debug for Mismatch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Use(_) => "Use([redacted])",
            Self::Drop => "Drop",
            Self::Error => "Error",
        })
    }
}

/// Extractor of an active session whose fields are read as a `T`.
///
/// It answers as [`ActiveSession`] does: 401 without a session, 503 if the store is unavailable. If
/// the data does not fit, [`TypedData::mismatch`] decides. `Option<Typed<T>>` is `None` where the
/// response would be 401.
///
/// The value was read when the session was loaded. It cannot be changed in place, because such a
/// change would not be stored: use [`update`](Self::update). `Debug` prints no data.
///
/// See the [module](crate::typed) for an example.
pub struct Typed<T> {
    session: Session,
    value: T,
}

impl<T> Typed<T> {
    /// Returns the session itself.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Returns the value without the session.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: TypedData + Serialize + Send> Typed<T> {
    /// Modifies and stores the value in one atomic step.
    ///
    /// `f` receives the stored value, and runs again if another request has written in the
    /// meantime: if two requests increment a counter, both are counted. Fields that `f` does not
    /// change, and fields that `T` does not have, keep their stored values. Afterwards this value
    /// is the stored one.
    ///
    /// As [`Session::update_with`] with [`SessionData::data`] and [`SessionData::merge`].
    ///
    /// # Errors
    ///
    /// As [`Session::update`]. [`SessionError::Decode`] if the data no longer fits and
    /// [`TypedData::mismatch`] returns no value. [`SessionError::Encode`] if the value does not
    /// serialize to a JSON object.
    pub async fn update<R: Send>(
        &mut self,
        mut f: impl FnMut(&mut T) -> R + Send,
    ) -> Result<R, SessionError> {
        let edit = |data: &mut SessionData| {
            let mut value = match read(data) {
                Ok(value) | Err((Mismatch::Use(value), _)) => value,
                Err((Mismatch::Drop | Mismatch::Error, error)) => return Err(error),
            };
            let result = f(&mut value);
            data.merge(&value)?;
            Ok((value, result))
        };
        let (value, result) = self.session.update_with(edit).await?;
        self.value = value;
        Ok(result)
    }
}

impl<T> Deref for Typed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&self.session).finish()
    }
}

impl<S: Sync, T: TypedData + Send> FromRequestParts<S> for Typed<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let active = <ActiveSession as FromRequestParts<S>>::from_request_parts(parts, state);
        let session = active.await?.into_session();
        let value = open(&session).await?;
        Ok(Self { session, value })
    }
}

impl<S: Sync, T: TypedData + Send> OptionalFromRequestParts<S> for Typed<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        optional(<Self as FromRequestParts<S>>::from_request_parts(parts, state).await)
    }
}

/// Returns the data as a `T`, or what to do instead and the error.
fn read<T: TypedData>(data: &SessionData) -> Result<T, (Mismatch<T>, SessionError)> {
    data.data()
        .map_err(|error| (T::mismatch(data, &error), error))
}

/// Reads the data, and destroys the session if its type decides so.
async fn open<T: TypedData>(session: &Session) -> Result<T, SessionRejection> {
    let rejected = |error| SessionRejection::from(&error);
    let mut value = read(&session.snapshot());
    if let Err((Mismatch::Drop, _)) = value {
        // Another request may have replaced the data since it was loaded.
        session.reload().await.map_err(rejected)?;
        value = read(&session.snapshot());
    }
    match value {
        Ok(value) | Err((Mismatch::Use(value), _)) => Ok(value),
        Err((Mismatch::Error, error)) => Err(rejection::<T>(&error)),
        Err((Mismatch::Drop, error)) => {
            session.destroy().await.map_err(rejected)?;
            let r#type = type_name::<T>();
            tracing::info!(r#type, %error, "session destroyed: its data does not fit its type");
            Err(SessionRejection::from(&SessionError::Gone))
        }
    }
}

/// Logs that the data does not fit, and returns the response.
fn rejection<T>(error: &SessionError) -> SessionRejection {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(
        r#type = type_name::<T>(),
        %error,
        cause,
        "session data does not fit its type; migrate it in `TypedData::mismatch`"
    );
    SessionRejection::from(error)
}
