//! The requests that a server gets.

use std::net::SocketAddr;

use peers::route::{ROUTES, credential, filling};
use serde_json::{Value, json};
use test_support::http_load::{Connection, request, values};
use test_support::redis_monitor::Monitor;

use crate::subject::Subject;

/// The text for no commands to Redis.
pub(crate) const NONE: &str = "none";

/// The requests to one route, each in another session; none if the server has no such route.
pub(crate) type Workload = Vec<Vec<u8>>;

/// Creates sessions; returns the workloads of [`ROUTES`].
pub(crate) async fn workloads(
    subject: Subject,
    address: SocketAddr,
    sessions: usize,
) -> [Workload; ROUTES.len()] {
    let mut connection = Connection::to(address).await;
    let mut workloads = ROUTES.map(|_| Workload::new());
    for user in 0..sessions {
        let requests = match subject {
            Subject::Peer(_) => of_peer(&mut connection, user).await,
            Subject::Sessiond => of_sessiond(&mut connection, user).await,
        };
        for (workload, request) in workloads.iter_mut().zip(requests) {
            workload.extend(request);
        }
    }
    workloads
}

async fn of_peer(connection: &mut Connection, user: usize) -> [Option<Vec<u8>>; ROUTES.len()] {
    let login = request("POST", &format!("/login?user=user{user}"), &[], "");
    let (head, body) = connection.send(&login).await;
    let cookies: Vec<_> = values(head, "set-cookie").collect();
    let token = String::from_utf8_lossy(body);
    let (name, value) = credential(&cookies, &token);
    let headers = [(name, value.as_str())];
    for path in filling() {
        connection.send(&request("POST", &path, &headers, "")).await;
    }
    ROUTES.map(|route| Some(request(route.method, route.path, &headers, "")))
}

async fn of_sessiond(connection: &mut Connection, user: usize) -> [Option<Vec<u8>>; ROUTES.len()] {
    let call = |method: &str, args: &Value| {
        let body = json!({ "args": args.to_string() }).to_string();
        let json = [("content-type", "application/json")];
        request("POST", &format!("/rpc/{method}"), &json, &body)
    };
    let session = json!({ "a": "dark", "b": "x".repeat(240) });
    let args = json!({ "session": session, "userId": format!("user{user}") });
    let (_, body) = connection.send(&call("create", &args)).await;
    let mut answer: Value = serde_json::from_slice(body).expect("JSON");
    let token = answer["result"]["token"].take();
    let get = json!({ "token": token, "sessionVersion": "v1", "keys": ["a"] });
    let session = json!({ "count": user });
    let update = json!({ "token": token, "sessionVersion": "v1", "session": session });
    [Some(call("get", &get)), Some(call("update", &update)), None]
}

/// Sends each request twice; returns the commands that Redis gets for one, the second time.
pub(crate) async fn commands(
    workload: &Workload,
    address: SocketAddr,
    redis: SocketAddr,
) -> String {
    let mut connection = Connection::to(address).await;
    for request in workload {
        connection.send(request).await;
    }
    let monitor = Monitor::start(redis);
    for request in workload {
        connection.send(request).await;
    }
    peers::commands(monitor.stop(), workload.len())
}
