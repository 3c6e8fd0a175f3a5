//! Tests of the search for tokens, as tables of requests.

mod body;
mod head;
mod request;
mod websocket;
