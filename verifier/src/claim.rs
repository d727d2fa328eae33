//! What the end of a run must look like to prove a statement.
//!
//! All of it is integer arithmetic on words that the verifier opened from the last memory root and
//! on the fuel that it summed up itself.

use rwprove_circuits::merkle::RegOpening;
use rwprove_isa::{Exit, InputDigest, Statement, Trap, layout::reg};
use thiserror::Error;

/// Which part of a statement does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Another program, or another security level.
    #[error("the statement is about another verification key")]
    Key,
    /// No host answers are supported yet.
    #[error("the digest of host answers must be zero")]
    Host,
    /// The run ended otherwise.
    #[error("the run ended with kind {kind} and code {code}, the statement says {expected:?}")]
    Exit {
        /// What the statement says.
        expected: Exit,
        /// The run's kind.
        kind: u32,
        /// The run's code.
        code: u32,
    },
    /// Another input.
    #[error("the run read another input")]
    Input,
    /// Another output.
    #[error("the run wrote another output")]
    Output,
    /// Other fuel.
    #[error("the run consumed {found} fuel, the statement says {expected}")]
    Fuel {
        /// What the statement says.
        expected: u64,
        /// What the run consumed.
        found: u64,
    },
    /// More fuel than the limit.
    #[error("the run consumed {consumed} fuel, the limit is {limit}")]
    OverLimit {
        /// The limit.
        limit: u64,
        /// What the run consumed.
        consumed: u64,
    },
    /// The run claims to be out of fuel although the refused charge fits.
    #[error("{consumed} fuel and a charge of {refused} are within the limit {limit}")]
    NotOutOfFuel {
        /// The limit.
        limit: u64,
        /// What the run consumed.
        consumed: u64,
        /// The charge that was refused.
        refused: u64,
    },
}

