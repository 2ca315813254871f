//! `headwater write`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
};

use flate2::{Compression, write::GzEncoder};

use super::{Ran, exported, file, headwater, headwater_with};
use crate::server::{NAME, Server};

const LINES: &str = "# comment\nm,t=a v=1 1\n\nm s=\"two\nlines\" 2\n";
const STORED: &str = "m s=\"two\nlines\" 2\nm,t=a v=1.0 1\n";

#[test]
fn files_and_standard_input_are_written_plain_or_packed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(b"n v=3i 3").expect("packs");
    let packed = packed.finish().expect("packs");
    let data = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(data.path());
    let plain = file(dir.path(), "plain.lp", LINES.as_bytes());
    let packed = file(dir.path(), "packed", &packed);
    let said = headwater(&server, &["write", "--database", NAME, &plain, &packed]).good();
    assert_eq!(said, "");
    assert_eq!(exported(&server), format!("{STORED}n v=3i 3\n"));
    let args = ["write", "--bucket", NAME, "--precision", "ms"];
    headwater_with(&server.url, &args, "o v=t -1").good();
    assert_eq!(
        exported(&server),
        format!("{STORED}n v=3i 3\no v=true -1000000\n")
    );
}

#[test]
fn lines_that_are_refused_are_named_and_the_others_are_written() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(data.path());
    let lines = "m v=1 1\nm v=\"a\nb\",w=1 2\nm v= 3\n\nm v=\"x\" 4\nm v=2 5\nm v\nm w=2i 6\n";
    let path = file(dir.path(), "bad.lp", lines.as_bytes());
    let ran = headwater(&server, &["write", "--bucket", NAME, &path]);
    let conflict = "failure writing points to database: partial write: field type conflict: input \
                    field \"v\" on measurement \"m\" is type string, already exists as type float \
                    dropped=2";
    let expected = format!(
        "headwater: {path}:4: unable to parse 'm v= 3': missing field value\n\
         headwater: {path}:8: unable to parse 'm v': invalid field format\n\
         headwater: {path}:2,6: {conflict}\n\
         headwater: 4 of 7 lines were refused, the others are written\n"
    );
    assert_eq!(ran, Ran::new(1, "", &expected));
    assert_eq!(exported(&server), "m v=1.0 1\nm v=2.0 5\nm w=2i 6\n");
}

#[test]
fn batches_are_cut_between_lines() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(data.path());
    let args = ["write", "--bucket", NAME, "--batch-size", "1"];
    headwater_with(&server.url, &args, LINES).good();
    assert_eq!(exported(&server), STORED);
}

#[test]
fn what_is_not_the_lines_fault_ends_the_command() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(data.path());
    let cases: [(&[&str], i32, &str); 5] = [
        (
            &["write"],
            1,
            "headwater: where to? give --database or --bucket\n",
        ),
        (
            &["write", "--bucket", "none"],
            1,
            "headwater: stdin: bucket \"none\" not found\n",
        ),
        (
            &["write", "--bucket", NAME, "/none/such"],
            1,
            "headwater: /none/such: cannot open /none/such: No such file or directory (os error 2)\n",
        ),
        (
            &["write", "--bucket", NAME, "--token", "wrong"],
            1,
            "headwater: stdin: unauthorized access (give --token or set HEADWATER_TOKEN; 1.x users: \
             --username and --password)\n",
        ),
        (
            &["write", "--bucket", NAME, "--precision", "m"],
            1,
            "headwater: stdin: invalid precision; valid precision units are ns, us, ms, and s\n",
        ),
    ];
    for (args, code, err) in cases {
        let ran = headwater_with(&server.url, args, "m v=1 1");
        assert_eq!(ran, Ran::new(code, "", err), "{args:?}");
    }
    let ran = headwater_with("http://127.0.0.1:1", &["write", "--bucket", NAME], "m v=1");
    assert_eq!(ran.code, Some(1));
    let start = "headwater: stdin: no answer from http://127.0.0.1:1: ";
    assert!(ran.err.starts_with(start), "{}", ran.err);
}

/// A server that answers one request after the other with `answers`, and tells the bodies.
fn scripted(answers: &'static [&'static str]) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, bodies) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a request");
                if line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let body = String::from_utf8(body).expect("UTF-8");
            sender.send(body).expect("the test waits");
            let answer = format!("HTTP/1.1 {answer}");
            stream.write_all(answer.as_bytes()).expect("an answer");
        }
    });
    (url, bodies)
}

#[test]
fn a_busy_server_gets_the_batch_again_and_a_large_batch_is_halved() {
    const BUSY: &str = "503 Service Unavailable\r\nRetry-After: 0\r\nConnection: close\r\n\
                        Content-Length: 26\r\n\r\n{\"message\":\"memtable full\"";
    const LIMITED: &str = "429 Too Many Requests\r\nRetry-After: 0\r\nConnection: close\r\n\
                           Content-Length: 4\r\n\r\nslow";
    const LARGE: &str = "413 Payload Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    const DONE: &str = "204 No Content\r\nConnection: close\r\n\r\n";
    let (url, bodies) = scripted(&[BUSY, LIMITED, LARGE, DONE, DONE]);
    let ran = headwater_with(&url, &["write", "-d", "x"], "a v=1\nb v=1\nc v=1");
    let bodies: Vec<String> = bodies.try_iter().collect();
    let whole = "a v=1\nb v=1\nc v=1\n";
    assert_eq!(bodies, [whole, whole, whole, "a v=1\n", "b v=1\nc v=1\n"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let said = "headwater: {\"message\":\"memtable full\"; again in 0ns\n\
                headwater: slow; again in 0ns\n";
    assert_eq!(ran.err, said);
}

#[test]
fn a_server_that_stays_busy_ends_the_command() {
    const BUSY: &str = "503 Service Unavailable\r\nRetry-After: 0\r\nConnection: close\r\n\
                        Content-Length: 4\r\n\r\nbusy";
    let (url, bodies) = scripted(&[BUSY, BUSY]);
    let args = ["write", "-d", "x", "--retries", "1"];
    let ran = headwater_with(&url, &args, "a v=1");
    assert_eq!(bodies.try_iter().count(), 2);
    let said = "headwater: busy; again in 0ns\nheadwater: stdin: busy\n";
    assert_eq!(ran, Ran::new(1, "", said));
}
