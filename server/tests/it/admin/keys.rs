//! API keys of buckets.

use reqwest::Method;
use serde_json::json;

use super::Browser;
use crate::buckets::bucket::{Bucket, api_key};
use crate::request::status;
use crate::service::Service;

#[tokio::test]
async fn a_key_is_created_and_shown_once() {
    let service = Service::memory().await;
    let browser = Browser::logged_in(&service).await;
    assert!(
        browser
            .get("/admin/buckets")
            .await
            .shows("No bucket has a key")
    );
    let page = browser.submit("/admin/keys", &[("bucket", "shop")]).await;
    assert_eq!(page.status, 201);
    let (_, rest) = page.text.split_once("\"the API key\">").expect("a key");
    let key = rest.split('<').next().expect("a key").to_owned();
    let overview = browser.get("/admin/buckets").await;
    assert!(overview.shows(">shop</th>") && overview.shows(" UTC</time>"));
    assert!(!overview.shows(&key));
    let again = browser.submit("/admin/keys", &[("bucket", "shop")]).await;
    assert_eq!(again.status, 409);
    assert!(again.shows("The bucket “shop” already has a key."));
    let put = service.put("/session/shop").header("x-session-key", &key);
    assert_eq!(status(put).await, 201, "the key is still valid");
}

#[tokio::test]
async fn a_deleted_key_is_invalid_and_the_sessions_stay() {
    let service = Service::redis().await;
    let shop = Bucket::new(&service, "shop").await;
    let id = shop.create(&json!({})).await;
    Bucket::new(&service, "blog").await;
    let browser = Browser::logged_in(&service).await;
    let delete = async || {
        let fields = [("bucket", "shop")];
        browser.submit("/admin/keys/delete", &fields).await
    };
    let page = delete().await;
    assert_eq!(page.location.as_deref(), Some("/admin/buckets"));
    assert!(page.shows("The key of “shop” has been deleted."));
    assert!(page.shows(">blog</th>") && !page.shows(">shop</th>"));
    let again = browser.get("/admin/buckets").await;
    assert!(!again.shows("has been deleted."), "shown once");
    assert_eq!(status(shop.get(&id)).await, 401);
    assert!(delete().await.shows("“shop” has no key."));
    let new = Bucket::new(&service, "shop").await;
    assert_eq!(status(new.get(&id)).await, 200);
}

#[tokio::test]
async fn both_keys_of_a_rotation_are_shown() {
    let service = Service::memory().await;
    Bucket::new(&service, "shop").await;
    let delete_with_grace = api_key(&service, Method::DELETE, "shop?grace=1h");
    assert_eq!(status(delete_with_grace).await, 200);
    let browser = Browser::logged_in(&service).await;
    let overview = browser.get("/admin/buckets").await;
    assert!(overview.shows("no new key") && overview.shows("The deleted key is valid until"));
    let page = browser.submit("/admin/keys", &[("bucket", "shop")]).await;
    assert_eq!(page.status, 201);
    let overview = browser.get("/admin/buckets").await;
    assert!(!overview.shows("no new key") && overview.shows("The deleted key is valid until"));
    browser
        .submit("/admin/keys/delete", &[("bucket", "shop")])
        .await;
    assert!(
        browser
            .get("/admin/buckets")
            .await
            .shows("No bucket has a key")
    );
}

#[tokio::test]
async fn invalid_bucket_names_are_rejected() {
    let service = Service::memory().await;
    let browser = Browser::logged_in(&service).await;
    for name in ["", "settings", "a b", "<script>", "\0"] {
        for path in ["/admin/keys", "/admin/keys/delete"] {
            let page = browser.submit(path, &[("bucket", name)]).await;
            assert_eq!(page.status, 400, "{name:?}");
            assert!(!page.shows("<script"));
        }
    }
    assert!(
        browser
            .get("/admin/buckets")
            .await
            .shows("No bucket has a key")
    );
}
