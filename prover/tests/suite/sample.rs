//! Which assertions are taken: from each file every so-manieth.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rwprove_executor::{ExecError, Input, Report, execute, instantiate};
use rwprove_fixtures::{
    self as fixtures,
    suite::{self, Action, Expected, Script},
};
use rwprove_isa::{
    Exit, Program, Trap,
    front::{LoadError, Preset, load, lower},
    validate::validate,
};

use crate::MAX_ROWS;

/// Assertions that are taken from a file if it has as many.
const RETURNS: usize = 4;
const TRAPS: usize = 3;

/// One assertion.
pub(crate) struct Case {
    /// File and line.
    pub(crate) name: String,
    /// Argument slots.
    pub(crate) args: Vec<u32>,
    /// Whether it is proved as well.
    pub(crate) prove: bool,
    expected: Expected,
}

/// Assertions about one export of one module.
pub(crate) struct Called {
    pub(crate) file: String,
    pub(crate) program: Program,
    pub(crate) cases: Vec<Case>,
}

/// Assertions that were passed over while choosing.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    /// rwasm does not compile the module.
    pub(crate) refused: usize,
    /// The run reaches an operation that rwasm compiles but does not execute.
    pub(crate) floats: usize,
    /// A fresh instance gives something else.
    pub(crate) state: usize,
    /// The run is too long for this test.
    pub(crate) long: usize,
}

pub(crate) struct Sample {
    pub(crate) programs: Vec<Called>,
    pub(crate) left_out: LeftOut,
}

impl Case {
    pub(crate) fn traps(&self) -> bool {
        matches!(self.expected, Expected::Traps(_))
    }

    /// The input tape.
    pub(crate) fn input(&self) -> Input {
        let bytes = self.args.iter().flat_map(|slot| slot.to_le_bytes()).collect();
        Input { bytes, ..Input::default() }
    }

    /// Whether a run ended as the script says.
    pub(crate) fn holds(&self, report: &Report) -> bool {
        let exit = match report.exit {
            Exit::Ok => fixtures::Exit::Ok,
            Exit::Code(code) => fixtures::Exit::Code(code),
            Exit::Trap(trap) => fixtures::Exit::Trap(trap.code()),
        };
        let slots = report.output.chunks(4);
        let slots: Vec<_> = slots.map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect();
        self.expected.holds(exit, &slots)
    }
}

/// From Wasm to the program that is proved; `None` if rwasm's compiler refuses the module.
fn program(wasm: &[u8], export: &str, at: &str) -> Option<Program> {
    let module = match load(wasm, &Preset::Entry { name: export.to_owned() }) {
        Err(LoadError::Compile(_)) => return None,
        module => module.unwrap(),
    };
    let lowered = lower(&module).unwrap();
    validate(&module, &lowered).unwrap_or_else(|error| panic!("{at} {export}: {error}"));
    Some(instantiate(&lowered.program, lowered.init).unwrap())
}

/// The sample of all files; in every second one an assertion is to be proved, a trap in some.
pub(crate) fn sample() -> Sample {
    let scripts: Vec<_> = suite::version_2().chain(suite::proposals()).collect();
    let (mut files, left_out): (Vec<_>, Vec<_>) = scripts.par_iter().map(choose).unzip();
    files.retain(|programs| !programs.is_empty());
    for (i, programs) in files.iter_mut().enumerate().step_by(2) {
        let cases = programs.iter_mut().flat_map(|called| &mut called.cases);
        let trap = i % 3 == 0;
        if let Some(case) = cases.min_by_key(|case| case.traps() != trap) {
            case.prove = true;
        }
    }
    Sample {
        programs: files.into_iter().flatten().collect(),
        left_out: left_out.into_iter().fold(LeftOut::default(), |sum, file| LeftOut {
            refused: sum.refused + file.refused,
            floats: sum.floats + file.floats,
            state: sum.state + file.state,
            long: sum.long + file.long,
        }),
    }
}

/// The sample of a file: every so-manieth assertion and then the others, until there are enough.
fn choose(script: &Script) -> (Vec<Called>, LeftOut) {
    let (traps, returns): (Vec<_>, Vec<_>) =
        cases(script).into_iter().partition(|(.., case)| case.traps());
    let mut programs = BTreeMap::new();
    let mut left_out = LeftOut::default();
    for (list, wanted) in [(returns, RETURNS), (traps, TRAPS)] {
        let mut taken = 0;
        for (module, export, case) in spread(list, wanted) {
            if taken == wanted {
                break;
            }
            let called = programs.entry((module, export)).or_insert_with(|| {
                let program = program(&script.modules[module], export, &script.name)?;
                Some(Called { file: script.name.clone(), program, cases: Vec::new() })
            });
            let Some(called) = called else {
                left_out.refused += 1;
                continue;
            };
            match execute(&called.program, &case.input(), MAX_ROWS) {
                Ok(report) if case.holds(&report) => {
                    called.cases.push(case);
                    taken += 1;
                }
                Ok(Report { exit: Exit::Trap(Trap::IllegalOpcode), .. }) => left_out.floats += 1,
                Ok(_) => left_out.state += 1,
                Err(ExecError::RowLimit(_)) => left_out.long += 1,
                Err(error) => panic!("{}: {error}", case.name),
            }
        }
    }
    let programs = programs.into_values().flatten().filter(|called| !called.cases.is_empty());
    (programs.collect(), left_out)
}

/// The assertions about calls, with module and export.
fn cases(script: &Script) -> Vec<(usize, &str, Case)> {
    let mut cases = Vec::new();
    for step in &script.steps {
        if let (Action::Call { module, name, args }, Some(expected)) =
            (&step.action, &step.expected)
        {
            let at = format!("{}:{} {name}", script.name, step.line);
            let (args, expected) = (args.clone(), expected.clone());
            cases.push((*module, name.as_str(), Case { name: at, args, prove: false, expected }));
        }
    }
    cases
}

/// Brings `wanted` items that are evenly spread over the list to its front, then as many others.
fn spread<T>(list: Vec<T>, wanted: usize) -> impl Iterator<Item = T> {
    let step = list.len().div_ceil(wanted).max(1);
    let mut list: Vec<_> = list.into_iter().enumerate().collect();
    list.sort_by_key(|(i, _)| i % step);
    list.into_iter().map(|(_, item)| item)
}
