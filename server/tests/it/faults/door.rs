//! The life of a session at whichever door.

use reqwest::RequestBuilder;
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};

use crate::service::{MASTER_KEY, Service};
use crate::support::eventually;

/// A door of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Buckets,
    Rpc,
    Users,
}

pub(super) const DOORS: [Door; 3] = [Door::Buckets, Door::Rpc, Door::Users];

/// A client of one door, with whatever it needs to create sessions.
pub(super) struct Client<'a> {
    pub(super) service: &'a Service,
    pub(super) door: Door,
    key: String,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    retry: bool,
}

impl Answer {
    /// The body of a success.
    pub(super) fn fine(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }

    /// Checks that it tells of an outage: 503, when to try again, and nothing of the inside.
    pub(super) fn is_outage(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        assert!(self.retry, "{self:?}");
        let text = self.body.to_string().to_lowercase();
        for inside in [
            "127.0.0.1",
            "oom",
            "misconf",
            "loading redis",
            "broken pipe",
        ] {
            assert!(!text.contains(inside), "{text}");
        }
    }

    /// Whether it says that there is no such session.
    pub(super) fn is_gone(&self, door: Door) -> bool {
        match door {
            Door::Buckets => self.status == 404,
            Door::Rpc => self.status == 200 && self.body["result"].is_null(),
            Door::Users => self.status == 401,
        }
    }
}

impl<'a> Client<'a> {
    /// Goes to a door; the store must work by then.
    pub(super) async fn at(door: Door, service: &'a Service) -> Self {
        let mut client = Self {
            service,
            door,
            key: String::new(),
        };
        if door == Door::Buckets {
            let made = service
                .put("/api-key/faults")
                .header("x-session-key", MASTER_KEY);
            let made = ask(made).await.fine();
            client.key = made["api_key"].as_str().expect("a key").to_owned();
        }
        client
    }

    /// Creates a session of `owner` (buckets have none); returns what names it.
    pub(super) async fn create(&self, owner: &str) -> Answer {
        ask(self.creation(owner)).await
    }

    /// As [`Client::create`], which must succeed.
    pub(super) async fn created(&self, owner: &str) -> String {
        let body = self.create(owner).await.fine();
        let name = match self.door {
            Door::Buckets => &body["id"],
            Door::Rpc => &body["result"]["token"],
            Door::Users => &body["sessionId"],
        };
        name.as_str().expect("a name").to_owned()
    }

    pub(super) fn creation(&self, owner: &str) -> RequestBuilder {
        match self.door {
            Door::Buckets => self.bucket(self.service.put("/session/faults")).json(&1),
            Door::Rpc => self.rpc("create", &json!({ "session": {"a": 1}, "userId": owner })),
            Door::Users => {
                let login = json!({ "username": owner, "password": "not kept" });
                self.service.post("/sessions").json(&login)
            }
        }
    }

    pub(super) async fn read(&self, session: &str) -> Answer {
        ask(self.reading(session)).await
    }

    pub(super) fn reading(&self, session: &str) -> RequestBuilder {
        match self.door {
            Door::Buckets => {
                let path = format!("/session/faults/{session}");
                self.bucket(self.service.get(&path))
            }
            Door::Rpc => self.rpc(
                "get",
                &json!({ "token": session, "sessionVersion": "v1", "keys": "*" }),
            ),
            Door::Users => self.service.get("/sessions").bearer_auth(session),
        }
    }

    /// Writes `value`; the users' door has nothing to write, there it is a login.
    pub(super) fn writing(&self, session: &str, value: usize) -> RequestBuilder {
        match self.door {
            Door::Buckets => {
                let path = format!("/session/faults/{session}");
                self.bucket(self.service.post(&path)).json(&value)
            }
            Door::Rpc => {
                let (token, fields) = (session, json!({ "written": value }));
                let args = json!({ "token": token, "sessionVersion": "v1", "session": fields });
                self.rpc("update", &args)
            }
            Door::Users => self.creation("jo"),
        }
    }

    pub(super) async fn write(&self, session: &str, value: usize) -> Answer {
        ask(self.writing(session, value)).await
    }

    /// Ends the session; at the users' door all of `owner`.
    pub(super) fn ending(&self, session: &str, owner: &str) -> RequestBuilder {
        match self.door {
            Door::Buckets => {
                let path = format!("/session/faults/{session}");
                self.bucket(self.service.delete(&path))
            }
            Door::Rpc => self.rpc(
                "destroy",
                &json!({ "token": session, "sessionVersion": "v1" }),
            ),
            Door::Users => {
                let path = format!("/sessions/{owner}");
                self.service.delete(&path).bearer_auth(session)
            }
        }
    }

    pub(super) async fn end(&self, session: &str, owner: &str) -> Answer {
        ask(self.ending(session, owner)).await
    }

    /// Waits until a session can be read again.
    pub(super) async fn back(&self, session: &str) {
        eventually("served again", || async {
            (self.read(session).await.status == 200).then_some(())
        })
        .await;
    }

    fn bucket(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("x-session-key", &self.key)
    }

    pub(super) fn rpc(&self, method: &str, args: &Value) -> RequestBuilder {
        let call = json!({ "args": args.to_string() });
        self.service.post(&format!("/rpc/{method}")).json(&call)
    }
}

/// Sends a request and reads the answer.
pub(super) async fn ask(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let retry = response.headers().contains_key(RETRY_AFTER);
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"));
    Answer {
        status,
        body,
        retry,
    }
}
