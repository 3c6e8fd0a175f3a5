//! Logins: of a guest, of the same owner again, and over a session of another owner.

use super::*;

/// What holds of every login that succeeded.
async fn is_safe(end: &End, login: &Did<SessionId>, owner: &str) -> Result<(), String> {
    let Some(b) = ok(login) else {
        return Ok(());
    };
    ensure(!end.works(&end.a).await, "the known id survives a login")?;
    if !end.works(&b).await {
        return Ok(());
    }
    let found = end.owner(&b).await;
    ensure(
        found.as_deref() == Some(owner),
        "the session is not the owner's",
    )?;
    let data = end.data_of(&b).await;
    let crossed = data.is_some_and(|of| of != "guest" && of != owner);
    ensure(!crossed, "data of one owner is in the session of another")
}

/// The three sessions that a login may meet, each logged in as [`OTHER`].
const BEFORE: [Option<&str>; 3] = [None, Some(OTHER), Some(OWNER)];

#[test]
fn a_login_alone_keeps_the_data_of_a_guest_and_of_the_same_owner() {
    for before in BEFORE {
        let explorer = Explorer::new().crashes(1).drops(1);
        explore(
            &format!("login of {before:?}"),
            &explorer,
            async |simulation| {
                let mut stage = Stage::owned_by(simulation, before).await;
                let b = stage.login("b", OTHER);
                let end = stage.end();
                async move || {
                    is_safe(&end, &b, OTHER).await?;
                    if let Some(b) = ok(&b) {
                        let kept = (before != Some(OWNER)).then(|| before.unwrap_or("guest"));
                        let data = end.data_of(&b).await;
                        ensure(data.as_deref() == kept, "the data is not what it should be")?;
                    }
                    end.is_legal().await
                }
            },
        );
    }
}

#[test]
fn a_login_and_destroy_all_of_either_owner() {
    for before in BEFORE {
        for owner in [OTHER, OWNER] {
            let name = format!("login of {before:?} x all of {owner}");
            let explorer = Explorer::new().crashes(1).drops(more(1));
            explore(&name, &explorer, async |simulation| {
                let mut stage = Stage::owned_by(simulation, before).await;
                let b = stage.login("b", OTHER);
                let all = stage.destroy_all_of("all", owner);
                let end = stage.end().after_changing_hands();
                async move || {
                    is_safe(&end, &b, OTHER).await?;
                    if b.precedes(&all)
                        && owner == OTHER
                        && let (Some(b), Some(_)) = (ok(&b), ok(&all))
                    {
                        ensure(!end.works(&b).await, "a session survives destroy_all")?;
                    }
                    if before == Some(owner) && ok(&all).is_some() {
                        ensure(!end.works(&end.a).await, "a survives destroy_all")?;
                    }
                    end.is_legal().await
                }
            });
        }
    }
}

#[test]
fn two_logins_never_share_a_session() {
    for before in BEFORE {
        let name = format!("login x login of {before:?}");
        let explorer = Explorer::new().crashes(1);
        explore(&name, &explorer, async |simulation| {
            let mut stage = Stage::owned_by(simulation, before).await;
            let logins = [stage.login("b", OTHER), stage.login("c", OWNER)];
            let end = stage.end().after_changing_hands();
            async move || {
                for (login, owner) in logins.iter().zip([OTHER, OWNER]) {
                    is_safe(&end, login, owner).await?;
                }
                let mut with_data = 0;
                for id in logins.iter().filter_map(ok) {
                    with_data += usize::from(end.data_of(&id).await.is_some());
                }
                ensure(with_data <= 1, "two sessions have the same data")?;
                let winners = logins.iter().filter_map(ok).count();
                ensure(before.is_some() || winners <= 1, "two logins of one guest")?;
                if end.is_calm() {
                    ensure(logins.iter().any(|login| ok(login).is_some()), "no winner")?;
                    ensure(!end.works(&end.a).await, "the old session works")?;
                }
                end.is_legal().await
            }
        });
    }
}

#[test]
fn a_login_and_an_update() {
    for before in BEFORE {
        let name = format!("login of {before:?} x update");
        let explorer = Explorer::new().crashes(1).drops(1);
        explore(&name, &explorer, async |simulation| {
            let mut stage = Stage::owned_by(simulation, before).await;
            let (b, updated) = (stage.login("b", OTHER), stage.update("u"));
            let end = stage.end().after_changing_hands();
            async move || {
                is_safe(&end, &b, OTHER).await?;
                if before == Some(OWNER) {
                    if let Some(b) = ok(&b) {
                        ensure(!end.has(&b, "u").await, "an update crossed")?;
                    }
                } else {
                    is_kept(&end, "u", &updated, &b).await?;
                }
                end.is_legal().await
            }
        });
    }
}

#[test]
fn a_login_and_a_destroy() {
    for before in BEFORE {
        let name = format!("login of {before:?} x destroy");
        let explorer = Explorer::new().crashes(1).drops(1);
        explore(&name, &explorer, async |simulation| {
            let mut stage = Stage::owned_by(simulation, before).await;
            let (b, destroyed) = (stage.login("b", OTHER), stage.destroy("d"));
            let end = stage.end().after_changing_hands();
            async move || {
                is_safe(&end, &b, OTHER).await?;
                // The session that replaces one of another owner is not its successor.
                let successor = (before != Some(OWNER)).then_some(&b);
                stays_dead(&end, &destroyed, successor).await?;
                end.is_legal().await
            }
        });
    }
}

#[test]
fn a_login_and_a_change_of_owner() {
    for (before, given) in [
        (None, OWNER),
        (None, OTHER),
        (Some(OTHER), OWNER),
        (Some(OWNER), OTHER),
    ] {
        let name = format!("login of {before:?} x give to {given}");
        explore(&name, &Explorer::new().crashes(1), async |simulation| {
            let mut stage = Stage::owned_by(simulation, before).await;
            let (b, _) = (stage.login("b", OTHER), stage.give("g", given));
            let end = stage.end().after_changing_hands();
            async move || {
                // The data is that of the first owner, who gives it to the next.
                if let Some(b) = ok(&b) {
                    ensure(!end.works(&end.a).await, "the known id survives a login")?;
                    if end.works(&b).await {
                        let owner = end.owner(&b).await;
                        ensure(owner.as_deref() == Some(OTHER), "not the owner's")?;
                    }
                }
                end.is_legal().await
            }
        });
    }
}

#[test]
fn a_login_when_steps_fail() {
    for before in BEFORE {
        let name = format!("login of {before:?}, failures");
        let explorer = Explorer::new().failures(1 + more(1)).crashes(1);
        explore(&name, &explorer, async |simulation| {
            let mut stage = Stage::owned_by(simulation, before).await;
            let (b, _) = (stage.login("b", OTHER), stage.update("u"));
            let end = stage.end().after_changing_hands().after_failures();
            async move || {
                is_safe(&end, &b, OTHER).await?;
                end.is_legal().await
            }
        });
    }
}