/// Checks everything of a statement but the key and the state, given the fuel `consumed` and the
/// run's results, which the caller has opened from the last root.
///
/// # Errors
/// The first part of the statement that does not hold.
pub fn check(statement: &Statement, consumed: u64, results: &RegOpening) -> Result<(), ClaimError> {
    let word = |address: u32| results.words[(address - reg::EXIT_KIND) as usize];
    let digest = |address: u32| {
        let mut digest = [0; 32];
        for (i, bytes) in (0..).zip(digest.chunks_exact_mut(4)) {
            bytes.copy_from_slice(&word(address + i).to_le_bytes());
        }
        digest
    };
    if statement.host != [0; 32] {
        return Err(ClaimError::Host);
    }
    let (kind, code) = (word(reg::EXIT_KIND), word(reg::EXIT_CODE));
    if (kind, code) != (statement.exit.kind(), statement.exit.code()) {
        return Err(ClaimError::Exit { expected: statement.exit, kind, code });
    }
    if matches!(statement.input, InputDigest::Public(i) if i != digest(reg::INPUT_DIGEST)) {
        return Err(ClaimError::Input);
    }
    if statement.output != digest(reg::OUTPUT_DIGEST) {
        return Err(ClaimError::Output);
    }
    if consumed != statement.fuel {
        return Err(ClaimError::Fuel { expected: statement.fuel, found: consumed });
    }
    let limit = statement.fuel_limit;
    if consumed > limit {
        return Err(ClaimError::OverLimit { limit, consumed });
    }
    // The machine lets the prover declare any charge refused; here it is held to the truth.
    let raised = word(reg::RAISED_OUT_OF_FUEL) == 1;
    if statement.exit == Exit::Trap(Trap::OutOfFuel) && !raised {
        let high = u64::from(word(reg::REFUSED_FUEL_HI));
        let refused = u64::from(word(reg::REFUSED_FUEL_LO)) | high << 32;
        if u128::from(consumed) + u128::from(refused) <= limit.into() {
            return Err(ClaimError::NotOutOfFuel { limit, consumed, refused });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        Statement {
            vkey: [7; 32],
            state: 0,
            fuel_limit: 1000,
            input: InputDigest::Public([1; 32]),
            host: [0; 32],
            exit: Exit::Ok,
            fuel: 900,
            output: [2; 32],
        }
    }

    fn results(exit: Exit, refused: u64, raised: u32) -> RegOpening {
        let mut words = [0; 32];
        let mut put = |address: u32, word| words[(address - reg::EXIT_KIND) as usize] = word;
        put(reg::EXIT_KIND, exit.kind());
        put(reg::EXIT_CODE, exit.code());
        put(reg::REFUSED_FUEL_LO, refused as u32);
        put(reg::REFUSED_FUEL_HI, (refused >> 32) as u32);
        put(reg::RAISED_OUT_OF_FUEL, raised);
        for i in 0..8 {
            put(reg::INPUT_DIGEST + i, 0x0101_0101);
            put(reg::OUTPUT_DIGEST + i, 0x0202_0202);
        }
        RegOpening { words, siblings: [Default::default(); RegOpening::LEVEL] }
    }

    #[test]
    fn each_part_counts() {
        let ok = results(Exit::Ok, 0, 0);
        assert_eq!(check(&statement(), 900, &ok), Ok(()));
        let private = Statement { input: InputDigest::Private, ..statement() };
        assert_eq!(check(&private, 900, &ok), Ok(()));
        let refused = |change: fn(&mut Statement)| {
            let mut statement = statement();
            change(&mut statement);
            check(&statement, 900, &ok).unwrap_err()
        };
        assert_eq!(refused(|s| s.host[31] = 1), ClaimError::Host);
        assert!(matches!(refused(|s| s.exit = Exit::Code(0)), ClaimError::Exit { .. }));
        assert_eq!(refused(|s| s.input = InputDigest::Public([3; 32])), ClaimError::Input);
        assert_eq!(refused(|s| s.output[0] = 0), ClaimError::Output);
        assert!(matches!(refused(|s| s.fuel = 899), ClaimError::Fuel { .. }));
        assert!(matches!(refused(|s| s.fuel_limit = 899), ClaimError::OverLimit { .. }));
        assert!(check(&Statement { fuel_limit: 900, ..statement() }, 900, &ok).is_ok());
    }

    #[test]
    fn exits_are_not_confused() {
        let exits = [Exit::Ok, Exit::Code(0), Exit::Code(3), Exit::Code(-1)];
        let traps = Trap::ALL.iter().filter(|t| **t != Trap::OutOfFuel).map(|t| Exit::Trap(*t));
        let all: Vec<_> = exits.into_iter().chain(traps).collect();
        for (i, said) in all.iter().enumerate() {
            for (j, ran) in all.iter().enumerate() {
                let statement = Statement { exit: *said, ..statement() };
                assert_eq!(check(&statement, 900, &results(*ran, 0, 0)).is_ok(), i == j);
            }
        }
    }

    #[test]
    fn out_of_fuel_is_exact() {
        let exit = Exit::Trap(Trap::OutOfFuel);
        let statement = Statement { exit, ..statement() };
        let run = |refused, raised| check(&statement, 900, &results(exit, refused, raised));
        assert!(matches!(run(100, 0), Err(ClaimError::NotOutOfFuel { refused: 100, .. })));
        assert_eq!(run(101, 0), Ok(()));
        assert_eq!(run(u64::MAX, 0), Ok(()));
        assert_eq!(run(0, 1), Ok(()));
        assert!(run(0, 0).is_err());
        assert!(run(0, 2).is_err());
        // The high word counts.
        assert_eq!(run(1 << 32, 0), Ok(()));
        // Without limit nothing is ever refused but charges beyond 2^64.
        let free = Statement { fuel_limit: u64::MAX, ..statement };
        assert!(check(&free, 900, &results(exit, 1 << 63, 0)).is_err());
        assert!(check(&free, 900, &results(exit, u64::MAX, 0)).is_ok());
    }
}
