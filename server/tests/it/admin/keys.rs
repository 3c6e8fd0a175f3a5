//! API keys of buckets.

use super::{Browser, api_key, bucket_session, is_stored};
use crate::service::Service;

#[tokio::test]
async fn a_key_is_created_and_shown_once() {
    let service = Service::memory().await;
    let browser = Browser::logged_in(&service).await;
    assert!(browser.get("/admin").await.shows("No bucket has a key"));
    let page = browser.submit("/admin/keys", &[("bucket", "shop")]).await;
    assert_eq!(page.status, 201);
    let (_, rest) = page
        .text
        .split_once("aria-label=\"API key\">")
        .expect("a key");
    let key = rest.split('<').next().expect("a key").to_owned();
    let overview = browser.get("/admin").await;
    assert!(overview.shows(">shop</th>") && overview.shows(" UTC</time>"));
    assert!(!overview.shows(&key));
    let again = browser.submit("/admin/keys", &[("bucket", "shop")]).await;
    assert_eq!(again.status, 409);
    assert!(again.shows("The bucket “shop” already has a key."));
    let id = bucket_session(&service, "shop", &key, "{}").await;
    assert!(is_stored(&service, "shop", &id, &key).await);
}

#[tokio::test]
async fn a_deleted_key_is_invalid_and_the_sessions_stay() {
    let service = Service::redis().await;
    let shop = api_key(&service, "shop").await;
    let id = bucket_session(&service, "shop", &shop, "{}").await;
    api_key(&service, "blog").await;
    let browser = Browser::logged_in(&service).await;
    let page = browser
        .submit("/admin/keys/delete", &[("bucket", "shop")])
        .await;
    assert_eq!(page.location.as_deref(), Some("/admin"));
    assert!(page.shows("The key of “shop” is deleted."));
    assert!(page.shows(">blog</th>") && !page.shows(">shop</th>"));
    assert!(
        !browser.get("/admin").await.shows("is deleted."),
        "shown once"
    );
    assert!(!is_stored(&service, "shop", &id, &shop).await);
    let page = browser
        .submit("/admin/keys/delete", &[("bucket", "shop")])
        .await;
    assert!(page.shows("“shop” has no key."));
    let new = api_key(&service, "shop").await;
    assert!(is_stored(&service, "shop", &id, &new).await);
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
    assert!(browser.get("/admin").await.shows("No bucket has a key"));
}
