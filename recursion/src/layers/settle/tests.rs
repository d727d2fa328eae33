//! What settles, against the native verifier of compressed proofs.

use rwprove_circuits::merkle::RegOpening;
use rwprove_isa::{Exit, InputDigest, Statement, Trap};
use rwprove_verifier::{
    VerifyingKey, claim as native,
    compressed::{self, Fixed, claim},
    head::{Head, Kind, Run},
    step::fuel_limbs,
};

use super::*;
use crate::{layers::stream::said_stream, native::Native};

const END: [u32; 3] = [5, 6, 7];
/// Where the stream behind the claim has the flag: behind module, height, regions, start, pages and
/// fuel.
const PRIVATE: usize = 16 + 1 + 8 * REGIONS + 2 + 4;

fn fixed() -> &'static Fixed {
    Fixed::of(Preset::P100)
}

fn constants(head: &Head) -> Constants {
    Constants {
        root: [Val::ONE; 8],
        keys: claim(fixed(), head, END).keys,
        machine: head.key.machine,
        preset: head.key.preset,
    }
}

/// The results that make a statement true, with a refused charge and a flag.
fn results(statement: &Statement, refused: u64, raised: u32) -> RegOpening {
    let mut words = [0; OPENED_WORDS];
    let mut put = |address: u32, word| words[(address - reg::EXIT_KIND) as usize] = word;
    put(reg::EXIT_KIND, statement.exit.kind());
    put(reg::EXIT_CODE, statement.exit.code());
    put(reg::REFUSED_FUEL_LO, refused as u32);
    put(reg::REFUSED_FUEL_HI, (refused >> 32) as u32);
    put(reg::RAISED_OUT_OF_FUEL, raised);
    let digest = |i: u32, bytes: &[u8]| {
        let word = bytes[4 * i as usize..][..4].iter().rev();
        word.fold(0, |word, byte| word << 8 | u32::from(*byte))
    };
    let input = match statement.input {
        InputDigest::Public(input) => input,
        InputDigest::Private => [9; 32],
    };
    for i in 0..8 {
        put(reg::INPUT_DIGEST + i, digest(i, &input));
        put(reg::OUTPUT_DIGEST + i, digest(i, &statement.output));
    }
    let siblings = std::array::from_fn(|i| [Val::from_usize(100 + i); 8]);
    RegOpening { words, siblings }
}

fn statement(exit: Exit) -> Statement {
    let input = InputDigest::Public(std::array::from_fn(|i| 200 - i as u8));
    let output = std::array::from_fn(|i| 7 * i as u8);
    let (fuel_limit, fuel) = (0x0001_0000_0000, 0xffff_fffe);
    Statement {
        vkey: [0; 32],
        state: 0x0001_0002,
        fuel_limit,
        input,
        host: [0; 32],
        exit,
        fuel,
        output,
    }
}

fn head(statement: Statement, refused: u64, raised: u32) -> Head {
    let key = VerifyingKey {
        machine: [0xab; 32],
        preset: Preset::P100,
        module: std::array::from_fn(|i| i as u8),
        log_height: 13,
        preprocessed: [Val::TWO; 8],
        regions: std::array::from_fn(|i| [Val::from_usize(1 + i); 8]),
        start: 17,
        pages: 3,
        fuel: 0x0004_0003_0002_0001,
    };
    let run = Run {
        input_bytes: 70_000,
        input: [Val::from_u32(77); 8],
        results: results(&statement, refused, raised),
    };
    let statement = Statement { vkey: key.digest(), ..statement };
    Head { kind: Kind::Compressed, key, statement, run }
}

/// What the circuit says, natively, of a claim and a stream.
fn says(head: &Head, claim: &[Val], stream: &[Val]) -> Result<Vec<Val>, Rule> {
    let stream = [claim, stream].concat();
    let mut native = Native::new(&stream);
    let claim = read_claim(&mut native)?;
    let said = said(&mut native, &claim, &constants(head))?;
    native.finish()?;
    Ok(said)
}

fn honest(head: &Head) -> Result<Vec<Val>, Rule> {
    says(head, &claim(fixed(), head, END).elements(), &said_stream(head))
}

#[test]
fn it_says_the_statement() {
    let exits = [Exit::Ok, Exit::Code(-3), Exit::Code(70_000), Exit::Trap(Trap::StackOverflow)];
    for exit in exits {
        for input in [statement(exit).input, InputDigest::Private] {
            let head = head(Statement { input, ..statement(exit) }, 0, 0);
            assert_eq!(honest(&head), Ok(compressed::said(&head.statement)));
        }
    }
}

