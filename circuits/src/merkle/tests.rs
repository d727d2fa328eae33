use std::collections::BTreeSet;

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{
    Program,
    layout::{INPUT, REG, REGION_WORDS, RUN, SPONGE, STACK, TREE_DEPTH},
    record::{ChunkEvent, Record, limbs},
};

use super::{
    opening::{self, OPENED_WORDS, REGIONS},
    *,
};
use crate::{
    bus,
    check::{Check, Lookups, Violation},
    coprocessor::tester::bound,
    counts::Counts,
    poseidon2::compress,
    symbolic,
    table::{Fill, Shard, Table},
};

const WIDTH: usize = MerkleCols::<u8>::WIDTH;

fn program(image: Vec<(u32, u32)>) -> Program {
    Program {
        module_hash: [0; 32],
        code: vec![],
        start: 0,
        pages: 0,
        fuel: 0,
        image,
        weights: vec![],
    }
}

/// Writes to the odd words and reads the even ones.
fn event(chunk: u32, before: [u32; 8]) -> ChunkEvent {
    let after =
        std::array::from_fn(|i| if i % 2 == 1 { chunk % 9999 * 100 + i as u32 } else { before[i] });
    let times = std::array::from_fn(|i| 4 * (chunk % 1000) + i as u32 * 2);
    ChunkEvent { chunk, before: before.map(limbs), after: after.map(limbs), times }
}

/// Two neighbours, a distant chunk, and the last one of all.
fn events() -> Vec<ChunkEvent> {
    vec![
        event(0, [7, 0, 0, 0, 0, 0, 0, 0]),
        event(1, [0; 8]),
        event(SPONGE / 8, [0; 8]),
        event((1 << TREE_DEPTH) - 1, [0; 8]),
    ]
}

fn filled(update: &MerkleUpdate, height: usize) -> (RowMajorMatrix<Val>, Vec<Val>) {
    let (program, record) = (program(vec![]), Record::default());
    let shard = Shard { program: &program, record: &record, merkle: update };
    assert!(Merkle.rows(&shard) <= height);
    (Merkle.fill(&shard, height, &Counts::default()), Merkle.publics(&shard))
}

/// Plays the tables that access the words.
fn play(check: &mut Check, events: &[ChunkEvent]) {
    for event in events {
        for i in 0..8 {
            let addr = Val::from_u32(8 * event.chunk + i as u32);
            let message = |limbs: [u32; 2], time| {
                bus::memory(addr, limbs.map(Val::from_u32), Val::from_u32(time))
            };
            check.receive(message(event.before[i], 0));
            check.send(message(event.after[i], event.times[i]));
        }
    }
}

fn verdict(
    trace: &RowMajorMatrix<Val>,
    publics: &[Val],
    events: &[ChunkEvent],
) -> Result<(), Violation> {
    let mut check = Check::default();
    check.table(&Merkle, trace, publics)?;
    play(&mut check, events);
    check.finish(Lookups::Counted)
}

fn honest() -> (MerkleUpdate, RowMajorMatrix<Val>, Vec<Val>) {
    let mut tree = MemoryTree::new([(0, 7)]).unwrap();
    let update = tree.apply(&events()).unwrap();
    let (trace, publics) = filled(&update, 128);
    (update, trace, publics)
}

/// Index of a column.
fn column(name: &str) -> usize {
    Merkle.columns().iter().position(|c| c == name).unwrap()
}

fn set(trace: &mut RowMajorMatrix<Val>, row: usize, name: &str, value: u32) {
    trace.values[row * WIDTH + column(name)] = Val::from_u32(value);
}

fn copy_row(trace: &mut RowMajorMatrix<Val>, from: usize, to: usize) {
    trace.values.copy_within(from * WIDTH..(from + 1) * WIDTH, to * WIDTH);
}

fn find(update: &MerkleUpdate, level: u32) -> usize {
    update.nodes.iter().position(|node| node.level == level).unwrap()
}

// POSITIVE

#[test]
fn honest_update_is_accepted() {
    let (update, trace, publics) = honest();
    assert_eq!(verdict(&trace, &publics, &events()), Ok(()));
    // The four paths share the root and what is above each pair.
    let unique: BTreeSet<_> = update.nodes.iter().map(|n| (n.level, n.index)).collect();
    assert_eq!(unique.len(), update.nodes.len());
    assert_eq!((update.nodes[0].level, update.nodes[0].index), (0, 0));
    let leaves = events().into_iter().flat_map(|e| {
        (0..8).map(move |i| (8 * e.chunk + i as u32, rwprove_isa::record::word(e.after[i])))
    });
    assert_eq!(update.root_after, MemoryTree::new(leaves).unwrap().root());
}

