//! Session fixation: the victim logs in with the cookie of the attacker. And what a forged cookie
//! does on its own.

use test_support::unique;

use crate::client::{Answer, Credential, Reply, Site};
use crate::finding::{Finding, how_many, rounds};
use crate::harness::Harness;

const COOKIES: [(&str, Cookie); 3] = [
    ("of an ended session", Cookie::Ended),
    ("of a live session", Cookie::Live),
    ("with a forged id", Cookie::Forged),
];

#[derive(Clone, Copy)]
enum Cookie {
    Ended,
    Live,
    Forged,
}

pub(super) async fn run(harness: &Harness, number: usize) -> Vec<Finding> {
    let site = || harness.a.site.clone();
    let mut findings = Vec::new();
    for (name, cookie) in COOKIES {
        for (login, renew) in [("as documented", "&renew=1"), ("without a new id", "")] {
            let adopted = rounds(number, 5, |_| is_adopted(site(), cookie, renew)).await;
            let row = format!(
                "the victim logs in with the attacker's cookie {name}, login {login}: the attacker is the victim"
            );
            let count = how_many(&adopted, |adopted| *adopted);
            findings.push(Finding::count(row, count, number));
        }
    }
    let reads = rounds(number, 5, |_| forged_read(site())).await;
    let row = "a cookie with a forged id: a read";
    let is_accepted = |answer: &Answer| answer.reply != Reply::Status(401);
    findings.push(Finding::answers(row, &reads, is_accepted));
    findings
}

async fn forged_read(site: Site) -> Answer {
    let forged = cookie(&site, Cookie::Forged).await;
    site.get("/read", &forged).await
}

async fn is_adopted(site: Site, kind: Cookie, renew: &str) -> bool {
    let attacker = cookie(&site, kind).await;
    let victim = unique("victim");
    let login = format!("/login?user={victim}{renew}");
    site.post(&login, &attacker).await;
    site.user(&attacker).await == Some(victim)
}

async fn cookie(site: &Site, kind: Cookie) -> Credential {
    let cookie = site.login(&unique("attacker")).await;
    match kind {
        Cookie::Ended => {
            site.post("/logout", &cookie).await;
            cookie
        }
        Cookie::Live => cookie,
        Cookie::Forged => cookie.forged(),
    }
}
