//! Logging in.
//!
//! A login is a rotation, or the end of one session and the beginning of another. Whatever
//! happens: the token that was known before never works beside a login that succeeded, and data
//! never gets to another owner.

use super::*;

/// The token known before is dead after a login, and the login's session is the owner's.
async fn is_a_login(end: &End, login: &Did<SessionId>, owner: &str) -> Result<(), String> {
    let Some(id) = ok(login) else {
        return Ok(());
    };
    ensure(!end.works(&end.a).await, "the token known before works")?;
    let found = end.owner(&id).await;
    ensure(
        found.is_none_or(|found| found == owner),
        "the session is not the owner's",
    )
}

#[test]
fn two_logins_of_a_guest_have_one_winner() {
    explore(
        "login x login",
        &Explorer::new().crashes(1 + more(1)).drops(1),
        async |simulation| {
            let mut stage = Stage::owned_by(simulation, None).await;
            let logins = [stage.login("b", OWNER), stage.login("c", OWNER)];
            let end = stage.end();
            async move || {
                let winners = logins.iter().filter_map(ok).count();
                ensure(winners <= 1, "two winners")?;
                ensure(!end.is_calm() || winners == 1, "no winner")?;
                for login in &logins {
                    is_a_login(&end, login, OWNER).await?;
                }
                end.is_legal().await
            }
        },
    );
}

#[test]
fn a_login_of_a_guest_keeps_what_was_acknowledged() {
    explore(
        "login x update",
        &Explorer::new().crashes(more(1)).failures(more(1)),
        async |simulation| {
            let mut stage = Stage::owned_by(simulation, None).await;
            let (login, updated) = (stage.login("b", OWNER), stage.update("u"));
            let end = stage.end().after_failures();
            async move || {
                is_kept(&end, "u", &updated, &login).await?;
                is_a_login(&end, &login, OWNER).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn a_login_over_the_session_of_another_takes_nothing_along() {
    explore(
        "login over another's x update",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (login, updated) = (stage.login("b", OTHER), stage.update("u"));
            let end = stage.end();
            async move || {
                if let Some(id) = ok(&login) {
                    ensure(!end.has(&id, "u").await, "data has crossed owners")?;
                }
                let _ = &updated;
                is_a_login(&end, &login, OTHER).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn a_login_while_the_session_changes_hands_takes_nothing_along() {
    explore(
        "login x give to another",
        &Explorer::new().crashes(more(1)),
        async |simulation| {
            let mut stage = Stage::owned_by(simulation, None).await;
            let (login, given) = (stage.login("b", OWNER), stage.give("g", OTHER));
            let end = stage.end().after_changing_hands();
            async move || {
                if ok(&given).is_some() && end.works(&end.a).await {
                    let owner = end.owner(&end.a).await;
                    ensure(owner.as_deref() == Some(OTHER), "the owner is lost")?;
                }
                is_a_login(&end, &login, OWNER).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn a_login_and_destroy_all_of_the_owner() {
    for owner in [None, Some(OWNER), Some(OTHER)] {
        explore(
            "login x destroy_all",
            &Explorer::new().crashes(more(1)),
            async |simulation| {
                let mut stage = Stage::owned_by(simulation, owner).await;
                let (login, all) = (stage.login("b", OWNER), stage.destroy_all("all"));
                let end = stage.end();
                async move || {
                    if let Some(id) = ok(&login)
                        && login.precedes(&all)
                        && ok(&all).is_some()
                    {
                        ensure(!end.works(&id).await, "a login survives destroy_all")?;
                    }
                    is_a_login(&end, &login, OWNER).await?;
                    end.is_legal().await
                }
            },
        );
    }
}

#[test]
fn a_login_when_commands_fail() {
    for owner in [None, Some(OTHER)] {
        explore(
            "login, failures",
            &Explorer::new().failures(2).crashes(1),
            async |simulation| {
                let mut stage = Stage::owned_by(simulation, owner).await;
                let login = stage.login("b", OWNER);
                let end = stage.end().after_failures();
                async move || {
                    is_a_login(&end, &login, OWNER).await?;
                    end.is_legal().await
                }
            },
        );
    }
}
