//! R22: several layers, each with sessions of its own.

use std::convert::Infallible;

use http::{Request, Response};
use jwt_redis_session::{
    JwtRedisSession, MemoryStore, RequireSession, Sessions, Tagged, TokenSources,
};
use tower::{ServiceBuilder, ServiceExt};

use super::{Body, FORM, describe, described, get, keyring, request, session, token};

struct Admin;
struct User;

/// Sessions of users and of admins: one store, one key, two keyspaces.
fn both() -> [Sessions; 2] {
    let store = MemoryStore::new();
    ["user:", "admin:"].map(|keyspace| {
        let builder = Sessions::builder(store.clone(), keyring());
        builder.keyspace(keyspace).build().unwrap()
    })
}

fn layers([users, admins]: [Sessions; 2]) -> [JwtRedisSession; 2] {
    let sources = |arg| TokenSources::token_arg(arg).unwrap();
    [
        JwtRedisSession::new(users)
            .sources(sources("userToken"))
            .tagged::<User>(),
        JwtRedisSession::new(admins)
            .sources(sources("adminToken"))
            .tagged::<Admin>(),
    ]
}

/// The states of user, admin, and the nearest.
async fn states(request: Request<Body>) -> Result<Response<String>, Infallible> {
    let extensions = request.extensions();
    let states = [
        described(&Tagged::<User>::of(extensions).unwrap().state()),
        described(&Tagged::<Admin>::of(extensions).unwrap().state()),
        described(&session(&request).state()),
        request.uri().query().unwrap_or_default().to_owned(),
    ];
    Ok(Response::new(states.join(" ")))
}

#[tokio::test]
async fn r22_layers_side_by_side_keep_apart() {
    let sessions = both();
    let [user, admin] = [token(&sessions[0]).await, token(&sessions[1]).await];
    let [users, admins] = layers(sessions);
    let service = ServiceBuilder::new()
        .layer(users)
        .layer(admins)
        .service_fn(states);
    let bearer = format!("Bearer {user}");
    let form = format!("adminToken={admin}&userToken={user}");
    for (asked, expected) in [
        (get("/", &[]), "Absent Absent Absent "),
        (
            get("/", &[("x-user-token", &user)]),
            "Active Absent Absent ",
        ),
        (
            get("/", &[("x-admin-token", &admin)]),
            "Absent Active Active ",
        ),
        (
            get("/", &[("x-admin-token", &user)]),
            "Absent unknown unknown ",
        ),
        (
            get("/", &[("authorization", &bearer)]),
            "Active unknown unknown ",
        ),
        (
            get(&format!("/?a=1&userToken={user}&adminToken={admin}"), &[]),
            "Active Active Active a=1",
        ),
        (
            request("POST", "/", &[("content-type", FORM)], form),
            "Active Active Active ",
        ),
    ] {
        let response = service.clone().oneshot(asked).await.unwrap();
        assert_eq!(response.body(), expected);
    }
}

#[tokio::test]
async fn r22_each_can_be_required() {
    let sessions = both();
    let user = token(&sessions[0]).await;
    let [users, admins] = layers(sessions);
    let all = ServiceBuilder::new().layer(users).layer(admins);
    let asked = || get("/", &[("x-user-token", &user)]);
    for (require, status) in [
        (RequireSession::new(), 401),
        (RequireSession::new().tagged::<Admin>(), 401),
        (RequireSession::new().tagged::<User>(), 200),
        (RequireSession::new().tagged::<Body>(), 500),
    ] {
        let service = all.clone().layer(require).service_fn(states);
        let response = service.oneshot(asked()).await.unwrap();
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn r22_vary_names_the_headers_of_all() {
    let [users, admins] = layers(both());
    let service = ServiceBuilder::new()
        .layer(users)
        .layer(admins)
        .service_fn(states);
    let response = service.oneshot(get("/", &[])).await.unwrap();
    let vary: Vec<_> = response.headers().get_all("vary").iter().collect();
    assert_eq!(vary, ["x-admin-token, authorization", "x-user-token"]);
}

#[tokio::test]
async fn r22_clones_of_a_service_share_no_request() {
    let sessions = both();
    let token = token(&sessions[0]).await;
    let [users, _] = sessions;
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(users))
        .service_fn(describe);
    let requests = (0..50).map(|i| {
        let headers = [("x-access-token", &*token)];
        let with = i % 2 == 0;
        let asked = get("/", if with { &headers } else { &[] });
        let answer = service.clone().oneshot(asked);
        async move {
            let state = if with { "Active" } else { "Absent" };
            assert_eq!(answer.await.unwrap().headers()["state"], state);
        }
    });
    futures_util::future::join_all(requests).await;
}
