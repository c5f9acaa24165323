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
    /// What clients of each door are given to connect.
    #[allow(dead_code, reason = "not every user of this file needs it")]
    pub(crate) urls: Vec<String>,
    /// The port of the first door; 0 where that is a unix socket.
    pub(crate) port: u16,
}

impl Served {
    /// Starts `larder serve` at a free port with more `arguments`, and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(&[&["--redis", ":0"], arguments].concat())
    }

    /// The same with no other arguments than these.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let mut command = larder(&["serve"]);
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
        let urls: Vec<String> = std::iter::from_fn(|| Some(next()).filter(|line| line != "ready")).collect();
        let port = urls.first().and_then(|url| url.split_once("://127.0.0.1:")).map(|(_, rest)| rest);
        let port = port.map_or(0, |rest| rest.split('/').next().unwrap().parse().unwrap());
        Self { process, urls, port }
    }

    /// The next line that it logs which has `words`.
    #[allow(dead_code, reason = "not every user of this file needs it")]
    #[allow(clippy::unbuffered_bytes, reason = "what comes behind the line stays there")]
    pub(crate) fn logged(&mut self, words: &str) -> String {
        let mut line = Vec::new();
        let error = self.process.stderr.as_mut().unwrap();
        // Byte by byte, so that what comes behind it stays there.
        for byte in error.bytes().map(Result::unwrap) {
            if byte != b'\n' {
                line.push(byte);
            } else if String::from_utf8_lossy(&line).contains(words) {
                return String::from_utf8(line).unwrap();
            } else {
                line.clear();
            }
        }
        panic!("the program has ended without a line that has {words:?}");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    /// Sends it a signal, and waits for its end. Returns what it wrote to standard error, too.
    pub(crate) fn end(self, signal: &str) -> (ExitStatus, String) {
        self.signal(signal);
        self.ended()
    }

    /// Waits for its end. Returns what it wrote to standard error, too.
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
