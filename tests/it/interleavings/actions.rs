//! The operations that the processes run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jwt_redis_session::config::{Evict, ManualClock};
use jwt_redis_session::store::SharedStore;
use jwt_redis_session::{Keyring, Session, SessionError, SessionId, Sessions};

pub(super) const OWNER: &str = "jo";
pub(super) const OTHER: &str = "al";

/// Longer than the max age of the configuration, a day.
pub(super) const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// How long an old id leads to the new one.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// The result of an operation: the ids that it created, listed or destroyed.
pub(super) type Done = Result<Vec<SessionId>, SessionError>;

/// What one process does: to the session `a` unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Creates a session of [`OWNER`].
    Create,
    /// Creates the session `x` of [`OWNER`].
    CreateWithId,
    Update,
    SetOwner(&'static str),
    Touch,
    /// Gives the session a max age of [`MONTH`].
    SetMaxAge,
    Rotate,
    /// Rotates with a grace of [`GRACE`].
    RotateWithGrace,
    /// Sets the owner and rotates in one step.
    RotateTo(&'static str),
    Login(&'static str),
    Destroy,
    DestroyAll(&'static str),
    /// Destroys the sessions of [`OWNER`] except `a`.
    DestroyOthers,
    /// Lists the sessions of [`OWNER`].
    List,
}

impl Action {
    /// Runs the action as the process `name`.
    pub(super) async fn run(self, sessions: Sessions, name: &'static str) -> Done {
        match self {
            Self::Create => create(&sessions, OWNER).await,
            Self::CreateWithId => {
                let session = sessions.new_session();
                session.set_owner(OWNER)?;
                session.create().id(id("x")).await?;
                Ok(vec![id("x")])
            }
            Self::DestroyAll(owner) => sessions.destroy_all(owner).await.map(|_| Vec::new()),
            Self::DestroyOthers => {
                let destroyed = sessions.destroy_others(OWNER, &id("a0")).await;
                destroyed.map(|_| Vec::new())
            }
            Self::List => {
                let listed = sessions.list(OWNER).await?;
                Ok(listed.iter().map(|entry| entry.id().clone()).collect())
            }
            _ => self.run_on(&sessions.get(&id("a0")).await?, name).await,
        }
    }

    /// Runs an action on the session `a`.
    async fn run_on(self, session: &Session, name: &'static str) -> Done {
        if let Self::SetOwner(owner) | Self::RotateTo(owner) = self {
            session.set_owner(owner)?;
        }
        match self {
            Self::Update => {
                session.insert(name, 1)?;
                session.update().await?;
            }
            Self::SetOwner(_) => session.update().await?,
            Self::Touch => session.touch().await?,
            Self::SetMaxAge => {
                session.set_max_age(MONTH)?;
                session.update().await?;
            }
            Self::Login(owner) => drop(session.login(owner).await?),
            Self::Destroy => {
                let existed = session.destroy().await?;
                return Ok(existed.then(|| id("a0")).into_iter().collect());
            }
            Self::RotateWithGrace => drop(session.rotate_with_grace(GRACE).await?),
            _ => drop(session.rotate().await?),
        }
        let new = session.id().filter(|_| self.rotates());
        Ok(new.into_iter().collect())
    }

    /// Returns whether the action moves `a` to a new id.
    pub(super) fn rotates(self) -> bool {
        self == Self::RotateWithGrace || self.ends_the_old_id()
    }

    /// Returns whether the action moves `a` to a new id without a grace.
    pub(super) fn ends_the_old_id(self) -> bool {
        matches!(self, Self::Rotate | Self::RotateTo(_) | Self::Login(_))
    }

    pub(super) fn creates(self) -> bool {
        matches!(self, Self::Create | Self::CreateWithId)
    }

    pub(super) fn sets_owner(self) -> bool {
        matches!(self, Self::SetOwner(_))
    }

    /// Returns whether the action destroys sessions other than by a rotation.
    pub(super) fn destroys(self) -> bool {
        matches!(
            self,
            Self::Destroy | Self::DestroyAll(_) | Self::DestroyOthers
        )
    }

    /// Returns the owner that `a` gets.
    pub(super) fn new_owner(self) -> Option<&'static str> {
        match self {
            Self::SetOwner(owner) | Self::RotateTo(owner) | Self::Login(owner) => Some(owner),
            _ => None,
        }
    }
}

/// Creates a session of `owner`.
pub(super) async fn create(sessions: &Sessions, owner: &str) -> Done {
    let session = sessions.new_session();
    session.set_owner(owner)?;
    session.create().await?;
    Ok(session.id().into_iter().collect())
}

pub(super) fn id(name: &str) -> SessionId {
    SessionId::parse(format!("{name:-<16}")).unwrap()
}

/// Returns sessions whose ids show which process generated them: `name0`, `name1`, …
pub(super) fn sessions(
    store: impl Into<SharedStore>,
    clock: ManualClock,
    name: &'static str,
) -> Sessions {
    limited(store, clock, name, None)
}

/// As [`sessions`], with at most so many of one owner.
pub(super) fn limited(
    store: impl Into<SharedStore>,
    clock: ManualClock,
    name: &'static str,
    limit: Option<(usize, Evict)>,
) -> Sessions {
    static KEYRING: OnceLock<Keyring> = OnceLock::new();
    let keyring = || Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap();
    let keyring = KEYRING.get_or_init(keyring).clone();
    let count = AtomicUsize::new(0);
    let new_id = move || id(&format!("{name}{}", count.fetch_add(1, Ordering::Relaxed)));
    let mut builder = Sessions::builder(store, keyring).clock(clock);
    if let Some((limit, evict)) = limit {
        builder = builder.max_sessions(limit, evict);
    }
    builder.id_generator(new_id).build().unwrap()
}
