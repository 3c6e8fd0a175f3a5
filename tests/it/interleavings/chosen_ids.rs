//! Creations under one id.

use super::*;

#[test]
fn two_create_as_have_one_winner() {
    let explorer = Explorer::new().crashes(1).drops(1);
    explore("create_as x create_as", &explorer, async |simulation| {
        let mut stage = Stage::new(simulation).await;
        let created = stage.create_as(["n", "m"]);
        let end = stage.end();
        async move || {
            let won = created.iter().filter_map(ok).count();
            ensure(won < 2, "two have created one session")?;
            let lost = created
                .iter()
                .all(|did| matches!(did.value(), Some(Err(_))));
            ensure(!lost, "both have lost")?;
            end.is_legal().await
        }
    });
}

#[test]
fn two_create_as_when_commands_fail() {
    let explorer = Explorer::new().failures(1 + more(1)).crashes(more(1));
    explore(
        "create_as x create_as, failing",
        &explorer,
        async |simulation| {
            let mut stage = Stage::new(simulation).await;
            let created = stage.create_as(["n", "m"]);
            let end = stage.end().after_failures();
            async move || {
                let won = created.iter().filter_map(ok).count();
                ensure(won < 2, "two have created one session")?;
                let lives = end.works(&id("c")).await;
                ensure(won == 0 || lives, "what one has created another takes back")?;
                end.is_legal().await
            }
        },
    );
}

#[test]
fn destroy_all_and_create_as() {
    let explorer = Explorer::new().crashes(more(1));
    explore("destroy_all x create_as", &explorer, async |simulation| {
        let mut stage = Stage::new(simulation).await;
        let all = stage.destroy_all("all");
        let [created] = stage.create_as(["n"]);
        let end = stage.end();
        async move || {
            all_are_gone(&end, &all, None, None).await?;
            let before = created.precedes(&all) && ok(&created).is_some() && ok(&all).is_some();
            ensure(
                !before || !end.works(&id("c")).await,
                "an earlier session survives destroy_all",
            )?;
            end.is_legal().await
        }
    });
}
