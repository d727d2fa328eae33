//! Compressed verification: a head with a proof of a last circuit that says whatever it is told. So
//! everything below it is a lie, and what is refused is refused by the verifier alone.

use std::sync::LazyLock;

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use rwprove_circuits::Val;
use rwprove_executor::Input;
use rwprove_fixtures::Call;
use rwprove_isa::{Exit, InputDigest, Statement, front::Preset as Entry};
use rwprove_prover::{Options, prove, setup, testing::compile};
use rwprove_recursion::{backend::Backend, prove::Key};
use rwprove_verifier::{
    Preset,
    bytes::Writer,
    claim::ClaimError,
    compressed::{self, Compressed, Fixed, digest, encode, verify, verify_under},
    config::Layer,
    error::VerifyError,
    head::{Head, Kind},
    shards::{self, State},
    step::{Claim, Point, fuel_limbs},
};

use super::toy::built;

const PRESET: Preset = Preset::P100;

/// A true head, circuits with a last one that says anything, and a compressed proof under these.
struct Case {
    head: Head,
    end: [u32; 3],
    fixed: Fixed,
    proof: Vec<u8>,
}

static CASE: LazyLock<Case> = LazyLock::new(|| {
    let name = "wat/traps: unreachable()";
    let fixture = rwprove_fixtures::all().into_iter().find(|fixture| fixture.name == name).unwrap();
    let Call::Entry { name, .. } = &fixture.call else { panic!("it is called by name") };
    let input = Input { bytes: fixture.tape(), state: 0, fuel_limit: fixture.fuel };
    let program = compile(&fixture.wasm, &Entry::Entry { name: name.clone() });
    let (key, vkey) = setup(program, PRESET).unwrap();
    let proved = prove(&key, &input, &Options::default(), &mut |_| ()).unwrap();
    let head = Head { kind: Kind::Compressed, ..shards::contents(&proved.proof).unwrap().head };
    assert_eq!(head.key, vkey);

    let circuit = built(|b| b.read_digest());
    let heights = circuit.log_heights();
    let key = Key::new(&circuit, &heights, PRESET.layer(Layer::Last)).unwrap();
    let fixed = Fixed {
        last: heights.map(|height| height as u8),
        last_key: key.commitment().map(|element| element.as_canonical_u32()),
        ..*Fixed::of(PRESET)
    };
    let end = [0, 0, 1];
    let told = digest(&claim(&fixed, &head, end));
    let (proof, said) = key.prove(&circuit, &told).unwrap();
    assert_eq!(said, told);
    let proof = encode(&head, &Compressed { end, proof });
    Case { head, end, fixed, proof }
});

/// What must be proved, made once more from the specification.
fn claim(fixed: &Fixed, head: &Head, [fp, depth, pages]: [u32; 3]) -> Claim<Val> {
    let Head { key, statement, run, .. } = head;
    let limbs = |fuel| fuel_limbs(fuel).map(Val::from_u32);
    Claim {
        keys: fixed.keys().root(),
        program: key.preprocessed,
        limit: limbs(statement.fuel_limit),
        before: Point::from(&State::start(key, statement.state, run.input_bytes, run.input)),
        after: Point {
            registers: [rwprove_isa::HALT_PC, fp, depth, pages].map(Val::from_u32),
            fuel: limbs(statement.fuel),
            root: run.results.root(),
        },
    }
}

impl Case {
    fn verify(
        &self,
        vkey: &[u8; 32],
        statement: &Statement,
        proof: &[u8],
    ) -> Result<(), VerifyError> {
        self.verify_with(&self.fixed, vkey, statement, proof)
    }

    fn verify_with(
        &self,
        fixed: &Fixed,
        vkey: &[u8; 32],
        statement: &Statement,
        proof: &[u8],
    ) -> Result<(), VerifyError> {
        verify_under(|_| fixed, vkey, statement, proof).map(drop)
    }

    fn head_bytes(head: &Head) -> Vec<u8> {
        let mut out = Writer::default();
        head.write(&mut out);
        out.into_bytes()
    }

    /// The proof's bytes with another head and end.
    fn with(&self, head: &Head, end: [u32; 3]) -> Vec<u8> {
        let after = Self::head_bytes(&self.head).len() + 12;
        let end = end.into_iter().flat_map(u32::to_le_bytes).collect();
        [Self::head_bytes(head), end, self.proof[after..].to_vec()].concat()
    }

    /// The verdict on a changed head, under the key's digest and statement that it has itself.
    fn forged(&self, change: impl FnOnce(&mut Head)) -> Result<(), VerifyError> {
        let mut head = self.head.clone();
        change(&mut head);
        assert!(head != self.head);
        self.verify(&head.statement.vkey.clone(), &head.statement, &self.with(&head, self.end))
    }
}

fn is_stark(verdict: &Result<(), VerifyError>) -> bool {
    matches!(verdict, Err(VerifyError::Compressed(_)))
}

