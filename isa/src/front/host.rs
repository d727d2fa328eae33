//! Fluent's host interface `fluentbase_v1preview`: names, indices, signatures and fuel.
//!
//! Indices and fuel are consensus data: rwasm's compiler turns them into code, so a wrong number
//! here is a different module. Which calls have a proof is said by
//! [`Routine::host_call`](crate::runtime::Routine::host_call); the others are refused at load.

use std::sync::Arc;

use rwasm::{
    ImportLinker, ImportName, LinearFuelParams, QuadraticFuelParams, SyscallFuelParams, ValType,
};

use crate::runtime::Routine;

/// The module that contracts import from.
pub const MODULE: &str = "fluentbase_v1preview";

/// Fuel that one gas of the chain is.
pub const FUEL_PER_GAS: u32 = 20;

/// A host call as rwasm's compiler and the stack-height check need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostCall {
    /// Name of the import.
    pub name: &'static str,
    /// Index in rWasm's `Call`.
    pub index: u32,
    /// Types of the parameters.
    pub params: &'static [ValType],
    /// Types of the results.
    pub results: &'static [ValType],
    /// What the compiler charges before the call.
    pub fuel: Fuel,
}

/// How the fuel of a host call depends on its parameters, in gas (one gas is
/// [`FUEL_PER_GAS`] fuel).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fuel {
    /// Nothing.
    Free,
    /// A constant.
    Gas(u32),
    /// `base + word * ceil(x / 32)` with `x` the parameter of that index.
    Linear {
        /// Index of the parameter.
        param: u32,
        /// Gas of each call.
        base: u32,
        /// Gas for each 32 bytes.
        word: u32,
    },
    /// `word * w + w² / divisor` with `w = ceil(x / 32)`.
    Quadratic {
        /// Depth of the parameter on the stack.
        depth: u32,
        /// Gas for each 32 bytes.
        word: u32,
        /// Divisor of the square.
        divisor: u32,
    },
}

use Fuel::{Free, Gas, Linear, Quadratic};
use ValType::{I32, I64};

macro_rules! host_calls {
    ($($index:literal $name:ident ($($param:ident),*) -> ($($result:ident),*) $fuel:expr;)*) => {
        /// All host calls, by rising index within their families.
        pub const HOST_CALLS: &[HostCall] = &[$(HostCall {
            name: stringify!($name),
            index: $index,
            params: &[$($param),*],
            results: &[$($result),*],
            fuel: $fuel,
        },)*];
    };
}