#[test]
fn shard_without_memory_has_the_root_alone() {
    let mut tree = MemoryTree::new([(5, 6)]).unwrap();
    let update = tree.apply(&[]).unwrap();
    assert_eq!(update.root_before, update.root_after);
    for height in [1, 2, 8] {
        let (trace, publics) = filled(&update, height);
        assert_eq!(verdict(&trace, &publics, &[]), Ok(()));
    }
}

#[test]
fn limbs_of_frames_may_be_large() {
    let mut pushed = event(STACK / 8 + (1 << 13), [0; 8]);
    pushed.after[1] = [(1 << 22) - 1, 1 << 20];
    let update = MemoryTree::default().apply(&[pushed]).unwrap();
    let (trace, publics) = filled(&update, 32);
    assert_eq!(verdict(&trace, &publics, &[pushed]), Ok(()));
}

#[test]
fn shards_chain() {
    let mut tree = MemoryTree::default();
    let first = tree.apply(&[event(9, [0; 8])]).unwrap();
    let mut again = event(9, [0; 8]);
    again.before = again.after;
    let second = tree.apply(&[again]).unwrap();
    assert_eq!(first.root_after, second.root_before);
    assert_eq!(second.root_before, second.root_after);
}

// NEGATIVE

#[test]
fn every_cell_is_bound() {
    let (update, trace, publics) = honest();
    let rows = [0, find(&update, 5), find(&update, 26), find(&update, 27), update.nodes.len()];
    bound(&Merkle, &(trace, publics), rows);
}

#[test]
fn wrong_roots_are_rejected() {
    let (_, trace, publics) = honest();
    for i in 0..publics.len() {
        let mut wrong = publics.clone();
        wrong[i] += Val::ONE;
        assert!(matches!(
            verdict(&trace, &wrong, &events()),
            Err(Violation::Constraint { row: 0, .. })
        ));
    }
}

#[test]
fn second_root_is_rejected() {
    let (update, mut trace, publics) = honest();
    copy_row(&mut trace, 0, update.nodes.len());
    assert!(matches!(verdict(&trace, &publics, &events()), Err(Violation::Constraint { .. })));
}

#[test]
fn node_twice_is_rejected() {
    let (update, trace, publics) = honest();
    for level in [1, 13, 27] {
        let mut twice = trace.clone();
        copy_row(&mut twice, find(&update, level), update.nodes.len());
        assert!(matches!(verdict(&twice, &publics, &events()), Err(Violation::Bus { .. })));
    }
}

#[test]
fn leaf_above_the_chunks_and_branch_among_them_are_rejected() {
    let (update, trace, publics) = honest();
    for (level, from, to) in [(26, "branch", "leaf"), (27, "leaf", "branch")] {
        let mut wrong = trace.clone();
        set(&mut wrong, find(&update, level), from, 0);
        set(&mut wrong, find(&update, level), to, 1);
        let verdict = verdict(&wrong, &publics, &events());
        assert!(matches!(verdict, Err(Violation::Constraint { .. })), "{verdict:?}");
    }
}

#[test]
fn padding_cannot_touch() {
    let (update, mut trace, publics) = honest();
    set(&mut trace, update.nodes.len(), "touched[0]", 1);
    assert!(matches!(verdict(&trace, &publics, &events()), Err(Violation::Constraint { .. })));
}

#[test]
fn change_without_a_touched_child_is_rejected() {
    // An honest table of another change: the right child of the root changes, but no row says why.
    let mut tree = MemoryTree::default();
    let mut update = tree.apply(&[event((1 << TREE_DEPTH) - 1, [0; 8])]).unwrap();
    update.nodes.truncate(1);
    update.nodes[0].below = Below::Nodes([false; 2]);
    let (trace, publics) = filled(&update, 2);
    assert!(matches!(verdict(&trace, &publics, &[]), Err(Violation::Constraint { row: 0, .. })));
    update.nodes[0].below = Below::Nodes([false, true]);
    let (trace, publics) = filled(&update, 2);
    assert!(matches!(verdict(&trace, &publics, &[]), Err(Violation::Bus { .. })));
}