#[test]
fn the_start_is_accepted() {
    let case = &*CASE;
    let statement = &case.head.statement;
    assert_eq!(case.with(&case.head, case.end), case.proof);
    case.verify(&statement.vkey, statement, &case.proof).unwrap();
    // Under the circuits of the preset it is not: their last one says nothing but the truth.
    assert!(verify(&statement.vkey, statement, &case.proof).is_err());
    assert!(compressed::contents(&case.proof).is_err());
}

#[test]
fn another_statement_than_the_proofs() {
    let case = &*CASE;
    let changes: [fn(&mut Statement); 8] = [
        |s| s.vkey[31] ^= 1,
        |s| s.state ^= 1,
        |s| s.fuel_limit -= 1,
        |s| s.input = InputDigest::Private,
        |s| s.host[0] = 1,
        |s| s.exit = Exit::Ok,
        |s| s.fuel += 1,
        |s| s.output[7] ^= 1,
    ];
    for change in changes {
        let mut statement = case.head.statement.clone();
        change(&mut statement);
        let refused = case.verify(&case.head.statement.vkey, &statement, &case.proof);
        assert!(matches!(refused, Err(VerifyError::OtherStatement)), "{refused:?}");
    }
}

#[test]
fn a_statement_changed_in_the_proof_too() {
    let case = &*CASE;
    // What results say.
    let claim_error =
        |change: fn(&mut Statement)| match case.forged(|head| change(&mut head.statement)) {
            Err(VerifyError::Claim(error)) => error,
            other => panic!("{other:?}"),
        };
    assert!(matches!(claim_error(|s| s.exit = Exit::Ok), ClaimError::Exit { .. }));
    assert_eq!(claim_error(|s| s.output[0] ^= 1), ClaimError::Output);
    assert_eq!(claim_error(|s| s.input = InputDigest::Public([3; 32])), ClaimError::Input);
    assert_eq!(claim_error(|s| s.host[5] = 1), ClaimError::Host);
    assert!(matches!(claim_error(|s| s.fuel_limit = s.fuel - 1), ClaimError::OverLimit { .. }));
    // What the circuits say.
    assert!(is_stark(&case.forged(|head| head.statement.state ^= 1)));
    assert!(is_stark(&case.forged(|head| head.statement.fuel -= 1)));
    assert!(is_stark(&case.forged(|head| head.statement.fuel += 1)));
    assert!(is_stark(&case.forged(|head| head.statement.fuel_limit -= 1)));
    assert!(is_stark(&case.forged(|head| head.statement.fuel_limit ^= 1 << 48)));
    // The key's digest.
    let refused = case.forged(|head| head.statement.vkey[0] ^= 1);
    assert!(matches!(refused, Err(VerifyError::KeyDigest)));
}

#[test]
fn another_key() {
    let case = &*CASE;
    let changes: [fn(&mut Head); 8] = [
        |head| head.key.machine[0] ^= 1,
        |head| head.key.preset = Preset::P120,
        |head| head.key.module[0] ^= 1,
        |head| head.key.preprocessed[7] += Val::ONE,
        |head| head.key.regions[0][0] += Val::ONE,
        |head| head.key.start += 1,
        |head| head.key.pages += 1,
        |head| head.key.fuel += 1,
    ];
    for change in changes {
        let refused = case.forged(change);
        assert!(matches!(refused, Err(VerifyError::KeyDigest)), "{refused:?}");
    }
    // Asked for by its digest, it is what the circuits must prove.
    let named = |change: fn(&mut Head)| {
        case.forged(|head| {
            change(head);
            head.statement.vkey = head.key.digest();
        })
    };
    for change in &changes[3..] {
        assert!(is_stark(&named(*change)));
    }
    assert!(matches!(named(changes[0]), Err(VerifyError::Machine)));
}

#[test]
fn another_preset() {
    // A key of 120 bits is not served by circuits of 100, nor the other way round.
    let case = &*CASE;
    let mut head = case.head.clone();
    head.key.preset = Preset::P120;
    head.statement.vkey = head.key.digest();
    let (vkey, statement) = (head.statement.vkey, head.statement.clone());
    let bytes = case.with(&head, case.end);
    // Its proofs have more queries, so this is not even one of them.
    let refused = case.verify(&vkey, &statement, &bytes);
    assert!(matches!(refused, Err(VerifyError::Decode(_))));
    assert!(matches!(verify(&vkey, &statement, &bytes), Err(VerifyError::Decode(_))));
    let [p100, p120] = Preset::ALL.map(Fixed::of);
    assert_ne!(p100.keys().root(), p120.keys().root());
    assert_ne!(p100.last_key, p120.last_key);
}

