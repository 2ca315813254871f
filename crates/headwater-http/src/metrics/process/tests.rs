use super::*;

#[test]
fn the_figures_are_found_whatever_the_program_is_called() {
    let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 100 1000 2 3";
    let status = "Name:\ta b) c\nVmSize:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t9\n";
    let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                  Max open files            1024                 4096                 files\n";
    let expected = Process {
        cpu_seconds: 3.0,
        resident_bytes: 1 << 20,
        virtual_bytes: 2 << 20,
        threads: 9,
        open_files: 7,
        open_files_max: Some(1024),
    };
    assert_eq!(Process::parse(stat, status, limits, 7), Some(expected));
    let unlimited = limits.replace("1024", "unlimited");
    let process = Process::parse(stat, status, &unlimited, 7).expect("complete");
    assert_eq!(process.open_files_max, None);
    assert_eq!(Process::parse("", status, limits, 7), None);
}
