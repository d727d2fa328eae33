//! Statements as public inputs: the program, and the digest of the statement's bytes.

use std::array::from_fn;

use ark_ff::{BigInt, PrimeField};
use rwprove_isa::{STATEMENT_BYTES, STATEMENT_VERSION, Statement};
use rwprove_verifier::compressed::parts;
use sha2::{Digest, Sha256};

use crate::{
    Fr,
    gadget::{Int, pack},
    r1cs::{Builder, Wire},
};

/// Where the statement's bytes have the program's vkey.
const VKEY: std::ops::Range<usize> = 4..36;
/// Bits of a digest that are an input. The top three are left out, so that all digests are below
/// the field's order.
const INPUT_BITS: usize = 253;

/// 32 bytes as a public input: the big endian number without its top three bits.
fn input(bytes: [u8; 32]) -> Fr {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = bytes.iter().fold(0, |limb, byte| (limb << 8) | u64::from(*byte));
    }
    limbs[3] &= (1 << (INPUT_BITS - 192)) - 1;
    // Below 2^253, so below the order.
    Fr::from_bigint(BigInt(limbs)).unwrap_or_default()
}

/// The public inputs that a proof of a statement has: its vkey, and SHA-256 of its bytes.
pub fn inputs(statement: &Statement) -> [Fr; 2] {
    let digest: [u8; 32] = Sha256::digest(statement.to_bytes()).into();
    [input(statement.vkey), input(digest)]
}

/// A statement's bytes in a circuit, each eight bits, lowest first.
#[derive(Clone, Debug)]
pub struct StatementWires(Box<[[Wire; 8]; STATEMENT_BYTES]>);

impl StatementWires {
    /// New variables that are constrained to be a statement of this version with the circuit's
    /// public inputs, of which there are two.
    pub fn new(b: &mut Builder, statement: &[u8; STATEMENT_BYTES]) -> Self {
        b.part("statement", |b| {
            let bytes: Box<[[Wire; 8]; STATEMENT_BYTES]> =
                Box::new(statement.map(|byte| from_fn(|i| b.bit(byte >> i & 1 == 1))));
            for (bits, version) in bytes.iter().zip(STATEMENT_VERSION.to_be_bytes()) {
                b.enforce_zero(&pack(bits).minus(&Wire::constant(Fr::from(version))));
            }
            let digest = b.sha256(&bytes[..]);
            for (i, bytes) in [&bytes[VKEY], &digest[..]].into_iter().enumerate() {
                let bits: Vec<Wire> = bytes.iter().rev().flatten().cloned().collect();
                let input = b.public(i);
                b.enforce_zero(&pack(&bits[..INPUT_BITS]).minus(&input));
            }
            Self(bytes)
        })
    }

    /// What circuits of the recursion say of it.
    pub fn said(&self) -> Vec<Int> {
        parts(&self.0)
            .map(|bytes| Int::packed(&bytes.iter().rev().flatten().cloned().collect::<Vec<_>>()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use rwprove_isa::{Exit, InputDigest};
    use rwprove_verifier::compressed::said;

    use super::*;

    fn statement(vkey: [u8; 32]) -> Statement {
        Statement {
            vkey,
            state: 1,
            fuel_limit: 1 << 40,
            input: InputDigest::Public([7; 32]),
            host: [0; 32],
            exit: Exit::Ok,
            fuel: 12345,
            output: [0xee; 32],
        }
    }

    fn broken(statement: &Statement, publics: [Fr; 2]) -> bool {
        let mut b = Builder::new(&publics);
        let wires = StatementWires::new(&mut b, &statement.to_bytes());
        let values: Vec<_> = wires.said().iter().map(Int::value).collect();
        assert_eq!(values, said(statement));
        let (circuit, assignment) = b.finish();
        circuit.unwrap().broken(&assignment.values).is_some()
    }

    #[test]
    fn inputs_are_those_of_the_statement() {
        let one = statement([0x5a; 32]);
        assert!(!broken(&one, inputs(&one)));
        let other = statement([0x5b; 32]);
        assert!(!broken(&other, inputs(&other)));
        assert!(broken(&one, inputs(&other)));
        assert!(broken(&one, [inputs(&one)[0], inputs(&other)[1]]));
        assert!(broken(&one, [inputs(&other)[0], inputs(&one)[1]]));
        // The top bits of the vkey are in the digest alone.
        let high = statement([0xff; 32]);
        assert!(!broken(&high, inputs(&high)));
        let mut bytes = [0xff; 32];
        bytes[0] = 0x1f;
        assert_eq!(inputs(&statement(bytes))[0], inputs(&high)[0]);
        assert_ne!(inputs(&statement(bytes))[1], inputs(&high)[1]);
    }
}
