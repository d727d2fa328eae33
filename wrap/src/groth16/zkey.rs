//! Keys of ceremonies: snarkjs's `.zkey` format.
//!
//! Everything but the contributions is read and checked: that sizes are those of the circuit, that
//! the first two matrices are the circuit's, and that all points are in their groups. What cannot be
//! seen here, that the points are what the circuit and an honest ceremony make of them, is what
//! `snarkjs zkey verify` is for.

use std::collections::HashMap;

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, BigInteger, Field, PrimeField};
use ark_groth16::{ProvingKey, VerifyingKey};
use rayon::prelude::*;
use thiserror::Error;

use super::{
    Origin, Prover,
    proof::{g1, g2},
    qap::Coset,
};
use crate::{
    Fr,
    r1cs::{Circuit, Column},
};

/// Why bytes are no key of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ZkeyError {
    /// Not a Groth16 key of version 1 over BN254.
    #[error("not a Groth16 key over BN254")]
    Magic,
    /// A section is missing, there twice or not as long as it must be.
    #[error("section {0} is missing, there twice or of another length")]
    Section(u32),
    /// Numbers of variables, inputs or constraints are not the circuit's.
    #[error("the key has other sizes than the circuit")]
    Size,
    /// A coefficient of the matrices is not the circuit's.
    #[error("the key's constraints are not the circuit's")]
    Constraints,
    /// A point is not in its group, or a constant is the point at infinity.
    #[error("a point of section {0} is not in its group")]
    Point(u32),
}

/// Bytes of an element of either field.
const ELEMENT: usize = 32;

mod sections {
    pub(super) const PROTOCOL: u32 = 1;
    pub(super) const HEADER: u32 = 2;
    pub(super) const INPUTS: u32 = 3;
    pub(super) const COEFFICIENTS: u32 = 4;
    pub(super) const A: u32 = 5;
    pub(super) const B_G1: u32 = 6;
    pub(super) const B_G2: u32 = 7;
    pub(super) const C: u32 = 8;
    pub(super) const H: u32 = 9;
}

/// Takes things from the front of a section.
struct Cursor<'a> {
    section: u32,
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], ZkeyError> {
        let split = self.rest.split_at_checked(count);
        let (bytes, rest) = split.ok_or(ZkeyError::Section(self.section))?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ZkeyError> {
        self.bytes(N)?.try_into().map_err(|_| ZkeyError::Section(self.section))
    }

    fn number(&mut self) -> Result<usize, ZkeyError> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn g1(&mut self) -> Result<G1Affine, ZkeyError> {
        let bytes = self.bytes(2 * ELEMENT)?;
        read_g1(bytes).ok_or(ZkeyError::Point(self.section))
    }

    fn g2(&mut self) -> Result<G2Affine, ZkeyError> {
        let bytes = self.bytes(4 * ELEMENT)?;
        read_g2(bytes).ok_or(ZkeyError::Point(self.section))
    }

    /// The rest of the section, as so many items of a size, each read by itself.
    fn all<T: Send>(
        self,
        count: usize,
        size: usize,
        read: fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, ZkeyError> {
        if Some(self.rest.len()) != count.checked_mul(size) {
            return Err(ZkeyError::Section(self.section));
        }
        let items = self.rest.par_chunks_exact(size).map(read);
        items.collect::<Option<_>>().ok_or(ZkeyError::Point(self.section))
    }

    fn end(self) -> Result<(), ZkeyError> {
        if self.rest.is_empty() { Ok(()) } else { Err(ZkeyError::Section(self.section)) }
    }
}

fn limbs(bytes: &[u8]) -> BigInt<4> {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = bytes.iter().rev().fold(0, |limb, byte| (limb << 8) | u64::from(*byte));
    }
    BigInt(limbs)
}

/// A coordinate, which is stored times 2^256.
fn coordinate(bytes: &[u8]) -> Option<Fq> {
    // The element with the Montgomery form 1.
    const R_INVERSE: Fq = Fq::new_unchecked(BigInt::one());
    Fq::from_bigint(limbs(bytes)).map(|x| x * R_INVERSE)
}

fn read_g1(bytes: &[u8]) -> Option<G1Affine> {
    let mut parts = bytes.chunks_exact(ELEMENT).map(coordinate);
    g1(parts.next()??, parts.next()??)
}

fn read_g2(bytes: &[u8]) -> Option<G2Affine> {
    let mut parts = bytes.chunks_exact(ELEMENT).map(coordinate);
    let mut pair = || Some(Fq2::new(parts.next()??, parts.next()??));
    g2(pair()?, pair()?)
}

