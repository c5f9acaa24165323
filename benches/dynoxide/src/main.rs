//! Larder's item tables beside Dynoxide, an emulator of the service on SQLite.
//!
//! ```sh
//! cd benches/dynoxide && cargo run -- differential                 # 100,000 random requests, some minutes
//! cd benches/dynoxide && cargo run -- differential --requests=1000 --seed=7 --episode=3
//! cd benches/dynoxide && cargo run --release -- speed              # operations in this process; 4 GB of memory
//! cd benches/dynoxide && cargo run --release -- doors              # servers, 16 connections
//! ```
//! `differential` sends the same bodies to both, compares the responses, and ends with exit code 0 only if each
//! difference is of a kind that is explained (`explained.rs`, `docs/compatibility/dynamodb.md`).

#![expect(clippy::unwrap_used, reason = "a program that compares stops at the first thing that it does not expect")]
#![expect(clippy::cast_precision_loss, reason = "figures to look at")]

mod compare;
mod differential;
mod doors;
mod explained;
mod generate;
mod http;
mod sides;
mod speed;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let prefix = format!("--{name}=");
        arguments.iter().find_map(|argument| argument.strip_prefix(&prefix)).map(|text| text.parse::<u64>().unwrap())
    };
    match arguments.first().map(String::as_str) {
        Some("differential") => differential::run(&differential::Options {
            requests: number("requests").unwrap_or(100_000),
            seed: number("seed").unwrap_or(1),
            episode: number("episode"),
            samples: usize::try_from(number("samples").unwrap_or(1)).unwrap(),
        }),
        Some("speed") => {
            speed::run(usize::try_from(number("items").unwrap_or(10_000_000)).unwrap());
            ExitCode::SUCCESS
        }
        Some("doors") => {
            doors::run();
            ExitCode::SUCCESS
        }
        Some("serve") => {
            doors::serve(arguments.get(1).map_or("larder", String::as_str));
            ExitCode::SUCCESS
        }
        Some("repeat") => {
            speed::repeat(&arguments[1], usize::try_from(number("turns").unwrap_or(1_000)).unwrap());
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("differential [--requests=N] [--seed=N] [--episode=N] [--samples=N], speed [--items=N], doors");
            ExitCode::FAILURE
        }
    }
}
