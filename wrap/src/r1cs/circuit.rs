//! A finished constraint system.

use std::collections::HashMap;

use ark_ff::{AdditiveGroup, BigInt, PrimeField};
use tiny_keccak::{Hasher, Keccak};

use super::wire::{Variable, Wire};
use crate::Fr;

/// One of the three matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The left factor.
    A,
    /// The right factor.
    B,
    /// The product.
    C,
}

impl Column {
    /// All three.
    pub const ALL: [Column; 3] = [Column::A, Column::B, Column::C];
}

/// The rows of a sparse matrix, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    /// Where each row ends.
    ends: Vec<usize>,
    /// Variable, and index of the coefficient.
    terms: Vec<(Variable, u32)>,
}

/// A constraint system.
#[derive(Clone, Debug)]
pub struct Circuit {
    publics: usize,
    variables: usize,
    matrices: [Matrix; 3],
    /// The distinct coefficients; there are few.
    coefficients: Vec<Fr>,
    index: HashMap<BigInt<4>, u32>,
}

impl Circuit {
    pub(super) fn new(publics: usize) -> Self {
        Self {
            publics,
            variables: 1 + publics,
            matrices: Default::default(),
            coefficients: Vec::new(),
            index: HashMap::new(),
        }
    }

    pub(super) fn push(&mut self, row: [&Wire; 3]) {
        for (matrix, wire) in self.matrices.iter_mut().zip(row) {
            for (variable, c) in &wire.terms {
                // The Montgomery form is as good a name of an element as any.
                let index = *self.index.entry(c.0).or_insert_with(|| {
                    self.coefficients.push(*c);
                    self.coefficients.len() as u32 - 1
                });
                matrix.terms.push((*variable, index));
            }
            matrix.ends.push(matrix.terms.len());
        }
    }

    pub(super) fn set_variables(&mut self, variables: usize) {
        self.variables = variables;
    }

    /// Public inputs, without the constant one.
    pub fn publics(&self) -> usize {
        self.publics
    }

    /// All variables: the constant one, the public inputs, the witness.
    pub fn variables(&self) -> usize {
        self.variables
    }

    /// Number of constraints.
    pub fn constraints(&self) -> usize {
        self.matrices[0].ends.len()
    }

    /// Non-zero coefficients in all matrices.
    pub fn non_zero(&self) -> usize {
        self.matrices.iter().map(|matrix| matrix.terms.len()).sum()
    }

    /// The non-zero coefficients of a row by variable, in rising order; none if there is no such
    /// row.
    pub fn row(&self, column: Column, row: usize) -> impl ExactSizeIterator<Item = (usize, Fr)> {
        let matrix = &self.matrices[column as usize];
        let start = row.checked_sub(1).and_then(|before| matrix.ends.get(before)).copied();
        let end = matrix.ends.get(row).copied().unwrap_or(0);
        let terms = matrix.terms.get(start.unwrap_or(0)..end).unwrap_or(&[]);
        terms.iter().map(|(variable, c)| (*variable as usize, self.coefficients[*c as usize]))
    }

    /// The first constraint that these values of all variables break; the number of constraints
    /// if there are not as many values.
    pub fn broken(&self, values: &[Fr]) -> Option<usize> {
        if values.len() != self.variables {
            return Some(self.constraints());
        }
        let product = |column, row| -> Fr {
            self.row(column, row).map(|(variable, c)| c * values[variable]).sum()
        };
        (0..self.constraints()).find(|&row| {
            product(Column::A, row) * product(Column::B, row) != product(Column::C, row)
        })
    }

    /// Keccak-256 of the whole system: what keys belong to.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Keccak::v256();
        let mut number = |n: usize| hasher.update(&(n as u64).to_le_bytes());
        number(self.publics);
        number(self.variables);
        number(self.constraints());
        number(self.coefficients.len());
        for matrix in &self.matrices {
            matrix.ends.iter().for_each(|end| number(*end));
            matrix.terms.iter().for_each(|(v, c)| number((*v as usize) << 32 | *c as usize));
        }
        for c in &self.coefficients {
            c.into_bigint().0.iter().for_each(|limb| hasher.update(&limb.to_le_bytes()));
        }
        let mut digest = [0; 32];
        hasher.finalize(&mut digest);
        digest
    }
}

/// Whether a constraint holds.
pub(super) fn holds([a, b, c]: [Fr; 3]) -> bool {
    a * b - c == Fr::ZERO
}
