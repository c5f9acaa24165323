//! Unmodified drivers of other languages against the doors.
//!
//! Packages come from their registry into a folder of the build; when they cannot be had, the test says that it was skipped.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};

/// A Python with `packages`; why there is none otherwise.
fn python_with(packages: &[&str]) -> Result<PathBuf, String> {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{}", packages.join("-")));
    let python = environment.join("bin/python");
    let done = environment.join("installed");
    if done.exists() {
        return Ok(python);
    }
    let run = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    std::fs::write(done, "").map_err(|error| error.to_string())?;
    Ok(python)
}

/// Runs a script of this folder with the port of the door.
fn run(python: &Path, script: &str, port: u16) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers").join(script);
    // A driver that waits for ever is killed, and says so by its status.
    Command::new("timeout").arg("60").arg(python).arg(script).arg(port.to_string()).output().unwrap()
}

#[test]
fn redis_py_finds_what_it_expects() {
    let python = match python_with(&["redis"]) {
        Ok(python) => python,
        Err(reason) => return println!("skipped: redis-py cannot be had: {reason}"),
    };
    let store = Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let output = run(&python, "redis_py.py", server.address().port());
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{error}");
    assert!(out.contains("every pattern works"), "{out}{error}");
    assert_eq!(store.kv().get("from-python").unwrap().as_deref(), Some(&b"hello"[..]), "the door is to this store");
}
