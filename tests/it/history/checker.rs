//! Which histories keep the promises.

use std::collections::HashMap;

use super::event::{Did, Event, Fate, Id, Seen, Writer};

/// What is known of one session once the whole history is.
#[derive(Debug, Default)]
struct Life {
    /// When it was acknowledged, and began to be created.
    created: Option<(u64, u64)>,
    owner: Option<usize>,
    /// The session that it was rotated from.
    parent: Option<Id>,
    /// From when on no read may show it, and why.
    dead: Option<(u64, String)>,
    /// When something began that may end it.
    threatened: Option<u64>,
    updates: Vec<Update>,
}

#[derive(Clone, Copy, Debug)]
struct Update {
    writer: Writer,
    number: u64,
    start: u64,
    end: u64,
    fate: Fate,
}

impl Life {
    fn dies(&mut self, at: u64, why: &str) {
        if self.dead.as_ref().is_none_or(|(earlier, _)| at < *earlier) {
            self.dead = Some((at, format!("{why} that ended at {at}")));
        }
    }

    fn is_threatened(&mut self, from: u64) {
        let earlier = self.threatened.get_or_insert(from);
        *earlier = from.min(*earlier);
    }
}

/// Checks every read against everything else, and says what is wrong with the first bad one:
///
/// - a session that was destroyed, alone or with all of its owner's, or rotated away, or was seen
///   to be gone, is not read any more once that is known, nor is what a rotation makes of it
///   while all of its owner's are destroyed;
/// - an acknowledged session that nobody has begun to end is there;
/// - a read shows every update that was acknowledged before it began, on this session or the
///   one it was rotated from, or a later one of the same writer;
/// - and nothing that was never written, was refused, or was written after the read.
pub(super) fn check(history: &[Event]) -> Result<(), String> {
    let lives = lives(history);
    for event in history {
        let Did::Read { id, seen } = &event.did else {
            continue;
        };
        let verdict = match seen {
            Seen::Unknown => Ok(()),
            Seen::Dead => may_be_dead(&lives, *id, event),
            Seen::Active(values) => {
                may_be_active(&lives[id], event).and_then(|()| may_show(&lives, *id, values, event))
            }
        };
        verdict
            .map_err(|why| format!("session {id}: {why}\n  {event:?}\n{}", story(history, *id)))?;
    }
    Ok(())
}

/// What the history tells of each session.
fn lives(history: &[Event]) -> HashMap<Id, Life> {
    let mut lives: HashMap<Id, Life> = HashMap::new();
    for event in history {
        add(&mut lives, event);
    }
    inherit(&mut lives);
    destroy_alls(history, &mut lives);
    lives
}

/// Adds what one event says about its session.
fn add(lives: &mut HashMap<Id, Life>, event: &Event) {
    let (start, end) = (event.start, event.end);
    match &event.did {
        Did::Create { id, owner } => {
            let life = lives.entry(*id).or_default();
            life.created = Some((start, end));
            life.owner = Some(*owner);
        }
        Did::Read { id, seen } => {
            if *seen == Seen::Dead {
                lives.entry(*id).or_default().dies(end, "a read of nothing");
            }
        }
        Did::Update { id, number, fate } => {
            lives.entry(*id).or_default().updates.push(Update {
                writer: event.writer,
                number: *number,
                start,
                end,
                fate: *fate,
            });
        }
        Did::Rotate { id, to, fate } => {
            end_life(lives, *id, event, *fate, "a rotation");
            if let Some(to) = to {
                let child = lives.entry(*to).or_default();
                child.parent = Some(*id);
                child.created = Some((start, end));
            }
        }
        Did::Destroy { id, fate } => end_life(lives, *id, event, *fate, "a destroy"),
        Did::DestroyAll { .. } => {}
    }
}

fn end_life(lives: &mut HashMap<Id, Life>, id: Id, event: &Event, fate: Fate, cause: &'static str) {
    let life = lives.entry(id).or_default();
    life.is_threatened(event.start);
    if fate == Fate::Done {
        life.dies(event.end, cause);
    }
}