/// The sections by number.
fn split(bytes: &[u8]) -> Result<HashMap<u32, &[u8]>, ZkeyError> {
    let mut cursor = Cursor { section: 0, rest: bytes };
    if cursor.bytes(4)? != b"zkey" || cursor.number()? != 1 {
        return Err(ZkeyError::Magic);
    }
    let mut found = HashMap::new();
    for _ in 0..cursor.number()? {
        let number = u32::from_le_bytes(cursor.array()?);
        let length = usize::try_from(u64::from_le_bytes(cursor.array()?));
        let length = length.map_err(|_| ZkeyError::Section(number))?;
        let content = cursor.bytes(length).map_err(|_| ZkeyError::Section(number))?;
        if found.insert(number, content).is_some() {
            return Err(ZkeyError::Section(number));
        }
    }
    cursor.end().map(|()| found)
}

/// Reads the key of a circuit from the bytes of a `.zkey` file.
///
/// # Errors
/// [`ZkeyError`] if the bytes are no key, or that of another circuit.
pub fn read_zkey(bytes: &[u8], circuit: &Circuit) -> Result<Prover, ZkeyError> {
    let found = split(bytes)?;
    let section = |number| {
        let rest = *found.get(&number).ok_or(ZkeyError::Section(number))?;
        Ok(Cursor { section: number, rest })
    };
    let mut protocol = section(sections::PROTOCOL)?;
    if protocol.number()? != 1 {
        return Err(ZkeyError::Magic);
    }
    protocol.end()?;

    let mut header = section(sections::HEADER)?;
    for order in [Fq::MODULUS, Fr::MODULUS] {
        if header.number()? != ELEMENT || header.bytes(ELEMENT)? != order.to_bytes_le() {
            return Err(ZkeyError::Magic);
        }
    }
    let (variables, publics) = (circuit.variables(), circuit.publics());
    let domain = Coset::domain_size(circuit.constraints() + 1 + publics);
    let domain = domain.ok_or(ZkeyError::Size)?;
    if [header.number()?, header.number()?, header.number()?] != [variables, publics, domain] {
        return Err(ZkeyError::Size);
    }
    let (alpha_g1, beta_g1, beta_g2) = (header.g1()?, header.g1()?, header.g2()?);
    let (gamma_g2, delta_g1, delta_g2) = (header.g2()?, header.g1()?, header.g2()?);
    header.end()?;
    let ones = [alpha_g1, beta_g1, delta_g1];
    if ones.iter().any(G1Affine::is_zero)
        || [beta_g2, gamma_g2, delta_g2].iter().any(G2Affine::is_zero)
    {
        return Err(ZkeyError::Point(sections::HEADER));
    }
    check_coefficients(section(sections::COEFFICIENTS)?, circuit)?;

    let g1s = |number, count| section(number)?.all(count, 2 * ELEMENT, read_g1);
    let gamma_abc_g1 = g1s(sections::INPUTS, 1 + publics)?;
    let key = ProvingKey {
        vk: VerifyingKey { alpha_g1, beta_g2, gamma_g2, delta_g2, gamma_abc_g1 },
        beta_g1,
        delta_g1,
        a_query: g1s(sections::A, variables)?,
        b_g1_query: g1s(sections::B_G1, variables)?,
        b_g2_query: section(sections::B_G2)?.all(variables, 4 * ELEMENT, read_g2)?,
        h_query: g1s(sections::H, domain)?,
        l_query: g1s(sections::C, variables - 1 - publics)?,
    };
    Ok(Prover { origin: Origin::Ceremony, circuit: circuit.digest(), key })
}

/// Compares the matrices A and B, with the rows that stand for the inputs, with the circuit's. The
/// order of rows is free, that in a row is the circuit's.
fn check_coefficients(mut cursor: Cursor<'_>, circuit: &Circuit) -> Result<(), ZkeyError> {
    let inputs = 1 + circuit.publics();
    let constraints = circuit.constraints();
    let expected = |column, row| circuit.row(column, row).len();
    let total: usize =
        (0..constraints).map(|row| expected(Column::A, row) + expected(Column::B, row)).sum();
    if cursor.number()? != total + inputs {
        return Err(ZkeyError::Constraints);
    }
    // Coefficients are stored times 2^512.
    let scale = Fr::from(2).pow([512]).inverse().unwrap_or_default();
    let mut seen = [vec![0_usize; constraints], vec![0; constraints]];
    let mut seen_inputs = vec![false; inputs];
    for _ in 0..total + inputs {
        let (matrix, row, variable) = (cursor.number()?, cursor.number()?, cursor.number()?);
        let value = Fr::from_bigint(limbs(cursor.bytes(ELEMENT)?)).ok_or(ZkeyError::Constraints)?;
        let value = value * scale;
        let right = match (matrix, row.checked_sub(constraints)) {
            (0, Some(input)) if input < inputs && !seen_inputs[input] => {
                seen_inputs[input] = true;
                input == variable && value == Fr::ONE
            }
            (0 | 1, None) => {
                let column = if matrix == 0 { Column::A } else { Column::B };
                let place = seen[matrix][row];
                seen[matrix][row] += 1;
                circuit.row(column, row).nth(place) == Some((variable, value))
            }
            _ => false,
        };
        if !right {
            return Err(ZkeyError::Constraints);
        }
    }
    cursor.end()
}
