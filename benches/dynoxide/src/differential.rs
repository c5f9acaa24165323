//! Random requests to both, in episodes that each begin with nothing.

use std::collections::BTreeMap;
use std::process::ExitCode;

use crate::compare::{Compared, Outcome, ask, compare};
use crate::explained;
use crate::generate::{Asked, Generator};
use crate::sides::{Dynoxide, Larder};

/// After so many requests both begin again.
const EPISODE_REQUESTS: usize = 200;

pub struct Options {
    pub requests: u64,
    pub seed: u64,
    /// The only episode to run, which is then written out.
    pub episode: Option<u64>,
    /// How many examples of each kind are shown.
    pub samples: usize,
}

/// A kind of difference: how often there was one, and some of them.
#[derive(Default)]
struct Kind {
    count: u64,
    samples: Vec<String>,
}

#[derive(Default)]
struct Report {
    asked: BTreeMap<&'static str, u64>,
    failed: u64,
    reordered: u64,
    explained: BTreeMap<&'static str, u64>,
    kinds: BTreeMap<String, Kind>,
}

/// Runs, prints what differed, and fails if any of it is not explained.
pub fn run(options: &Options) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut report = Report::default();
    let mut left = options.requests;
    for episode in options.episode.unwrap_or(0).. {
        left = left.saturating_sub(run_episode(&runtime, options, episode, &mut report));
        if left == 0 || options.episode.is_some() {
            break;
        }
    }
    print(&report);
    if report.kinds.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_episode(runtime: &tokio::runtime::Runtime, options: &Options, episode: u64, report: &mut Report) -> u64 {
    let (mut larder, mut dynoxide) = (Larder::new(), Dynoxide::new(runtime));
    let (mut generator, definitions) = Generator::new(options.seed.wrapping_mul(1_000_003).wrapping_add(episode));
    let mut definitions = definitions.into_iter();
    let mut count = 0;
    for at in 0..EPISODE_REQUESTS {
        let asked = definitions.next().unwrap_or_else(|| generator.next());
        let outcomes = [ask(&mut larder, &asked), ask(&mut dynoxide, &asked)];
        count += 1;
        *report.asked.entry(asked.operation).or_default() += 1;
        report.failed += u64::from(matches!(outcomes[0], Outcome::Failed(_)));
        if options.episode.is_some() {
            println!(
                "{at} {} {}\n  larder   {:?}\n  dynoxide {:?}",
                asked.operation, asked.body, outcomes[0], outcomes[1]
            );
        }
        match compare(&asked, &outcomes[0], &outcomes[1]) {
            Compared::Same => continue,
            Compared::Reordered => report.reordered += 1,
            Compared::Different(difference) => {
                if let Some(reason) = explained::reason(&asked, &difference.said) {
                    *report.explained.entry(reason).or_default() += 1;
                } else {
                    let [larder, dynoxide] = &difference.said;
                    let kind = report.kinds.entry(kind(asked.operation, &difference.said)).or_default();
                    kind.count += 1;
                    if kind.samples.len() < options.samples {
                        let place = format!("episode {episode} at {at}");
                        kind.samples
                            .push(format!("{place}: {}\n    larder   {larder}\n    dynoxide {dynoxide}", asked.body));
                    }
                }
                if may_part(&asked, &outcomes) {
                    break;
                }
            }
        }
    }
    count
}

/// Whether the two may have different contents from now on.
fn may_part(asked: &Asked, outcomes: &[Outcome; 2]) -> bool {
    let is_read = matches!(
        asked.operation,
        "GetItem"
            | "BatchGetItem"
            | "TransactGetItems"
            | "Query"
            | "Scan"
            | "ListTables"
            | "DescribeTable"
            | "DescribeTimeToLive"
    );
    let done = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Done(_))).count();
    // What is said of a table that both have made says nothing about items.
    if asked.operation == "CreateTable" { done == 1 } else { !is_read && done > 0 }
}

/// What differences of one kind have in common: numbers, names and values aside.
fn kind(operation: &str, said: &[String; 2]) -> String {
    let [larder, dynoxide] = said.each_ref().map(|text| outline(text));
    format!("{operation}\n  larder:   {larder}\n  dynoxide: {dynoxide}")
}

fn outline(text: &str) -> String {
    let mut outline = String::new();
    let mut quote = None;
    let mut last = ' ';
    for letter in text.chars().take(400) {
        if let Some(end) = quote {
            if letter == end {
                quote = None;
                outline.push(letter);
            }
            continue;
        }
        match letter {
            '\'' if !last.is_alphanumeric() => quote = Some('\''),
            '"' => quote = Some('"'),
            '[' => quote = Some(']'),
            '{' => quote = Some('}'),
            _ => {}
        }
        if !(letter.is_ascii_digit() && last.is_ascii_digit()) {
            outline.push(if letter.is_ascii_digit() { '0' } else { letter });
        }
        last = letter;
    }
    outline
}

fn print(report: &Report) {
    let mut kinds: Vec<_> = report.kinds.iter().collect();
    kinds.sort_by_key(|(_, kind)| std::cmp::Reverse(kind.count));
    for (name, kind) in kinds {
        println!("{} × {name}", kind.count);
        for sample in &kind.samples {
            println!("    {sample}");
        }
    }
    let total: u64 = report.asked.values().sum();
    println!(
        "{total} requests, of which {} failed, {} in another order where none is promised",
        report.failed, report.reordered
    );
    for (operation, count) in &report.asked {
        println!("  {operation} {count}");
    }
    println!("explained differences: {}", report.explained.values().sum::<u64>());
    for (reason, count) in &report.explained {
        println!("  {count} × {reason}");
    }
    let unexplained: u64 = report.kinds.values().map(|kind| kind.count).sum();
    println!("unexplained differences: {unexplained}, of {} kinds", report.kinds.len());
}
