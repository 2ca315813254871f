use super::{Candidate, choose};

fn file(level: u32) -> Candidate {
    Candidate {
        bytes: 1000,
        level,
        is_hit: false,
    }
}

#[test]
fn few_files_are_left_alone() {
    assert_eq!(choose(&[file(0), file(0), file(0)], false), None);
}

#[test]
fn neighbours_of_one_level_are_merged() {
    let files = [file(1), file(0), file(0), file(0), file(0)];
    assert_eq!(choose(&files, false), Some(1..5));
}

#[test]
fn a_level_is_merged_into_the_next_when_it_is_full() {
    let files = [file(1), file(1), file(1), file(1), file(0)];
    assert_eq!(choose(&files, false), Some(0..5));
}

#[test]
fn lower_levels_come_first() {
    let mut files = vec![file(1); 4];
    files.extend(vec![file(0); 4]);
    assert_eq!(choose(&files, false), Some(4..8));
}

#[test]
fn large_files_are_not_merged_any_further() {
    let large = Candidate {
        bytes: 200 << 20,
        level: 2,
        is_hit: false,
    };
    assert_eq!(choose(&[large; 6], false), None);
}

#[test]
fn late_points_do_not_rewrite_a_large_file() {
    let large = Candidate {
        bytes: 13_000,
        ..file(2)
    };
    assert_eq!(choose(&[large, file(0), file(0), file(0)], false), None);
    let files = [large, file(0), file(0), file(0), file(0)];
    assert_eq!(choose(&files, false), Some(1..5));
}

#[test]
fn a_file_with_deleted_rows_is_rewritten() {
    let hit = Candidate {
        is_hit: true,
        ..file(3)
    };
    assert_eq!(choose(&[file(0), hit, file(0)], false), Some(1..2));
}

#[test]
fn a_full_compaction_leaves_one_file() {
    assert_eq!(choose(&[file(0), file(3)], true), Some(0..2));
    assert_eq!(choose(&[file(3)], true), None);
    assert_eq!(
        choose(
            &[Candidate {
                is_hit: true,
                ..file(3)
            }],
            true
        ),
        Some(0..1)
    );
    assert_eq!(choose(&[], true), None);
}