host_calls! {
    0x01 _exit(I32) -> () Free;
    0x02 _state() -> (I32) Gas(20);
    0x03 _read(I32, I32, I32) -> () Linear { param: 1, base: 20, word: 3 };
    0x04 _input_size() -> (I32) Gas(20);
    0x05 _write(I32, I32) -> () Linear { param: 1, base: 20, word: 25 };
    0x06 _output_size() -> (I32) Gas(20);
    0x07 _read_output(I32, I32, I32) -> () Linear { param: 1, base: 20, word: 3 };
    0x09 _exec(I32, I32, I32, I32, I32) -> (I32) Quadratic { depth: 3, word: 3, divisor: 512 };
    0x0a _resume(I32, I32, I32, I32, I32) -> (I32) Free;
    0x0b _forward_output(I32, I32) -> () Linear { param: 1, base: 20, word: 25 };
    0x0d _fuel() -> (I64) Gas(20);
    0x10 _debug_log(I32, I32) -> () Linear { param: 1, base: 50, word: 16 };
    0x11 _charge_fuel(I64) -> () Gas(20);
    0x12 _enter_unconstrained() -> () Free;
    0x13 _exit_unconstrained() -> () Free;
    0x101 _keccak256(I32, I32, I32) -> () Linear { param: 2, base: 30, word: 6 };
    0x102 _keccak256_permute(I32) -> () Gas(30);
    0x105 _sha256_extend(I32) -> () Gas(60);
    0x106 _sha256_compress(I32, I32) -> () Gas(60);
    0x117 _blake3(I32, I32, I32) -> () Linear { param: 2, base: 60, word: 12 };
    0x118 _sha256(I32, I32, I32) -> () Linear { param: 2, base: 60, word: 12 };
    0x201 _ed25519_decompress(I32, I32) -> () Gas(5000);
    0x202 _ed25519_add(I32, I32) -> () Gas(1500);
    0x301 _tower_fp1_bn254_add(I32, I32) -> () Gas(6);
    0x302 _tower_fp1_bn254_sub(I32, I32) -> () Gas(6);
    0x303 _tower_fp1_bn254_mul(I32, I32) -> () Gas(24);
    0x304 _tower_fp1_bls12381_add(I32, I32) -> () Gas(8);
    0x305 _tower_fp1_bls12381_sub(I32, I32) -> () Gas(8);
    0x306 _tower_fp1_bls12381_mul(I32, I32) -> () Gas(32);
    0x307 _tower_fp2_bn254_add(I32, I32, I32, I32) -> () Gas(12);
    0x308 _tower_fp2_bn254_sub(I32, I32, I32, I32) -> () Gas(12);
    0x309 _tower_fp2_bn254_mul(I32, I32, I32, I32) -> () Gas(48);
    0x30a _tower_fp2_bls12381_add(I32, I32, I32, I32) -> () Gas(16);
    0x30b _tower_fp2_bls12381_sub(I32, I32, I32, I32) -> () Gas(16);
    0x30c _tower_fp2_bls12381_mul(I32, I32, I32, I32) -> () Gas(64);
    0x401 _secp256k1_add(I32, I32) -> () Gas(150);
    0x402 _secp256k1_decompress(I32, I32) -> () Gas(4000);
    0x403 _secp256k1_double(I32) -> () Gas(150);
    0x501 _secp256r1_add(I32, I32) -> () Gas(150);
    0x502 _secp256r1_decompress(I32, I32) -> () Gas(4000);
    0x503 _secp256r1_double(I32) -> () Gas(150);
    0x601 _bls12381_add(I32, I32) -> () Gas(600);
    0x602 _bls12381_decompress(I32, I32) -> () Gas(600);
    0x603 _bls12381_double(I32) -> () Gas(600);
    0x701 _bn254_add(I32, I32) -> () Gas(150);
    0x702 _bn254_double(I32) -> () Gas(150);
    0x801 _uint256_mul_mod(I32, I32, I32) -> () Gas(8);
    0x802 _uint256_x2048_mul(I32, I32, I32, I32) -> () Gas(5000);
}

impl HostCall {
    /// The host call with this index.
    pub fn find(index: u32) -> Option<&'static HostCall> {
        HOST_CALLS.iter().find(|call| call.index == index)
    }

    /// Whether runs that make the call can be proved.
    pub const fn supported(&self) -> bool {
        Routine::host_call(self.index).is_some()
    }

    /// Whether the call does not come back.
    pub const fn ends_run(&self) -> bool {
        matches!(Routine::host_call(self.index), Some(routine) if routine.is_exit())
    }

    fn fuel_params(&self) -> SyscallFuelParams {
        let rate = FUEL_PER_GAS;
        match self.fuel {
            Free => SyscallFuelParams::None,
            Gas(gas) => SyscallFuelParams::Const((gas * FUEL_PER_GAS) as u64),
            Linear { param, base, word } => SyscallFuelParams::LinearFuel(LinearFuelParams {
                base_fuel: base * rate,
                param_index: param,
                word_cost: word * rate,
            }),
            Quadratic { depth, word, divisor } => {
                SyscallFuelParams::QuadraticFuel(QuadraticFuelParams {
                    local_depth: depth,
                    word_cost: word,
                    divisor,
                    fuel_denom_rate: rate,
                })
            }
        }
    }
}

/// Slots that values of these types take.
pub fn slots(types: &[ValType]) -> u32 {
    types.iter().map(|ty| if matches!(ty, I64 | ValType::F64) { 2 } else { 1 }).sum()
}

/// The import linker that rwasm's compiler resolves imports with.
pub fn import_linker() -> Arc<ImportLinker> {
    let mut linker = ImportLinker::default();
    for call in HOST_CALLS {
        linker.insert_function(
            ImportName::new(MODULE, call.name),
            call.index,
            call.fuel_params(),
            call.params,
            call.results,
        );
    }
    Arc::new(linker)
}
