//! The end of all sessions of an owner.

use super::*;

#[test]
fn destroy_all_create_and_rotate_with_a_crash() {
    explore(
        "all x create x rotate",
        &Explorer::new().crashes(1 + more(1)),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (all, new) = (stage.destroy_all("all"), stage.create("n"));
            let rotated = stage.rotate("b");
            let end = stage.end();
            async move || {
                all_are_gone(&end, &all, Some(&new), Some(&rotated)).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn two_destroy_alls_and_create() {
    explore(
        "all x all x create",
        &Explorer::new().crashes(more(1)),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let all = [stage.destroy_all("A"), stage.destroy_all("B")];
            let new = stage.create("n");
            let end = stage.end();
            async move || {
                for all in &all {
                    all_are_gone(&end, all, Some(&new), None).await?;
                }
                end.is_legal().await
            }
        },
    );
}

#[test]
fn two_destroy_alls_with_a_crash() {
    explore(
        "all x all",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            stage.issue_before("z").await;
            let all = [stage.destroy_all("A"), stage.destroy_all("B")];
            let end = stage.end();
            async move || {
                for all in &all {
                    all_are_gone(&end, all, None, None).await?;
                    let z = end.works(&id("z0")).await;
                    ensure(ok(all).is_none() || !z, "z survives destroy_all")?;
                }
                end.is_legal().await
            }
        },
    );
}

#[test]
fn destroy_all_rotate_and_update_with_crashes() {
    explore(
        "all x rotate x update",
        &Explorer::new().crashes(more(2)),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (all, rotated) = (stage.destroy_all("all"), stage.rotate("b"));
            let updated = stage.update("u");
            let end = stage.end();
            async move || {
                all_are_gone(&end, &all, None, Some(&rotated)).await?;
                is_kept(&end, "u", &updated, &rotated).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn destroy_all_and_rotate_with_crashes_and_drops() {
    explore(
        "all x rotate",
        &Explorer::new().crashes(2).drops(2),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (all, rotated) = (stage.destroy_all("all"), stage.rotate("b"));
            let end = stage.end();
            async move || {
                all_are_gone(&end, &all, None, Some(&rotated)).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn destroy_all_and_rotate_when_commands_fail() {
    explore(
        "all x rotate, failures",
        &Explorer::new().failures(1 + more(1)).crashes(more(1)),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (all, rotated) = (stage.destroy_all("all"), stage.rotate("b"));
            let end = stage.end().after_failures();
            async move || {
                all_are_gone(&end, &all, None, Some(&rotated)).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn destroy_all_and_create_when_commands_fail() {
    explore(
        "all x create, failures",
        &Explorer::new().failures(1 + more(1)).crashes(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (all, new) = (stage.destroy_all("all"), stage.create("n"));
            let end = stage.end().after_failures();
            async move || {
                all_are_gone(&end, &all, Some(&new), None).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn destroy_all_and_create_with_drops() {
    explore(
        "all x create, drops",
        &Explorer::new().crashes(2).drops(2),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (all, new) = (stage.destroy_all("all"), stage.create("n"));
            let end = stage.end();
            async move || {
                all_are_gone(&end, &all, Some(&new), None).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn touch_destroy_all_and_rotate() {
    explore(
        "touch x all x rotate",
        &Explorer::new().drops(more(1)).crashes(more(1)),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (all, rotated) = (stage.destroy_all("all"), stage.rotate("b"));
            stage.touch("t");
            let end = stage.end();
            async move || {
                all_are_gone(&end, &all, None, Some(&rotated)).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn touch_and_destroy_all_with_crashes_and_drops() {
    explore(
        "touch x all",
        &Explorer::new().crashes(2).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let all = stage.destroy_all("all");
            stage.touch("t");
            let end = stage.end();
            async move || {
                all_are_gone(&end, &all, None, None).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn a_list_finishes_what_a_destroy_all_left() {
    explore(
        "list x create x all, leftovers",
        &Explorer::new().crashes(more(1)),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            stage.destroy_all_is_cut_short().await;
            let (listed, new) = (stage.list("l"), stage.create("n"));
            let rotated = stage.rotate("b");
            let end = stage.end();
            async move || {
                if ok(&listed).is_some() {
                    ensure(
                        !end.works(&end.a).await,
                        "a list leaves what a destroy_all began",
                    )?;
                    ensure(ok(&rotated).is_none(), "a dying session is rotated")?;
                } else {
                    end.is_finished_by_a_list().await?;
                }
                ensure(
                    ok(&new).is_none() || end.works(&id("n0")).await,
                    "a list takes a new session",
                )?;
                end.is_legal().await
            }
        },
    );
}
