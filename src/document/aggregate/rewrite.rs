//! Rewrites: stages that do the same with less work.
//!
//! Each rewrite looks at two neighbours. They are tried from front to back until none applies.

use super::stage::Stage;

/// Rounds over a pipeline, at most: a stage moves by one place in each.
const ROUNDS_MAX: usize = 2_000;

/// The stages of a pipeline, rewritten.
pub(super) fn stages(stages: Vec<Stage>) -> Vec<Stage> {
    let mut stages = stages;
    for _ in 0..ROUNDS_MAX {
        let (rewritten, is_changed) = round(stages);
        stages = rewritten;
        if !is_changed {
            break;
        }
    }
    stages
}

/// Goes over all neighbours once. Returns whether anything was rewritten.
fn round(stages: Vec<Stage>) -> (Vec<Stage>, bool) {
    let mut done: Vec<Stage> = Vec::with_capacity(stages.len());
    let mut is_changed = false;
    for next in stages {
        let Some(last) = done.pop() else {
            done.push(next);
            continue;
        };
        let (pair, changed) = pair(last, next);
        is_changed |= changed;
        done.extend(pair);
    }
    (done, is_changed)
}

/// What takes the place of two neighbours, and whether that is something else.
fn pair(first: Stage, second: Stage) -> (Vec<Stage>, bool) {
    match (first, second) {
        (Stage::Match { filter, text }, Stage::Match { filter: other, text: other_text }) => {
            let both = bson::doc! { "$and": [text, other_text] };
            (vec![Stage::Match { filter: filter.and(other), text: both }], true)
        }
        (Stage::Limit(first), Stage::Limit(second)) => (vec![Stage::Limit(first.min(second))], true),
        (Stage::Skip(first), Stage::Skip(second)) => (vec![Stage::Skip(first.saturating_add(second))], true),
        // Filtering first gives the same documents in the same order.
        (sort @ Stage::Sort { .. }, condition @ Stage::Match { .. }) => (vec![condition, sort], true),
        (Stage::Project(projection), Stage::Match { filter, text }) => {
            let mut written = Vec::new();
            let keeps_rest = projection.each_written(&mut |name| written.push(name.to_owned()));
            let mut is_free = keeps_rest;
            let reads_paths_only = filter.each_path(&mut |path| {
                let first = path.split('.').next().unwrap_or(path);
                is_free &= written.iter().all(|name| name != first);
            });
            let (projection, condition) = (Stage::Project(projection), Stage::Match { filter, text });
            if is_free && reads_paths_only {
                (vec![condition, projection], true)
            } else {
                (vec![projection, condition], false)
            }
        }
        (first, second) => (vec![first, second], false),
    }
}
