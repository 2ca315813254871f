//! The commands that are clients of a running server, as a user runs them.

mod exports;
mod manage;
mod query;
mod write;

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::server::{NAME, Server, TOKEN};

/// The command's output, with the server and the operator token in its environment.
fn headwater(server: &Server, args: &[&str]) -> Ran {
    headwater_with(&server.url, args, "")
}

/// As [`headwater`] with a standard input.
fn headwater_with(host: &str, args: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(args)
        .env("HEADWATER_HOST", host)
        .env("HEADWATER_TOKEN", TOKEN)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = input.to_owned();
    // A command that does not read it may be gone.
    let feed = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("the command ends");
    feed.join().expect("no panic");
    Ran::of(output)
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn new(code: i32, out: &str, err: &str) -> Self {
        Self {
            code: Some(code),
            out: out.to_owned(),
            err: err.to_owned(),
        }
    }

    /// Its output, where it must have succeeded without a word on standard error.
    #[track_caller]
    fn good(self) -> String {
        assert_eq!(
            (self.code, self.err.as_str()),
            (Some(0), ""),
            "{}",
            self.out
        );
        self.out
    }
}

/// All points of the bucket of [`NAME`].
fn exported(server: &Server) -> String {
    headwater(server, &["export", "--bucket", NAME]).good()
}

/// A file in `dir`; its path as an argument.
fn file(dir: &Path, name: &str, content: &[u8]) -> String {
    let path = dir.join(name);
    std::fs::write(&path, content).expect("a file can be written");
    path.to_str().expect("UTF-8").to_owned()
}
