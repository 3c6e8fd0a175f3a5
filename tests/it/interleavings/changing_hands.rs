//! A session that is given to another owner.

use super::*;

#[test]
fn changing_hands_and_destroy_all_of_the_new_owner() {
    explore(
        "give x all of the new owner",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (given, all) = (stage.give("g", OTHER), stage.destroy_all_of("all", OTHER));
            let end = stage.end().after_changing_hands();
            async move || {
                let before = given.precedes(&all) && ok(&given).is_some() && ok(&all).is_some();
                ensure(
                    !before || !end.works(&end.a).await,
                    "a session survives destroy_all of its owner",
                )?;
                if !given.has_returned() {
                    end.is_used().await;
                }
                end.is_legal().await
            }
        },
    );
}

#[test]
fn changing_hands_and_destroy_all_of_the_old_owner() {
    explore(
        "give x all of the old owner",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (given, all) = (stage.give("g", OTHER), stage.destroy_all("all"));
            let end = stage.end().after_changing_hands();
            async move || {
                if ok(&all).is_some() && end.works(&end.a).await {
                    ensure(
                        end.owner(&end.a).await.as_deref() == Some(OTHER),
                        "a survives destroy_all",
                    )?;
                }
                let _ = &given;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn changing_hands_and_an_update() {
    explore("give x update", &Explorer::new(), async |simulation| {
        let mut stage = Stage::new(simulation).await;
        let (given, updated) = (stage.give("g", OTHER), stage.update("u"));
        let end = stage.end().after_changing_hands();
        async move || {
            let owner = end.owner(&end.a).await;
            ensure(
                ok(&given).is_none() || owner.as_deref() == Some(OTHER),
                "the new owner is lost",
            )?;
            ensure(
                ok(&updated).is_none() || end.has(&end.a, "u").await,
                "an update is lost",
            )?;
            end.is_legal().await
        }
    });
}

#[test]
fn changing_hands_and_a_touch() {
    explore("give x touch", &Explorer::new(), async |simulation| {
        let mut stage = Stage::new(simulation).await;
        let given = stage.give("g", OTHER);
        stage.touch("t");
        let end = stage.end().after_changing_hands();
        async move || {
            let owner = end.owner(&end.a).await;
            ensure(
                ok(&given).is_none() || owner.as_deref() == Some(OTHER),
                "the new owner is lost",
            )?;
            end.is_legal().await
        }
    });
}

#[test]
fn changing_hands_and_a_rotation() {
    explore(
        "give x rotate",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (given, rotated) = (stage.give("g", OTHER), stage.rotate("b"));
            let end = stage.end().after_changing_hands();
            async move || {
                if let (Some(()), Some(b)) = (ok(&given), ok(&rotated)) {
                    ensure(
                        end.owner(&b).await.as_deref() == Some(OTHER),
                        "the new owner is lost",
                    )?;
                }
                end.is_legal().await
            }
        },
    );
}

#[test]
fn changing_hands_and_destroy() {
    explore("give x destroy", &Explorer::new(), async |simulation| {
        let mut stage = Stage::new(simulation).await;
        let destroyed = stage.destroy("d");
        stage.give("g", OTHER);
        let end = stage.end().after_changing_hands();
        async move || {
            stays_dead(&end, &destroyed, None).await?;
            end.is_legal().await
        }
    });
}

#[test]
fn changing_hands_and_back() {
    explore("give x give back", &Explorer::new(), async |simulation| {
        let mut stage = Stage::new(simulation).await;
        stage.give("g", OTHER);
        stage.give("h", OWNER);
        let end = stage.end().after_changing_hands();
        async move || end.is_legal().await
    });
}

#[test]
fn changing_hands_twice() {
    explore("give x give", &Explorer::new(), async |simulation| {
        let mut stage = Stage::new(simulation).await;
        stage.give("g", OTHER);
        stage.give("h", OTHER);
        let end = stage.end().after_changing_hands();
        async move || end.is_legal().await
    });
}

#[test]
fn a_login_and_destroy_all_of_the_new_owner() {
    explore(
        "login x all of the new owner",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::owned_by(simulation, None).await;
            let (b, all) = (
                stage.rotate_to("b", OTHER),
                stage.destroy_all_of("all", OTHER),
            );
            let end = stage.end().after_changing_hands();
            async move || {
                if b.precedes(&all)
                    && let (Some(b), Some(_)) = (ok(&b), ok(&all))
                {
                    ensure(
                        !end.works(&b).await,
                        "a session survives destroy_all of its owner",
                    )?;
                }
                end.is_legal().await
            }
        },
    );
}

#[test]
fn a_login_of_another_and_destroy_all_of_the_old_owner() {
    explore(
        "login of another x all",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (b, all) = (stage.rotate_to("b", OTHER), stage.destroy_all("all"));
            let end = stage.end().after_changing_hands();
            async move || {
                ensure(
                    ok(&all).is_none() || !end.works(&end.a).await,
                    "a survives destroy_all",
                )?;
                let _ = &b;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn a_login_and_an_update() {
    explore(
        "login x update",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (b, updated) = (stage.rotate_to("b", OTHER), stage.update("u"));
            let end = stage.end().after_changing_hands();
            async move || {
                is_kept(&end, "u", &updated, &b).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn two_logins_have_one_winner() {
    explore(
        "login x login",
        &Explorer::new().crashes(1),
        async |simulation| {
            let mut stage = Stage::owned_by(simulation, None).await;
            let rotations = [stage.rotate_to("b", OTHER), stage.rotate_to("c", OWNER)];
            let end = stage.end().after_changing_hands();
            async move || {
                let winners = rotations.iter().filter_map(ok).count();
                ensure(winners <= 1, "two winners")?;
                if end.is_calm() {
                    ensure(winners == 1, "no winner")?;
                    ensure(!end.works(&end.a).await, "the old session works")?;
                }
                end.is_legal().await
            }
        },
    );
}
