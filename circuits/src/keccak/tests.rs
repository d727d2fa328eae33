use std::sync::atomic::Ordering::Relaxed;

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{
    Instr, Op, Program,
    layout::SPONGE,
    record::{KeccakEvent, Record, clock, limbs},
};

use super::{
    Keccak,
    columns::{ROUNDS, WIDTH, WORDS, names},
};
use crate::{
    Val, bus,
    check::{Check, Lookups, Violation},
    coprocessor::tester::bound,
    counts::Counts,
    merkle::MerkleUpdate,
    symbolic,
    table::{Fill, Shard},
    testing,
};

/// Keccak-f[1600] of the zero state: the first lanes of the reference's test vector.
const ZERO_PERMUTED: [u64; 3] =
    [0xF125_8F79_40E1_DDE7, 0x84D5_CCF9_33C0_478A, 0xD598_261E_A65A_A9EE];

fn words(state: [u64; 25]) -> [u32; WORDS] {
    std::array::from_fn(|i| (state[i / 2] >> (32 * (i % 2))) as u32)
}

/// Two permutations of the sponge one after the other, the words first touched at time 0.
fn events() -> Vec<KeccakEvent> {
    let second = std::array::from_fn(|i| 0x0123_4567_89ab_cdef_u64.wrapping_mul(i as u64 + 1));
    vec![
        KeccakEvent { row: 0, state: [0; 25], times: [0; WORDS] },
        KeccakEvent { row: 9, state: second, times: std::array::from_fn(|i| 7 + i as u32 % 30) },
    ]
}

fn filled(events: &[KeccakEvent], height: usize) -> (RowMajorMatrix<Val>, Counts) {
    let program = Program {
        module_hash: [0; 32],
        code: vec![],
        start: 0,
        pages: 0,
        fuel: 0,
        image: vec![],
        weights: vec![],
    };
    let record = Record { keccak: events.to_vec(), ..Record::default() };
    let shard = Shard { program: &program, record: &record, merkle: &MerkleUpdate::default() };
    let counts = Counts::default();
    assert_eq!(Keccak.rows(&shard), ROUNDS * events.len());
    (Keccak.fill(&shard, height, &counts), counts)
}

/// The permuted state, as the executor computes it.
fn permuted(mut state: [u64; 25]) -> [u64; 25] {
    tiny_keccak::keccakf(&mut state);
    state
}

fn play(check: &mut Check, events: &[KeccakEvent]) {
    let zero = [Val::ZERO; 2];
    for event in events {
        let clk = clock(event.row as usize);
        let tag = Val::from_u32(Instr::new(Op::KeccakF).tag());
        check.send(bus::request(tag, Val::from_u32(clk), zero, zero, zero));
        let (before, after) = (words(event.state), words(permuted(event.state)));
        for i in 0..WORDS {
            let addr = SPONGE + i as u32;
            testing::memory_access(
                check,
                addr,
                (limbs(before[i]), event.times[i]),
                (limbs(after[i]), clk + 2),
            );
        }
    }
}

fn verdict(trace: &RowMajorMatrix<Val>, events: &[KeccakEvent]) -> Result<(), Violation> {
    let mut check = Check::default();
    check.table(&Keccak, trace, &[])?;
    play(&mut check, events);
    check.finish(Lookups::Free)
}

fn column(name: &str) -> usize {
    names().iter().position(|n| n == name).unwrap()
}

fn set(trace: &mut RowMajorMatrix<Val>, row: usize, name: &str, value: u32) {
    trace.values[row * WIDTH + column(name)] = Val::from_u32(value);
}

// POSITIVE

#[test]
fn permutes_like_the_reference() {
    assert_eq!(permuted([0; 25])[..3], ZERO_PERMUTED);
}

#[test]
fn honest_permutations_are_accepted() {
    for n in 0..=2 {
        let events = &events()[..n];
        let (trace, _) = filled(events, 64);
        assert_eq!(verdict(&trace, events), Ok(()));
    }
}

#[test]
fn lookups_of_exported_rows_alone_are_counted() {
    let (_, counts) = filled(&events()[..1], 64);
    let count = |gap: usize| counts.range16[gap].load(Relaxed);
    // 50 gaps of 4 + 2 - 0 - 1.
    assert_eq!((count(5), (0..1 << 16).map(count).sum()), (50, 50));
}

// NEGATIVE

#[test]
fn every_cell_is_bound() {
    let (trace, _) = filled(&events(), 64);
    // A first round, a round between, the last one, and padding.
    let rows = [ROUNDS, ROUNDS + 5, 2 * ROUNDS - 1, 2 * ROUNDS + 3];
    bound(&Keccak, &(trace, Vec::new()), rows);
}

#[test]
fn wrong_output_is_rejected() {
    let (trace, _) = filled(&events(), 64);
    let mut wrong = events();
    wrong[1].state[24] ^= 1;
    assert!(matches!(verdict(&trace, &wrong), Err(Violation::Bus { .. })));
}

#[test]
fn padding_without_a_request_is_rejected() {
    // A height with room for a whole permutation of padding.
    let (mut trace, _) = filled(&events()[..1], 64);
    set(&mut trace, 2 * ROUNDS - 1, "export", 1);
    assert!(matches!(verdict(&trace, &events()[..1]), Err(Violation::Bus { .. })));
}

#[test]
fn tail_cannot_be_exported() {
    let (trace, _) = filled(&events(), 64);
    for row in [2 * ROUNDS, 63] {
        let mut wrong = trace.clone();
        set(&mut wrong, row, "export", 1);
        assert!(matches!(verdict(&wrong, &events()), Err(Violation::Constraint { .. })));
        // Nor by pretending that its last row is the last round.
        set(&mut wrong, row, "step_flags[23]", 1);
        assert!(matches!(verdict(&wrong, &events()), Err(Violation::Constraint { .. })));
    }
}

#[test]
fn stale_or_future_words_are_rejected() {
    // The access before is at the same time, or later: no gap in range has this distance.
    let mut events = events();
    for time in [clock(9) + 2, clock(9) + 3] {
        events[1].times[17] = time;
        let (trace, _) = filled(&events, 64);
        assert!(matches!(verdict(&trace, &events), Err(Violation::Bus { .. })));
    }
}

// BOUNDARY

#[test]
fn gaps_up_to_the_limit_are_accepted() {
    let mut events = events();
    events[1].row = 1 << 16;
    let now = clock(1 << 16) + 2;
    events[1].times = [now - 1; WORDS];
    events[1].times[3] = now - (1 << 16);
    let (trace, _) = filled(&events, 64);
    assert_eq!(verdict(&trace, &events), Ok(()));
    events[1].times[3] = now - (1 << 16) - 1;
    let (trace, _) = filled(&events, 64);
    assert!(matches!(verdict(&trace, &events), Err(Violation::Bus { .. })));
}

#[test]
fn table_without_requests_has_any_height() {
    for height in [1, 16, 32, 128] {
        let (trace, _) = filled(&[], height);
        assert_eq!(verdict(&trace, &[]), Ok(()));
    }
}

#[test]
fn degrees_fit() {
    assert!(symbolic::degrees(&Keccak).allowed());
}
