//! The program `larder serve` as a process of a test's own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// For how long a test waits for a line, or for the end of a process.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that serves. Dropping it kills it.
pub(crate) struct Served {
    process: Child,
    /// The port of the Redis door.
    pub(crate) port: u16,
}

impl Served {
    /// Starts `larder serve` at a free port with more `arguments`, and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = larder(&["serve", "--redis", ":0"]);
        command.args(arguments);
        Self::started(command)
    }

    /// As [`Served::start`], after the shell has run `limit`.
    #[allow(dead_code, reason = "not every user of this file needs it")]
    pub(crate) fn start_limited(limit: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limit}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_larder")]);
        command.args(["serve", "--redis", ":0"]).args(arguments);
        command.env_remove("LARDER_PASSWORD").stdin(Stdio::null()).stdout(Stdio::piped());
        Self::started(command)
    }

    fn started(mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut next = || match lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(error) => {
                let _ = process.kill();
                panic!("the program said nothing: {error}");
            }
        };
        let url = next();
        assert_eq!(next(), "ready");
        let port = url.strip_prefix("redis://127.0.0.1:").unwrap().parse().unwrap();
        Self { process, port }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    /// Sends it a signal, and waits for its end. Answers what it wrote to standard error, too.
    pub(crate) fn end(self, signal: &str) -> (ExitStatus, String) {
        self.signal(signal);
        self.ended()
    }

    /// Waits for its end. Answers what it wrote to standard error, too.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.process);
        let mut error = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        (status, error)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program with `arguments`, and nothing of this process's environment that it would heed.
pub(crate) fn larder(arguments: &[&str]) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_larder")));
    command.args(arguments).env_remove("LARDER_PASSWORD").stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Waits for the end of a process, which is killed if it does not come.
pub(crate) fn wait(process: &mut Child) -> ExitStatus {
    let start = larder::Stopwatch::start();
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > PATIENCE {
            let _ = process.kill();
            panic!("the program did not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
