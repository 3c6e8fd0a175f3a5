//! A new id for a session.

use super::*;

#[test]
fn two_rotations_have_one_winner() {
    explore(
        "rotate x rotate",
        &Explorer::new().crashes(2).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let rotations = [stage.rotate("b"), stage.rotate("c")];
            let end = stage.end();
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

#[test]
fn two_rotations_have_one_winner_without_an_owner() {
    explore(
        "rotate x rotate, unowned",
        &Explorer::new().crashes(2).drops(1),
        async |simulation| {
            let mut stage = Stage::owned_by(simulation, None).await;
            let rotations = [stage.rotate("b"), stage.rotate("c")];
            let end = stage.end();
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

#[test]
fn two_rotations_never_both_win_when_commands_fail() {
    explore(
        "rotate x rotate, failures",
        &Explorer::new().failures(1 + more(1)),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let rotations = [stage.rotate("b"), stage.rotate("c")];
            let end = stage.end().after_failures();
            async move || {
                ensure(rotations.iter().filter_map(ok).count() <= 1, "two winners")?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn rotate_destroy_and_update() {
    explore(
        "rotate x destroy x update",
        &Explorer::new().crashes(more(1)),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (rotated, destroyed) = (stage.rotate("b"), stage.destroy("d"));
            let updated = stage.update("u");
            let end = stage.end();
            async move || {
                stays_dead(&end, &destroyed, Some(&rotated)).await?;
                is_kept(&end, "u", &updated, &rotated).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn rotate_destroy_and_update_without_an_owner() {
    explore(
        "rotate x destroy x update, unowned",
        &Explorer::new().crashes(1),
        async |simulation| {
            let mut stage = Stage::owned_by(simulation, None).await;
            let (rotated, destroyed) = (stage.rotate("b"), stage.destroy("d"));
            let updated = stage.update("u");
            let end = stage.end();
            async move || {
                stays_dead(&end, &destroyed, Some(&rotated)).await?;
                is_kept(&end, "u", &updated, &rotated).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn rotate_and_destroy_when_commands_fail() {
    explore(
        "rotate x destroy, failures",
        &Explorer::new().failures(1 + more(1)).crashes(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (rotated, destroyed) = (stage.rotate("b"), stage.destroy("d"));
            let end = stage.end().after_failures();
            async move || {
                stays_dead(&end, &destroyed, Some(&rotated)).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn rotate_and_update_when_commands_fail() {
    explore(
        "rotate x update, failures",
        &Explorer::new().failures(1 + more(1)).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (rotated, updated) = (stage.rotate("b"), stage.update("u"));
            let end = stage.end().after_failures();
            async move || {
                is_kept(&end, "u", &updated, &rotated).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn destroy_others_and_rotate() {
    explore(
        "others x rotate",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            stage.issue_before("z").await;
            let (others, _) = (stage.destroy_others("others"), stage.rotate("b"));
            let end = stage.end();
            async move || {
                let z = id("z0");
                ensure(
                    ok(&others).is_none() || !end.works(&z).await,
                    "another survives destroy_others",
                )?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn a_list_and_a_rotation() {
    explore(
        "list x rotate",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (listed, rotated) = (stage.list("l"), stage.rotate("b"));
            let end = stage.end();
            async move || {
                if rotated.precedes(&listed)
                    && let (Some(b), Some(shown)) = (ok(&rotated), ok(&listed))
                {
                    ensure(
                        shown == [b],
                        "a later list does not show the successor alone",
                    )?;
                }
                end.is_legal().await
            }
        },
    );
}
