//! Circuits in iden3's `.r1cs` format, which snarkjs runs ceremonies on.

use std::io::{self, Write};

use ark_ff::{BigInteger, PrimeField};

use crate::{
    Fr,
    r1cs::{Circuit, Column},
};

/// Bytes of an element.
const ELEMENT: usize = 32;

/// Bytes of a section that holds so much, with its own header.
fn section(to: &mut impl Write, number: u32, length: usize) -> io::Result<()> {
    to.write_all(&number.to_le_bytes())?;
    to.write_all(&(length as u64).to_le_bytes())
}

/// Writes a circuit: its header, its constraints, and labels that are the variables' numbers.
///
/// # Errors
/// What the writer says, and [`io::ErrorKind::InvalidInput`] if a count needs more than 32 bits.
pub fn write_r1cs(circuit: &Circuit, to: &mut impl Write) -> io::Result<()> {
    let count = |n: usize| u32::try_from(n).map_err(|_| io::ErrorKind::InvalidInput.into());
    let count = |n: usize| -> io::Result<[u8; 4]> { count(n).map(u32::to_le_bytes) };
    to.write_all(b"r1cs")?;
    to.write_all(&count(1)?)?; // version
    to.write_all(&count(3)?)?; // sections

    section(to, 1, 4 + ELEMENT + 4 * 4 + 8 + 4)?;
    to.write_all(&count(ELEMENT)?)?;
    to.write_all(&Fr::MODULUS.to_bytes_le())?;
    let private = circuit.variables() - 1 - circuit.publics();
    to.write_all(&count(circuit.variables())?)?;
    to.write_all(&count(0)?)?; // outputs
    to.write_all(&count(circuit.publics())?)?;
    to.write_all(&count(private)?)?;
    to.write_all(&(circuit.variables() as u64).to_le_bytes())?; // labels
    to.write_all(&count(circuit.constraints())?)?;

    section(to, 2, 3 * 4 * circuit.constraints() + (4 + ELEMENT) * circuit.non_zero())?;
    for row in 0..circuit.constraints() {
        for column in Column::ALL {
            let terms = circuit.row(column, row);
            to.write_all(&count(terms.len())?)?;
            for (variable, c) in terms {
                to.write_all(&count(variable)?)?;
                to.write_all(&c.into_bigint().to_bytes_le())?;
            }
        }
    }

    section(to, 3, 8 * circuit.variables())?;
    (0..circuit.variables()).try_for_each(|i| to.write_all(&(i as u64).to_le_bytes()))
}
