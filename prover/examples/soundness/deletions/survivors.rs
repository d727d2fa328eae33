//! The file of rules that are known to follow from others, each with the proof in words.

/// `circuits/survivors.txt`: `table | rule | columns it reads | why nothing is accepted without it`.
const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../circuits/survivors.txt"));

/// One line of it.
pub(super) struct Known {
    pub(super) table: &'static str,
    pub(super) rule: &'static str,
    pub(super) reads: &'static str,
    pub(super) reason: &'static str,
}

pub(super) fn known() -> Vec<Known> {
    let lines = FILE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entry = |line: &'static str| match line.splitn(4, " | ").collect::<Vec<_>>()[..] {
        [table, rule, reads, reason] => Known { table, rule, reads, reason },
        _ => panic!("survivors.txt: {line}"),
    };
    lines.map(entry).collect()
}
