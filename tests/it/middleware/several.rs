//! Several layers, each with separate sessions.

use super::*;

struct Admin;
struct User;

/// Layers of users and of admins, and a token of each: one store, one key, two keyspaces.
async fn layers() -> ([JwtRedisSession; 2], [String; 2]) {
    let store = MemoryStore::new();
    let of = |keyspace: &str, arg| {
        let sessions = Sessions::builder(store.clone(), keyring()).keyspace(keyspace);
        let sessions = sessions.build().unwrap();
        let sources = TokenSources::token_arg(arg).unwrap();
        let layer = JwtRedisSession::new(sessions.clone());
        (sessions, layer.sources(sources))
    };
    let (users, user_layer) = of("user:", "userToken");
    let (admins, admin_layer) = of("admin:", "adminToken");
    let tokens = [token(&users).await, token(&admins).await];
    let layers = [user_layer.tagged::<User>(), admin_layer.tagged::<Admin>()];
    (layers, tokens)
}

/// The states of user and admin, and the query.
async fn states(request: Request<Body>) -> Result<Response<String>, Infallible> {
    let extensions = request.extensions();
    let user = LazyTagged::<User>::of(extensions).unwrap().load().await;
    let admin = LazyTagged::<Admin>::of(extensions).unwrap().load().await;
    let states = [
        described(&user.state()),
        described(&admin.state()),
        request.uri().query().unwrap_or_default().to_owned(),
    ];
    Ok(Response::new(states.join(" ")))
}

#[tokio::test]
async fn layers_side_by_side_do_not_mix() {
    let ([users, admins], [user, admin]) = layers().await;
    let bearer = format!("Bearer {user}");
    let query = format!("/?a=1&userToken={user}&adminToken={admin}");
    let form = format!("adminToken={admin}&userToken={user}");
    for (outer, inner) in [
        (users.clone(), admins.clone()),
        (users.clone().lazy(), admins.clone()),
        (users.clone(), admins.clone().lazy()),
    ] {
        let service = ServiceBuilder::new().layer(outer).layer(inner);
        let service = service.service_fn(states);
        for (request, expected) in [
            (get("/", &[]), "Absent Absent "),
            (get("/", &[("x-user-token", &user)]), "Active Absent "),
            (get("/", &[("x-admin-token", &admin)]), "Absent Active "),
            (get("/", &[("x-admin-token", &user)]), "Absent unknown "),
            (get("/", &[("authorization", &bearer)]), "Active unknown "),
            (get(&query, &[]), "Active Active a=1"),
            (post(FORM, form.clone()), "Active Active "),
        ] {
            let response = service.clone().oneshot(request).await.unwrap();
            assert_eq!(response.body(), expected);
            let vary: Vec<_> = response.headers().get_all("vary").iter().collect();
            assert_eq!(vary, ["x-admin-token, authorization", "x-user-token"]);
        }
    }
}

#[tokio::test]
async fn the_nearest_layer_wins() {
    let ([users, admins], [_, admin]) = layers().await;
    for lazy in [false, true] {
        let (outer, inner) = match lazy {
            true => (users.clone(), admins.clone().lazy()),
            false => (users.clone().lazy(), admins.clone()),
        };
        let service = ServiceBuilder::new().layer(outer).layer(inner).service_fn(
            async |request: Request<Body>| {
                let extensions = request.extensions();
                assert_eq!(extensions.get::<Session>().is_none(), lazy);
                assert_eq!(extensions.get::<LazySession>().is_some(), lazy);
                assert_eq!(Tagged::<Admin>::of(extensions).is_none(), lazy);
                assert_eq!(Tagged::<User>::of(extensions).is_some(), lazy);
                let tagged = LazyTagged::<Admin>::of(extensions).unwrap();
                assert_eq!(tagged.loaded().is_none(), lazy);
                let nearest = LazySession::of(extensions).unwrap().load().await;
                Ok::<_, Infallible>(Response::new(described(&nearest.state())))
            },
        );
        let request = get("/", &[("x-admin-token", &admin)]);
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.body(), "Active");
    }
}

#[tokio::test]
async fn each_layer_can_be_required() {
    let ([users, admins], [user, _]) = layers().await;
    for (users, admins) in [
        (users.clone(), admins.clone()),
        (users.lazy(), admins.lazy()),
    ] {
        for (require, status) in [
            (RequireSession::new(), 401),
            (RequireSession::new().tagged::<Admin>(), 401),
            (RequireSession::new().tagged::<User>(), 200),
            (RequireSession::new().tagged::<Body>(), 500),
        ] {
            let service = ServiceBuilder::new()
                .layer(users.clone())
                .layer(admins.clone())
                .layer(require)
                .service_fn(async |request: Request<Body>| {
                    let user = Tagged::<User>::of(request.extensions()).unwrap();
                    assert!(user.is_active());
                    Ok::<_, Infallible>(Response::<String>::default())
                });
            let request = get("/", &[("x-user-token", &user)]);
            let response = service.oneshot(request).await.unwrap();
            assert_eq!(response.status(), status);
        }
    }
}