#[test]
fn word_read_at_another_value_or_time_is_rejected() {
    let (_, trace, publics) = honest();
    for forge in [
        |e: &mut ChunkEvent| e.before[3][1] += 1,
        |e: &mut ChunkEvent| e.after[2][0] += 1,
        |e: &mut ChunkEvent| e.times[7] += 1,
        |e: &mut ChunkEvent| e.chunk += 1,
    ] {
        let mut events = events();
        forge(&mut events[1]);
        assert!(matches!(verdict(&trace, &publics, &events), Err(Violation::Bus { .. })));
    }
}

// BOUNDARY

#[test]
fn degrees_fit() {
    assert!(symbolic::degrees(&Merkle).allowed());
}

#[test]
fn tree_refuses_wrong_words() {
    assert_eq!(
        MemoryTree::new([(3, 1), (3, 2)]).err(),
        Some(TreeError::WordOrder { before: 3, found: 3 })
    );
    assert_eq!(MemoryTree::new([(1 << 30, 1)]).err(), Some(TreeError::Word(1 << 30)));
    assert!(MemoryTree::new([((1 << 30) - 1, 1)]).is_ok());
}

#[test]
fn tree_refuses_wrong_events_and_stays() {
    let mut tree = MemoryTree::new([(0, 7)]).unwrap();
    let root = tree.root();
    let good = events();
    let order = TreeError::ChunkOrder { before: 1, found: 0 };
    assert_eq!(tree.apply(&[good[1], good[0]]).err(), Some(order));
    assert_eq!(tree.apply(&[good[1], event(5, [1; 8])]).err(), Some(TreeError::Stale(5)));
    let outside = event(1 << TREE_DEPTH, [0; 8]);
    assert_eq!(tree.apply(&[outside]).err(), Some(TreeError::Chunk(1 << TREE_DEPTH)));
    assert_eq!(tree.root(), root);
}

#[test]
fn verifier_computes_the_first_root() {
    // Words of the image in the two regions that are not the program's are ignored.
    let image = vec![(3, 5), (RUN + 9, 1), (RUN + REGION_WORDS, 8), (INPUT + 100, 4), (REG, 2)];
    let program = program(image);
    let regions = program_regions(&program).unwrap();
    for input in [&b""[..], b"abcde", &[3; 999]] {
        let run = opening::run_words(input.len() as u32, 1);
        let tree = MemoryTree::start(&program, input, run).unwrap();
        let root = opening::initial_root(&regions, tree.input_digest(), run);
        assert_eq!(root, tree.root());
        assert_ne!(root, opening::initial_root(&regions, tree.input_digest(), [0; 8]));
        assert_eq!(opening::root_of_regions(&tree.regions()), tree.root());
    }
    assert_eq!(regions.len(), REGIONS);
}

#[test]
fn input_is_little_endian_words() {
    let program = program(vec![]);
    let tree = MemoryTree::start(&program, b"abcde", [0; 8]).unwrap();
    let words = [(INPUT, u32::from_le_bytes(*b"abcd")), (INPUT + 1, u32::from(b'e'))];
    assert_eq!(tree.root(), MemoryTree::new(words).unwrap().root());
}

#[test]
fn results_open_to_the_root_alone() {
    let words: [u32; OPENED_WORDS] = std::array::from_fn(|i| i as u32 * 0x0001_0001);
    let other = [(0, 1), (REG - 1, 2)];
    let after = (REG + OPENED_WORDS as u32, 3);
    let all = other.into_iter().chain((REG..).zip(words)).chain([after]);
    let tree = MemoryTree::new(all).unwrap();
    let opening = tree.open_results(words);
    assert_eq!(opening.root(), tree.root());
    for i in 0..OPENED_WORDS {
        let mut wrong = opening;
        wrong.words[i] ^= 1 << 31;
        assert_ne!(wrong.root(), tree.root());
    }
    for i in 0..RegOpening::LEVEL {
        let mut wrong = opening;
        wrong.siblings[i][7] += Val::ONE;
        assert_ne!(wrong.root(), tree.root());
    }
}

#[test]
fn root_of_zero_memory_is_the_plain_recursion() {
    let leaf = compress([Val::ZERO; 16]);
    let root = (0..TREE_DEPTH).fold(leaf, |node, _| compress(opening::parent(node, node)));
    assert_eq!(MemoryTree::default().root(), root);
}