#[test]
fn fuel_ends_runs_as_natively() {
    let exits = [
        Exit::Ok,
        Exit::Code(9),
        Exit::Trap(Trap::OutOfFuel),
        Exit::Trap(Trap::UnreachableCodeReached),
    ];
    let limits = [0, 0xffff_fffd, 0xffff_fffe, 0xffff_ffff, 0x1_0000_0005, u64::MAX];
    for (exit, fuel_limit) in exits.iter().flat_map(|exit| limits.map(|limit| (*exit, limit))) {
        for refused in [0, 1, 2, 6, 7, 8, 1 << 32, u64::MAX] {
            for raised in [0, 1, 2, 1 << 16] {
                let statement = Statement { fuel_limit, ..statement(exit) };
                let head = head(statement, refused, raised);
                let results = &head.run.results;
                let wanted = native::check(&head.statement, head.statement.fuel, results).is_ok();
                assert_eq!(
                    honest(&head).is_ok(),
                    wanted,
                    "{exit:?} {fuel_limit} {refused} {raised}"
                );
            }
        }
    }
}

#[test]
fn placeholders_settle_nothing() {
    let head = head(statement(Exit::Ok), 0, 0);
    let claim = claim(fixed(), &head, END);
    let placeholder = Constants { keys: [Val::ZERO; 8], ..constants(&head) };
    let stream = said_stream(&head);
    let refused = super::said(&mut Native::new(&stream), &claim, &placeholder);
    assert_eq!(refused, Err(Rule::Between("a circuit holds no placeholder")));
}

#[test]
fn a_flag_in_memory_is_a_word() {
    // The limb that would be 1 if it could be negative, in a memory that has it.
    let statement = statement(Exit::Trap(Trap::OutOfFuel));
    let limbs = |word: u32| [word & 0xffff, word >> 16].map(Val::from_u32);
    let mut words = results(&statement, 0, 1).words.map(limbs);
    let [limit, consumed] =
        [u64::MAX, statement.fuel].map(|fuel| fuel_limbs(fuel).map(Val::from_u32));
    let check = |words: &[Word<Native<'_>>]| {
        let word = |address: u32| &words[(address - reg::EXIT_KIND) as usize];
        exit::check(&mut Native::new(&[]), word, &limit, &consumed)
    };
    assert_eq!(check(&words), Ok(()));
    words[(reg::RAISED_OUT_OF_FUEL - reg::EXIT_KIND) as usize][0] -= Val::from_u32(1 << 16);
    assert_eq!(check(&words), Err(Rule::Between("a limb has 16 bits")));
}

#[test]
fn it_says_nothing_else() {
    let head = head(statement(Exit::Ok), 0, 0);
    let (claim, stream) = (claim(fixed(), &head, END).elements(), said_stream(&head));
    let said = honest(&head).unwrap();
    for at in 0..stream.len() {
        for change in [Val::ONE, Val::NEG_ONE, Val::from_u32(1 << 16)] {
            let mut changed = stream.clone();
            changed[at] += change;
            // What only the vkey binds (module, height of the program, the regions that the run
            // brings) is another vkey; whether the input is private is the prover's to say. Nothing
            // else can be changed.
            let replaced = [17, 21].map(|region| 17 + 8 * region..25 + 8 * region);
            let free = at < 17 || at == PRIVATE || replaced.iter().any(|r| r.contains(&at));
            match says(&head, &claim, &changed) {
                Err(_) => {}
                Ok(other) => assert!(other != said && free, "{at}"),
            }
        }
    }
    // Behind keys, program, limit and the point before: pc.
    let pc = 8 + 8 + 4 + 16;
    let (fp_depth_pages, fuel) = (pc + 1..pc + 4, pc + 4..pc + 8);
    for at in 0..claim.len() {
        let mut changed = claim.clone();
        changed[at] += Val::ONE;
        let other = says(&head, &changed, &stream);
        // The commitment is bound by the vkey, limit and fuel are said, and the last registers but
        // pc say nothing.
        let said_elsewhere = (8..20).contains(&at) || fuel.contains(&at);
        match other {
            Err(_) => assert!(!fp_depth_pages.contains(&at)),
            Ok(other) if fp_depth_pages.contains(&at) => assert_eq!(other, said),
            Ok(other) => assert!(other != said && said_elsewhere, "{at}"),
        }
    }
}
