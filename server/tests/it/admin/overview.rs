//! The state of the service.

use super::Browser;
use crate::buckets::bucket::Bucket;
use crate::service::Service;

#[tokio::test]
async fn the_overview_shows_store_version_apis_and_counts() {
    for service in [Service::memory().await, Service::redis().await] {
        let browser = Browser::logged_in(&service).await;
        let page = browser.get("/admin").await;
        let store = match service.redis {
            Some(_) => "<dd>Redis, answers in ",
            None => "<dd>Memory (lost when the process ends), answers in ",
        };
        for text in [
            store,
            concat!("<dd>", env!("CARGO_PKG_VERSION"), "</dd>"),
            "<code>sessiond:</code>",
            " of at most ",
            ">0 buckets with a key<",
            ">version v1, no secret<",
        ] {
            assert!(page.shows(text), "{text} in {}", page.text);
        }
        assert_eq!(page.text.matches("enabled</span>").count(), 3);
        Bucket::new(&service, "shop").await;
        assert!(browser.get("/admin").await.shows(">1 bucket with a key<"));
    }
}

#[tokio::test]
async fn a_disabled_api_is_shown_as_such() {
    let service = Service::memory_with(|settings| settings.users.enabled = false).await;
    let page = Browser::logged_in(&service).await.get("/admin").await;
    assert!(page.shows(">disabled</td>"));
}
