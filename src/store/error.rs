//! Errors of a store.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Result of a store step.
pub(crate) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Error returned by a [`Store`](crate::store::Store).
///
/// Never means "no such session". After an error the step may or may not have been applied. The
/// message says what happened and what to do. It contains no key, no value and no credential:
/// the text of the database is not part of it.
///
/// Two errors are equal if their kind and detail are; the [`source`](Error::source) is not
/// compared.
///
/// ```
/// use jwt_redis_session::store::{StoreError, StoreErrorKind};
///
/// let error = StoreError::new(StoreErrorKind::Timeout).with_detail("shop-db:5432");
/// assert_eq!(error.kind().as_str(), "timeout");
/// assert!(error.to_string().ends_with("(shop-db:5432)"));
/// ```
#[derive(Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    detail: Option<Box<str>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// Creates an error of `kind`.
    #[must_use]
    pub const fn new(kind: StoreErrorKind) -> Self {
        Self {
            kind,
            detail: None,
            source: None,
        }
    }

    /// Adds a detail for operators: an error code, an address, a setting. Never data.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Box<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the cause, which [`source`](Error::source) returns.
    ///
    /// Logs print the cause: its `Display` and its `Debug` must not contain data. The errors of
    /// many database clients do.
    ///
    /// ```
    /// use std::error::Error;
    /// use jwt_redis_session::store::{StoreError, StoreErrorKind};
    ///
    /// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    /// let error = StoreError::new(StoreErrorKind::Connection).with_source(refused);
    /// assert_eq!(error.source().unwrap().to_string(), "connection refused");
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// Returns the kind of the error.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl PartialEq for StoreError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.detail == other.detail
    }
}

impl Eq for StoreError {}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.explanation())?;
        match &self.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the source: its text may come from the server.
        f.debug_struct("StoreError")
            .field("kind", &self.kind)
            .field("message", &self.to_string())
            .finish()
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

/// Defines the kinds with their names and what an operator can do about each.
macro_rules! kinds {
    ($(
        $(#[doc = $doc:literal])+
        $kind:ident = $name:literal, $explanation:literal;
    )*) => {
        /// Kind of a [`StoreError`], which has an example.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum StoreErrorKind {
            $($(#[doc = $doc])+ $kind,)*
        }

        impl StoreErrorKind {
            /// Returns the kind in `snake_case`, as logs and metrics name it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            const fn explanation(self) -> &'static str {
                match self {
                    $(Self::$kind => $explanation,)*
                }
            }
        }
    };
}

kinds! {
    /// No answer within the deadline; a write may or may not have been applied.
    Timeout = "timeout",
        "the session store did not answer in time; check that it is reachable and not overloaded";
    /// The store cannot be reached, or the connection broke; a write may have been applied.
    Connection = "connection",
        "the session store cannot be reached; check that it runs and that its address is right";
    /// The credentials were rejected (`NOAUTH`, `WRONGPASS`).
    Auth = "auth",
        "the session store rejected the credentials; check user and password";
    /// The account lacks a permission (`NOPERM`).
    Permission = "permission",
        "the session store's account lacks a permission; FORMAT.md lists the commands that Redis \
         needs, other stores document theirs";
    /// The store takes no writes (`READONLY`): a replica, or a failover is under way.
    ReadOnly = "read_only",
        "the session store is read-only; point the application at the master";
    /// The store (`OOM`) or its disk is full.
    Full = "full",
        "the session store is full; raise its memory limit, or free space on its disk";
    /// The store is starting up (`LOADING`, `MASTERDOWN`, `TRYAGAIN`).
    Loading = "loading",
        "the session store is starting up; try again shortly";
    /// The store is busy with a long script (`BUSY`).
    Busy = "busy",
        "the session store is busy with a script; kill the script or wait";
    /// The store limits the rate of requests or has failed internally; a write may have been
    /// applied.
    Overloaded = "overloaded",
        "the session store is overloaded or limits the rate of requests; raise its capacity, or \
         try again shortly";
    /// Too many concurrent changes of one key; nothing was changed.
    Contention = "contention",
        "too many concurrent changes of one key of the session store; try again shortly";
    /// The store rejects writes that it cannot make safe (`MISCONF`, `NOREPLICAS`).
    Refused = "refused",
        "the session store rejects writes it cannot make safe; check its persistence and replicas";
    /// No node of the Redis Cluster serves the key now (`CLUSTERDOWN`, `MOVED`, `ASK`), or the
    /// connection is that of one server to a node of a cluster (`MOVED`, `CROSSSLOT`).
    Cluster = "cluster",
        "no node of the session store serves this key now; check the state of the cluster, and \
         that the url is redis-cluster://";
    /// The answer was not in the store's protocol.
    Protocol = "protocol",
        "the session store answered outside its protocol; check that its address is right";
    /// The file of a store does not hold what was written to it.
    Damaged = "damaged",
        "the file of the session store is damaged; restore a copy of it, or delete it";
    /// The configuration is wrong: an address that cannot be parsed, a feature that is off.
    Configuration = "configuration",
        "the session store is not configured right";
    /// The key holds data of another type (`WRONGTYPE`); it was left as it is.
    WrongType = "wrong_type",
        "a key of the session store holds data of another type; use a separate keyspace";
    /// The value is larger than the store can hold; nothing was changed.
    TooLarge = "too_large",
        "the value is larger than the session store can hold; keep less data in the session, or \
         end sessions of its owner";
    /// The store cannot do this.
    Unsupported = "unsupported",
        "the session store does not support this operation";
    /// Any other error.
    Other = "other",
        "the session store rejected the command";
}