/// A session that was rotated has the owner of the one before it.
fn inherit(lives: &mut HashMap<Id, Life>) {
    let ids: Vec<Id> = lives.keys().copied().collect();
    for id in ids {
        let first = lineage(lives, id).last();
        let owner = first.and_then(|first| lives[&first].owner);
        lives.get_mut(&id).expect("known").owner = owner;
    }
}

/// The session itself, the one it was rotated from, and so on.
fn lineage(lives: &HashMap<Id, Life>, id: Id) -> impl Iterator<Item = Id> {
    std::iter::successors(Some(id), |id| lives[id].parent)
}

fn destroy_alls(history: &[Event], lives: &mut HashMap<Id, Life>) {
    for event in history {
        let Did::DestroyAll { owner, fate } = &event.did else {
            continue;
        };
        let of_owner = |id: &Id| lives[id].owner == Some(*owner);
        let ids: Vec<Id> = lives.keys().copied().filter(of_owner).collect();
        for id in ids {
            // A rotation under way takes nothing past it: what comes of a session ends with it.
            let caught = lineage(lives, id)
                .filter_map(|id| lives[&id].created)
                .any(|(_, acknowledged)| acknowledged < event.start);
            let life = lives.get_mut(&id).expect("known");
            let Some((began, _)) = life.created else {
                continue;
            };
            // One that is unknown may come at any time; what was over before cannot.
            if *fate == Fate::Unknown || event.end > began {
                life.is_threatened(event.start);
            }
            if *fate == Fate::Done && caught {
                life.dies(event.end, "a destroy of all");
            }
        }
    }
}

fn may_be_active(life: &Life, read: &Event) -> Result<(), String> {
    match &life.dead {
        Some((at, why)) if *at < read.start => Err(format!("alive again after {why}")),
        _ => Ok(()),
    }
}

fn may_be_dead(lives: &HashMap<Id, Life>, id: Id, read: &Event) -> Result<(), String> {
    let life = &lives[&id];
    let acknowledged = life.created.is_some_and(|(_, end)| end < read.start);
    let threatened = life.threatened.is_some_and(|from| from < read.end);
    if acknowledged && !threatened {
        return Err("lost, and nobody had begun to end it".to_owned());
    }
    Ok(())
}

fn may_show(
    lives: &HashMap<Id, Life>,
    id: Id,
    values: &std::collections::BTreeMap<Writer, u64>,
    read: &Event,
) -> Result<(), String> {
    let updates: Vec<Update> = lineage(lives, id)
        .flat_map(|id| lives[&id].updates.iter().copied())
        .collect();
    for update in &updates {
        let shown = values.get(&update.writer).copied().unwrap_or(0);
        let acknowledged = update.fate == Fate::Done && update.end < read.start;
        if acknowledged && shown < update.number {
            return Err(format!("{shown} is shown after {update:?}"));
        }
    }
    for (writer, shown) in values {
        let written = updates.iter().any(|update| {
            (update.writer, update.number) == (*writer, *shown)
                && update.fate != Fate::Refused
                && update.start < read.end
        });
        if !written {
            return Err(format!("nobody had written {shown} of writer {writer}"));
        }
    }
    Ok(())
}

/// All that concerns one session and its lineage, for whoever has to find out.
fn story(history: &[Event], id: Id) -> String {
    let lives = lives(history);
    let ids: Vec<Id> = lineage(&lives, id).collect();
    let owner = lives[&id].owner;
    let concerns = |event: &&Event| match &event.did {
        Did::Create { id, .. }
        | Did::Read { id, .. }
        | Did::Update { id, .. }
        | Did::Rotate { id, .. }
        | Did::Destroy { id, .. } => ids.contains(id),
        Did::DestroyAll { owner: of, .. } => Some(*of) == owner,
    };
    let lines = history
        .iter()
        .filter(concerns)
        .map(|event| format!("  {event:?}\n"));
    lines.collect()
}
