//! Creation, update, list, and the end of one session or of all others.

use super::*;

#[test]
fn destroy_others_keeps_the_one_and_no_other() {
    explore(
        "others x create",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            stage.issue_before("z").await;
            let (others, new) = (stage.destroy_others("others"), stage.create("n"));
            let end = stage.end();
            async move || {
                ensure(
                    end.works(&end.a).await,
                    "destroy_others took the one to keep",
                )?;
                if ok(&others).is_some() {
                    ensure(
                        !end.works(&id("z0")).await,
                        "another survives destroy_others",
                    )?;
                    let before = new.precedes(&others);
                    ensure(
                        !before || !end.works(&id("n0")).await,
                        "an earlier one survives destroy_others",
                    )?;
                }
                end.is_legal().await
            }
        },
    );
}

#[test]
fn two_updates_both_survive() {
    explore(
        "update x update",
        &Explorer::new().crashes(1).drops(1).failures(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (u, v) = (stage.update("u"), stage.update("v"));
            let end = stage.end().after_failures();
            async move || {
                let (u, v) = (ok(&u).is_some(), ok(&v).is_some());
                ensure(
                    !u || end.has(&end.a, "u").await,
                    "an acknowledged update is lost",
                )?;
                ensure(
                    !v || end.has(&end.a, "v").await,
                    "an acknowledged update is lost",
                )?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn two_updates_and_destroy() {
    explore(
        "update x update x destroy",
        &Explorer::new().crashes(more(1)).drops(more(1)),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (u, v) = (stage.update("u"), stage.update("v"));
            let destroyed = stage.destroy("d");
            let end = stage.end();
            async move || {
                stays_dead(&end, &destroyed, None).await?;
                if end.works(&end.a).await {
                    ensure(
                        ok(&u).is_none() || end.has(&end.a, "u").await,
                        "an acknowledged update is lost",
                    )?;
                    ensure(
                        ok(&v).is_none() || end.has(&end.a, "v").await,
                        "an acknowledged update is lost",
                    )?;
                }
                end.is_legal().await
            }
        },
    );
}

#[test]
fn a_create_that_crashes_leaves_no_record_unlisted() {
    explore(
        "create",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            stage.create("n");
            let end = stage.end();
            async move || {
                let listed = end.sessions.list(OWNER).await.unwrap().len();
                ensure(listed == end.store.len(), "a record is not listed")?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn create_and_destroy() {
    explore(
        "create x destroy",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let destroyed = stage.destroy("d");
            stage.create("n");
            let end = stage.end();
            async move || {
                stays_dead(&end, &destroyed, None).await?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn a_list_and_a_creation() {
    explore(
        "list x create",
        &Explorer::new().crashes(1).drops(1),
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let (listed, new) = (stage.list("l"), stage.create("n"));
            let end = stage.end();
            async move || {
                if let Some(shown) = ok(&listed) {
                    ensure(
                        shown.contains(&end.a),
                        "a list does not show a living session",
                    )?;
                    let before = new.precedes(&listed) && ok(&new).is_some();
                    ensure(
                        !before || shown.contains(&id("n0")),
                        "a later list does not show it",
                    )?;
                }
                end.is_legal().await
            }
        },
    );
}
