//! actix-session with its store on Redis. Variants: `documented`, one managed connection; `best`, a
//! pool with timeouts, and reads that extend the session.

use std::time::Duration;

use actix_session::config::{PersistentSession, TtlExtensionPolicy};
use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::{Key, time};
use actix_web::error::ErrorUnauthorized;
use actix_web::web::{Json, Query};
use actix_web::{App, HttpServer, Result, get, post};
use deadpool_redis::{Config, Runtime};
use serde_json::{Map, Value};

use super::contract::{Args, FIELDS, SECRET, Settings, THREADS, present};

#[actix_web::main]
pub(super) async fn run(settings: Settings) {
    let store = match settings.variant.as_str() {
        "best" => RedisSessionStore::new_pooled(pool(&settings.redis_url)).await,
        _ => RedisSessionStore::new(&settings.redis_url).await,
    };
    let store = store.expect("connect to Redis");
    let (max_age, is_best) = (settings.max_age.into(), settings.is("best"));
    let server = HttpServer::new(move || {
        let sessions = SessionMiddleware::builder(store.clone(), Key::from(SECRET))
            .cookie_secure(false)
            .session_lifecycle(lifecycle(max_age, is_best))
            .build();
        let app = App::new().wrap(sessions);
        let app = app
            .service(login)
            .service(read)
            .service(field)
            .service(set)
            .service(update);
        app.service(add)
            .service(rotate)
            .service(logout)
            .service(none)
    });
    let server = server
        .workers(THREADS)
        .bind(("127.0.0.1", settings.port))
        .expect("bind the port");
    println!("listening on {}", server.addrs()[0]);
    server.run().await.expect("serve");
}

fn pool(url: &str) -> deadpool_redis::Pool {
    let timeout = Some(Duration::from_secs(2));
    let builder = Config::from_url(url).builder().expect("a URL");
    let builder = builder.runtime(Runtime::Tokio1).wait_timeout(timeout);
    let builder = builder.create_timeout(timeout).recycle_timeout(timeout);
    builder.build().expect("a pool")
}

fn lifecycle(max_age: i64, is_best: bool) -> PersistentSession {
    let lifecycle = PersistentSession::default().session_ttl(time::Duration::seconds(max_age));
    if is_best {
        return lifecycle.session_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest);
    }
    lifecycle
}

fn user(session: &Session) -> Result<String> {
    let user = session.get("user")?;
    user.ok_or_else(|| ErrorUnauthorized("not logged in"))
}

#[post("/login")]
async fn login(session: Session, args: Query<Args>) -> Result<&'static str> {
    if args.renew > 0 {
        session.renew();
    }
    session.insert("user", &args.user)?;
    Ok("")
}

#[get("/read")]
async fn read(session: Session) -> Result<Json<Map<String, Value>>> {
    user(&session)?;
    let mut values = FIELDS.map(|_| None);
    for (name, value) in FIELDS.iter().zip(&mut values) {
        *value = session.get(name)?;
    }
    Ok(Json(present(values)))
}

#[get("/field")]
async fn field(session: Session) -> Result<String> {
    let field = session.get("a")?;
    field.ok_or_else(|| ErrorUnauthorized("not logged in"))
}

#[post("/set")]
async fn set(session: Session, args: Query<Args>) -> Result<&'static str> {
    user(&session)?;
    args.sleep().await;
    session.insert(&args.k, &args.v)?;
    Ok("")
}

#[post("/update")]
async fn update(session: Session) -> Result<&'static str> {
    user(&session)?;
    let count = session.get::<u64>("count")?.unwrap_or(0);
    session.insert("count", count + 1)?;
    Ok("")
}

#[post("/add")]
async fn add(session: Session, args: Query<Args>) -> Result<&'static str> {
    user(&session)?;
    let count = session.get::<u64>("count")?.unwrap_or(0);
    args.sleep().await;
    session.insert("count", count + 1)?;
    Ok("")
}

#[post("/rotate")]
async fn rotate(session: Session, args: Query<Args>) -> Result<&'static str> {
    user(&session)?;
    args.sleep().await;
    session.renew();
    Ok("")
}

#[post("/logout")]
async fn logout(session: Session) -> &'static str {
    session.purge();
    ""
}

#[get("/none")]
async fn none() -> &'static str {
    "none"
}
