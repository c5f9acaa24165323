//! Packages of other languages, each in a folder of the build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// How long a program may take, in seconds, before it counts as one that hangs: others are compiled beside it.
pub(crate) const PATIENCE: &str = "600";

/// Tests run side by side, and may want the same package.
static TURN: Mutex<()> = Mutex::new(());

/// A Python with `package`; why there is none otherwise.
pub(crate) fn python_with(package: &str) -> Result<PathBuf, String> {
    let folder = installed("python", package, |folder| {
        run(command("python3").args(["-m", "venv"]).arg(folder))?;
        run(command(folder.join("bin/python")).args(["-m", "pip", "install", "--quiet", package]))
    })?;
    Ok(folder.join("bin/python"))
}

/// A folder in which node finds `package`; why there is none otherwise.
pub(crate) fn node_with(package: &str) -> Result<PathBuf, String> {
    installed("node", package, |folder| {
        run(command("node").arg("--version"))?;
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        run(command("npm").args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(folder).arg(package))
    })
}

/// The program of the package in this folder of the tests; why its crates cannot be had otherwise. They are not those of this
/// package, and are built once.
///
/// # Panics
/// When it does not compile, or its lock file is not up to date.
pub(crate) fn built(folder: &str) -> Result<PathBuf, String> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers").join(folder).join("Cargo.toml");
    let cargo = |command: &str| {
        let mut cargo = Command::new("timeout");
        cargo.args(["900", env!("CARGO"), command, "--quiet", "--locked", "--manifest-path"]).arg(&manifest);
        // Some package brings a file that names a toolchain, which whoever starts `rustc` by its name would ask for.
        let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
        if rustc.exists() {
            cargo.env("RUSTC", rustc);
        }
        cargo
    };
    run(&mut cargo("fetch")).inspect_err(|reason| assert!(!reason.contains("--locked"), "{reason}"))?;
    let output = cargo("build").arg("--target-dir").arg(&target).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(target.join("debug").join(folder.replace('_', "-")))
}

/// The folder of `package`, which `install` fills unless that has been done.
fn installed(
    language: &str,
    package: &str,
    install: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{language}-{package}"));
    let done = folder.join("installed");
    if !done.exists() {
        install(&folder)?;
        std::fs::write(done, "").map_err(|error| error.to_string())?;
    }
    Ok(folder)
}

/// A command that is ended when it takes too long.
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.arg(PATIENCE).arg(program);
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