#[test]
fn another_version_kind_or_magic() {
    let case = &*CASE;
    let statement = &case.head.statement;
    for (at, named) in [(0, "magic"), (4, "version"), (8, "kind")] {
        let mut bytes = case.proof.clone();
        bytes[at] ^= 3;
        assert!(case.verify(&statement.vkey, statement, &bytes).is_err(), "{named}");
    }
    let refused = case.forged(|head| head.kind = Kind::Shards);
    assert!(matches!(refused, Err(VerifyError::Kind(1))));
    let refused = shards::verify(&statement.vkey, statement, &case.proof);
    assert!(matches!(refused, Err(VerifyError::Kind(2))));
}

#[test]
fn past_35_jolt_another_input() {
    let case = &*CASE;
    assert!(is_stark(&case.forged(|head| head.run.input_bytes += 4)));
    for element in 0..8 {
        assert!(is_stark(&case.forged(|head| head.run.input[element] += Val::ONE)));
    }
}

#[test]
fn past_33_rkm_other_results() {
    let case = &*CASE;
    for word in 0..case.head.run.results.words.len() {
        let refused = case.forged(|head| head.run.results.words[word] ^= 1);
        let refused = matches!(refused, Err(VerifyError::Claim(_) | VerifyError::Compressed(_)));
        assert!(refused, "word {word}");
    }
    for level in 0..case.head.run.results.siblings.len() {
        let refused = case.forged(|head| head.run.results.siblings[level][0] += Val::ONE);
        assert!(is_stark(&refused), "level {level}");
    }
    // Results and statement that agree on another exit.
    let refused = case.forged(|head| {
        head.statement.exit = Exit::Ok;
        let words = &mut head.run.results.words;
        (words[0], words[1]) = (Exit::Ok.kind(), Exit::Ok.code());
    });
    assert!(is_stark(&refused), "{refused:?}");
}

#[test]
fn another_end() {
    let case = &*CASE;
    let statement = &case.head.statement;
    for register in 0..3 {
        let mut end = case.end;
        end[register] += 1;
        let bytes = case.with(&case.head, end);
        assert!(is_stark(&case.verify(&statement.vkey, statement, &bytes)));
        // The same number of the field.
        end[register] = case.end[register] + Val::ORDER_U32;
        let bytes = case.with(&case.head, end);
        let refused = case.verify(&statement.vkey, statement, &bytes);
        assert!(matches!(refused, Err(VerifyError::Decode(_))), "{refused:?}");
    }
}

#[test]
fn an_incomplete_run() {
    // The last circuit says of a run that it stands elsewhere than at its end, or began elsewhere.
    let case = &*CASE;
    let circuit = built(|b| b.read_digest());
    let heights = circuit.log_heights();
    let key = Key::new(&circuit, &heights, PRESET.layer(Layer::Last)).unwrap();
    let statement = &case.head.statement;
    let honest = claim(&case.fixed, &case.head, case.end);
    let changes: [fn(&mut Claim<Val>); 3] = [
        |claim| claim.after.registers[0] += Val::ONE,
        |claim| claim.before.registers[0] += Val::ONE,
        |claim| claim.before = claim.after.clone(),
    ];
    for change in changes {
        let mut other = honest.clone();
        change(&mut other);
        let (proof, _) = key.prove(&circuit, &digest(&other)).unwrap();
        let bytes = encode(&case.head, &Compressed { end: case.end, proof });
        assert!(is_stark(&case.verify(&statement.vkey, statement, &bytes)));
    }
}

#[test]
fn past_44_rkm_other_circuits() {
    let case = &*CASE;
    let statement = &case.head.statement;
    let verdict = |change: fn(&mut Fixed)| {
        let mut fixed = Fixed { ..case.fixed };
        change(&mut fixed);
        case.verify_with(&fixed, &statement.vkey, statement, &case.proof)
    };
    verdict(|_| ()).unwrap();
    // Every key of the set is in what must be claimed, and so is their order; the last circuit's own
    // key is what the proof is verified with.
    let changes: [fn(&mut Fixed); 6] = [
        |fixed| fixed.leaves = &fixed.leaves[1..],
        |fixed| fixed.join_key[0] ^= 1,
        |fixed| std::mem::swap(&mut fixed.join_key, &mut fixed.lift_key),
        |fixed| fixed.lift_key = [0; 8],
        |fixed| fixed.last_key[7] ^= 1,
        |fixed| fixed.last_key = [0; 8],
    ];
    for change in changes {
        assert!(is_stark(&verdict(change)));
    }
    assert!(verdict(|fixed| fixed.last[0] += 1).is_err());
}

#[test]
fn other_lengths() {
    let case = &*CASE;
    let statement = &case.head.statement;
    for length in (0..case.proof.len()).step_by(case.proof.len() / 60) {
        assert!(case.verify(&statement.vkey, statement, &case.proof[..length]).is_err());
    }
    let longer = [case.proof.as_slice(), &[0]].concat();
    assert!(case.verify(&statement.vkey, statement, &longer).is_err());
}
