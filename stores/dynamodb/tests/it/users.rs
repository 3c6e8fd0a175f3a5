//! The example `users` in a separate process, over HTTP.

use std::process::Command;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use test_support::program::Program;

use crate::emulator::Emulator;

/// Starts the example, which cargo has built beside this test.
fn start(url: &str) -> Program {
    let test = std::env::current_exe().expect("a path");
    let examples = test.ancestors().nth(2).expect("a folder").join("examples");
    let mut users = Command::new(examples.join("users"));
    users
        .env("AWS_ENDPOINT_URL_DYNAMODB", url)
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("SESSIOND__HTTP__LISTEN", "127.0.0.1:0");
    Program::start(&mut users)
}

async fn log_in(client: &Client, url: &str, username: &str) -> String {
    let login = json!({ "username": username, "password": "checked elsewhere" });
    let answer = client.post(url).json(&login).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let session: Value = answer.json().await.unwrap();
    session["sessionId"].as_str().expect("a token").to_owned()
}

async fn user(client: &Client, url: &str, token: &str) -> (StatusCode, Value) {
    let answer = client.get(url).bearer_auth(token).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn the_users_api_answers_its_three_calls() {
    let emulator = Emulator::start().await;
    let service = start(&emulator.url());
    let url = format!("http://{}/sessions", service.address());
    let client = Client::new();

    let tokens = [(); 2].map(|()| log_in(&client, &url, "jo"));
    let [phone, laptop] = tokens;
    let (phone, laptop) = (phone.await, laptop.await);
    let other = log_in(&client, &url, "ann").await;
    let jo = json!({ "username": "jo" });
    assert_eq!(
        user(&client, &url, &phone).await,
        (StatusCode::OK, jo.clone())
    );

    // The sessions outlive the process.
    drop(service);
    let service = start(&emulator.url());
    let url = format!("http://{}/sessions", service.address());
    assert_eq!(
        user(&client, &url, &laptop).await,
        (StatusCode::OK, jo.clone())
    );

    let all = format!("{url}/jo");
    let stranger = client.delete(&all).bearer_auth(&other).send();
    assert_eq!(stranger.await.unwrap().status(), 401);
    let answer = client
        .delete(&all)
        .bearer_auth(&phone)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap(), jo);
    for token in [&phone, &laptop] {
        assert_eq!(user(&client, &url, token).await.0, 401);
    }
    assert_eq!(user(&client, &url, &other).await.0, 200);
}

#[tokio::test]
async fn an_outage_is_no_logout() {
    let emulator = Emulator::start().await;
    let service = start(&emulator.url());
    let url = format!("http://{}/sessions", service.address());
    let client = Client::new();
    let token = log_in(&client, &url, "jo").await;
    drop(emulator);
    let (status, _) = user(&client, &url, &token).await;
    assert_eq!(status, 503);
}
