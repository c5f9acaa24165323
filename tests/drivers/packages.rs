//! Packages of other languages, each in a folder of the build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

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

/// The program of the package in this folder of the tests; why it cannot be built otherwise. Its dependencies are not those of this
/// package, and are built once.
pub(crate) fn built(folder: &str) -> Result<PathBuf, String> {
    let _turn = TURN.lock().unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers").join(folder).join("Cargo.toml");
    let mut cargo = Command::new("timeout");
    cargo.args(["900", env!("CARGO"), "build", "--quiet", "--locked", "--manifest-path"]).arg(manifest);
    run(cargo.arg("--target-dir").arg(&target))?;
    Ok(target.join("debug").join(folder.replace('_', "-")))
}

/// The folder of `package`, which `install` fills unless that has been done.
fn installed(
    language: &str,
    package: &str,
    install: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let _turn = TURN.lock().unwrap();
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
    command.arg("120").arg(program);
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
