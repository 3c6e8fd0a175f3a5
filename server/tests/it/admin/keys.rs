//! The buckets that have an API key.

use super::{Browser, api_key, bucket_session, lives};
use crate::service::Service;

on_every_store!(
    a_key_is_created_shown_once_and_good,
    a_bucket_has_one_key,
    a_deleted_key_is_refused_and_the_sessions_stay,
    names_that_no_bucket_can_have_are_refused,
);

async fn a_key_is_created_shown_once_and_good(service: Service) {
    let browser = Browser::logged_in(&service).await;
    assert!(browser.get("/admin").await.shows("No bucket has a key yet"));
    let page = browser.submit("/admin/keys", &[("bucket", "shop")]).await;
    assert_eq!(page.status, 201);
    let (_, rest) = page.text.split_once("aria-label=\"API key\">").expect("it");
    let key = rest.split('<').next().expect("a key").to_owned();
    let id = bucket_session(&service, "shop", &key, "{}").await;
    assert!(lives(&service, "shop", &id, &key).await);
    let overview = browser.get("/admin").await;
    assert!(overview.shows(">shop</th>") && overview.shows(" UTC</time>"));
    assert!(!overview.shows(&key));
}

async fn a_bucket_has_one_key(service: Service) {
    let key = api_key(&service, "shop").await;
    let browser = Browser::logged_in(&service).await;
    let page = browser.submit("/admin/keys", &[("bucket", "shop")]).await;
    assert_eq!(page.status, 409);
    assert!(page.shows("The bucket “shop” has a key already."));
    bucket_session(&service, "shop", &key, "{}").await;
}

async fn a_deleted_key_is_refused_and_the_sessions_stay(service: Service) {
    let (shop, blog) = (
        api_key(&service, "shop").await,
        api_key(&service, "blog").await,
    );
    let id = bucket_session(&service, "shop", &shop, "{}").await;
    let post = bucket_session(&service, "blog", &blog, "{}").await;
    let browser = Browser::logged_in(&service).await;
    let page = browser
        .submit("/admin/keys/delete", &[("bucket", "shop")])
        .await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (303, Some("/admin"))
    );
    assert!(!lives(&service, "shop", &id, &shop).await);
    assert!(lives(&service, "blog", &post, &blog).await);
    let overview = browser.get("/admin").await;
    assert!(overview.shows("The key of “shop” is deleted"));
    assert!(overview.shows(">blog</th>") && !overview.shows(">shop</th>"));
    assert!(
        !browser.get("/admin").await.shows("is deleted"),
        "told once"
    );
    let again = browser
        .submit("/admin/keys/delete", &[("bucket", "shop")])
        .await;
    assert_eq!(again.status, 303);
    assert!(browser.get("/admin").await.shows("has no key any more"));
    let new = api_key(&service, "shop").await;
    assert!(lives(&service, "shop", &id, &new).await);
}

async fn names_that_no_bucket_can_have_are_refused(service: Service) {
    let browser = Browser::logged_in(&service).await;
    let long = "x".repeat(65);
    for name in [
        "", "settings", "a b", "a:b", "<script>", "ä", "..", "a\r\nb", "\0", &long,
    ] {
        for path in ["/admin/keys", "/admin/keys/delete"] {
            let page = browser.submit(path, &[("bucket", name)]).await;
            assert_eq!(page.status, 400, "{name:?}");
            assert!(!page.shows("<script"));
        }
    }
    assert!(browser.get("/admin").await.shows("No bucket has a key yet"));
}
