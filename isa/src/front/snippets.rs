//! Recognises the constant bodies that rwasm's compiler emits for i64 operators.
//!
//! A call of code that is exactly such a body *is* the operator, whatever else the module does;
//! so the lowering may replace the call by native rows.

use std::sync::OnceLock;

use rwasm::{InstructionSet, Opcode};

macro_rules! snippets {
    ($($(#[$doc:meta])* $name:ident: $emit:ident, $height:ident, $weight:literal;)*) => {
        /// An i64 operator that rWasm runs as a call of a constant body.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Snippet { $($(#[$doc])* $name,)* }

        impl Snippet {
            /// All snippets.
            pub const ALL: &[Snippet] = &[$(Snippet::$name,)*];

            /// The height that the snippet's `StackCheck` asks for.
            pub const fn height(self) -> u32 {
                match self { $(Snippet::$name => InstructionSet::$height,)* }
            }

            /// About how many rWasm instructions a call of it executes.
            pub const fn weight(self) -> u16 {
                match self { $(Snippet::$name => $weight,)* }
            }

            fn body(self, code: &mut InstructionSet) {
                match self { $(Snippet::$name => code.$emit(),)* }
            }
        }
    };
}

snippets! {
    /// a == b
    Eq: op_i64_eq, MSH_I64_EQ, 10;
    /// a ≠ b
    Ne: op_i64_ne, MSH_I64_NE, 10;
    /// a < b, signed
    LtS: op_i64_lt_s, MSH_I64_LT_S, 15;
    /// a < b, unsigned
    LtU: op_i64_lt_u, MSH_I64_LT_U, 15;
    /// a > b, signed
    GtS: op_i64_gt_s, MSH_I64_GT_S, 15;
    /// a > b, unsigned
    GtU: op_i64_gt_u, MSH_I64_GT_U, 15;
    /// a ≤ b, signed
    LeS: op_i64_le_s, MSH_I64_LE_S, 15;
    /// a ≤ b, unsigned
    LeU: op_i64_le_u, MSH_I64_LE_U, 15;
    /// a ≥ b, signed
    GeS: op_i64_ge_s, MSH_I64_GE_S, 15;
    /// a ≥ b, unsigned
    GeU: op_i64_ge_u, MSH_I64_GE_U, 15;
    /// a + b
    Add: op_i64_add, MSH_I64_ADD, 14;
    /// a - b
    Sub: op_i64_sub, MSH_I64_SUB, 14;
    /// a · b
    Mul: op_i64_mul, MSH_I64_MUL, 18;
    /// a / b, signed
    DivS: op_i64_div_s, MSH_I64_DIV_S, 60;
    /// a / b, unsigned
    DivU: op_i64_div_u, MSH_I64_DIV_U, 25;
    /// a mod b, signed
    RemS: op_i64_rem_s, MSH_I64_REM_S, 60;
    /// a mod b, unsigned
    RemU: op_i64_rem_u, MSH_I64_REM_U, 25;
    /// a << b
    Shl: op_i64_shl, MSH_I64_SHL, 24;
    /// a >> b, signed
    ShrS: op_i64_shr_s, MSH_I64_SHR_S, 24;
    /// a >> b, unsigned
    ShrU: op_i64_shr_u, MSH_I64_SHR_U, 24;
    /// a rotated left
    RotL: op_i64_rotl, MSH_I64_ROTL, 37;
    /// a rotated right
    RotR: op_i64_rotr, MSH_I64_ROTR, 37;
    /// (a / b, a mod b), unsigned; the divisions call it
    DivMod: op_udivmod64, MSH_UDIVMOD64, 20;
}

impl Snippet {
    /// Whether the snippet itself calls another one.
    pub const fn nested(self) -> bool {
        matches!(self, Snippet::DivS | Snippet::DivU | Snippet::RemS | Snippet::RemU)
    }

    /// The snippet whose exact body starts at `entry`.
    pub fn at(code: &[Opcode], entry: u32) -> Option<Snippet> {
        static BODIES: OnceLock<Vec<Vec<Opcode>>> = OnceLock::new();
        let bodies = BODIES.get_or_init(|| Snippet::ALL.iter().map(|s| s.code()).collect());
        let code_at = code.get(entry as usize..)?;
        Snippet::ALL.iter().zip(bodies).find(|(_, body)| matches(code, code_at, body)).map(|f| *f.0)
    }

    /// The whole function as the compiler emits it; the target of a nested call is open.
    fn code(self) -> Vec<Opcode> {
        let mut code = InstructionSet::new();
        code.op_stack_check(self.height());
        self.body(&mut code);
        code.op_return();
        code.instr
    }
}

fn matches(code: &[Opcode], at: &[Opcode], body: &[Opcode]) -> bool {
    at.len() >= body.len()
        && at.iter().zip(body).all(|(found, expected)| match (found, expected) {
            // The only nested call is that of the division.
            (Opcode::CallInternal(target), Opcode::CallInternal(_)) => code
                .get(*target as usize..)
                .is_some_and(|at| matches(code, at, &Snippet::DivMod.code())),
            _ => found == expected,
        })
}
