//! Session fixation: the victim logs in with the cookie of the attacker.

use test_support::unique;

use crate::client::Site;
use crate::finding::{Finding, how_many, rounds};
use crate::harness::Harness;

pub(super) async fn run(harness: &Harness, number: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (cookie, logs_out) in [("of an ended session", true), ("of a live session", false)] {
        for (login, renew) in [("as documented", "&renew=1"), ("without a new id", "")] {
            let site = || harness.a.site.clone();
            let adopted = rounds(number, 5, |_| is_adopted(site(), logs_out, renew)).await;
            let row = format!(
                "the victim logs in with the attacker's cookie {cookie}, login {login}: the attacker is the victim"
            );
            let count = how_many(&adopted, |adopted| *adopted);
            findings.push(Finding::count(row, count, number));
        }
    }
    findings
}

async fn is_adopted(site: Site, logs_out: bool, renew: &str) -> bool {
    let attacker = site.login(&unique("attacker")).await;
    if logs_out {
        site.post("/logout", &attacker).await;
    }
    let victim = unique("victim");
    let login = format!("/login?user={victim}{renew}");
    site.post(&login, &attacker).await;
    site.user(&attacker).await == Some(victim)
}
