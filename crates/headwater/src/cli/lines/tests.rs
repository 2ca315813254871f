//! Lines of streams that are cut at every place, and batches.

use super::*;

/// All lines of `text` when it comes in pieces of `size` bytes.
fn lines_of(text: &str, size: usize) -> Vec<(u64, String)> {
    let mut lines = Lines::default();
    let mut found = Vec::new();
    let mut take = |lines: &mut Lines, rest| {
        while let Some(line) = lines.next(rest).unwrap() {
            let bytes = String::from_utf8_lossy(line.bytes).into_owned();
            found.push((line.number, bytes));
        }
    };
    for piece in text.as_bytes().chunks(size) {
        lines.push(piece);
        take(&mut lines, Rest::Follows);
    }
    take(&mut lines, Rest::Nothing);
    found
}

#[test]
fn lines_are_the_same_wherever_the_stream_is_cut() {
    let text = "a v=1 1\n\n# c\nb v=\"x\ny\\\"\n\",w=2 2\n\
                c\\\nd v=1\ne v=\"\\\\\" 3\r\n  f v=1\nlast v=\"open\n";
    let expected = [
        (1, "a v=1 1"),
        (2, ""),
        (3, "# c"),
        (4, "b v=\"x\ny\\\"\n\",w=2 2"),
        (7, "c\\\nd v=1"),
        (9, "e v=\"\\\\\" 3\r"),
        (10, "  f v=1"),
        (11, "last v=\"open\n"),
    ]
    .map(|(number, text)| (number, text.to_owned()));
    for size in 1..=text.len() {
        assert_eq!(lines_of(text, size), expected, "in pieces of {size}");
    }
}

#[test]
fn a_stream_that_pauses_gives_its_whole_lines() {
    let mut lines = Lines::default();
    lines.push(b"m v=1\n");
    assert_eq!(lines.next(Rest::Follows).unwrap(), None);
    assert_eq!(
        lines.next(Rest::Pauses).unwrap().unwrap().bytes,
        b"m v=1".as_slice()
    );
    for open in ["m v=\"a\n", "b\"\nm v", "=2"] {
        lines.push(open.as_bytes());
        if open == "b\"\nm v" {
            let line = lines.next(Rest::Pauses).unwrap().unwrap();
            assert_eq!((line.number, line.bytes), (2, b"m v=\"a\nb\"".as_slice()));
        }
        assert_eq!(lines.next(Rest::Pauses).unwrap(), None, "{open:?}");
    }
}

#[test]
fn a_line_without_an_end_is_an_error_and_not_all_of_memory() {
    let mut lines = Lines::default();
    lines.push(b"m v=1\nm v=\"");
    assert_eq!(lines.next(Rest::Follows).unwrap().unwrap().number, 1);
    for _ in 0..32 {
        assert_eq!(lines.next(Rest::Follows).unwrap(), None);
        lines.push(&vec![b'x'; 1 << 20]);
    }
    assert_eq!(
        lines.next(Rest::Follows).unwrap_err().to_string(),
        "line 2 does not end within 32 MiB; is a quote not closed?"
    );
}

#[test]
fn comments_and_blank_lines_are_no_points() {
    for line in ["", "  \t", "# a", "  # m v=1", "\0"] {
        assert!(!is_point(line.as_bytes()), "{line:?}");
    }
    for line in ["m v=1", " m v=1", "\\# v=1", "m#"] {
        assert!(is_point(line.as_bytes()), "{line:?}");
    }
}

#[test]
fn lines_of_a_batch_know_their_place_in_the_file() {
    let mut batch = Batch::default();
    for (number, bytes) in [(3, "a v=1"), (4, "b v=\"x\ny\""), (9, "c v=1")] {
        let bytes = bytes.as_bytes();
        batch.push(Line { number, bytes });
    }
    assert_eq!(batch.bytes(), b"a v=1\nb v=\"x\ny\"\nc v=1\n");
    let places = (1..=5).map(|number| batch.file_line(number));
    assert_eq!(
        places.collect::<Vec<_>>(),
        [Some(3), Some(4), Some(4), Some(9), None]
    );
    let [first, second] = batch.halves();
    assert_eq!(first.bytes(), b"a v=1\n");
    assert_eq!(second.file_line(3), Some(9));
}
