//! One generated module: compiled, validated, and called in both machines.

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rwprove_executor::{Input, Options, Rows, Run, audit, cold, instantiate, seen};
use rwprove_fixtures::{
    exported_functions,
    oracle::{Host, Vm},
    smith::{self, Class, Random},
};
use rwprove_isa::{
    HALT_PC, Op, Program,
    front::{LoadError, Lowered, Module, Preset, host::import_linker, load, lower},
    validate::validate,
};

use super::tally::{SHORT, Tally};

/// Functions of a module that are called.
const EXPORTS: usize = 3;
/// Fuel of a call: endless loops are many, and more would only repeat them.
const FUEL: u64 = 15_000;
/// Fuel of one call, enough for frames and stack to run out.
const MUCH_FUEL: u64 = 60_000;
/// No run with that fuel has as many rows.
const MAX_ROWS: u64 = 1 << 26;
/// Longest run of the sample.
const SAMPLE_ROWS: u64 = 1 << 13;

/// Small shards, so that most recorded runs have several.
const SHARDS: Rows = Rows { cpu: 1 << 10, keccak: 20, merkle: 1000, ..Rows::each(500) };

/// A run for the constraints.
pub(super) struct Sampled {
    pub(super) name: String,
    pub(super) program: Program,
    pub(super) input: Input,
    pub(super) rows: u64,
}

/// A call of one entry.
#[derive(Clone, Debug)]
struct Call {
    /// Argument slots.
    args: Vec<u32>,
    input: Vec<u8>,
    state: u32,
    fuel: u64,
}

/// A module with one entry, in both forms.
struct Entry {
    name: String,
    class: Class,
    module: Module,
    lowered: Lowered,
    /// Instantiated, if it can be.
    warm: Option<Program>,
    cold: Program,
}

/// Examines the module with this number; of a sampled one a run is kept.
pub(super) fn examine(seed: u64, sampled: bool) -> Tally {
    let examined = catch_unwind(AssertUnwindSafe(|| {
        let mut tally = Tally::default();
        module(seed, sampled, &mut tally);
        tally
    }));
    examined.unwrap_or_else(|_| {
        let mut tally = Tally::default();
        tally.fail("panics", format!("module {seed:#x}"));
        tally
    })
}

fn module(seed: u64, sampled: bool, tally: &mut Tally) {
    tally.add("generated", 1);
    let class = smith::class(seed);
    let Some(wasm) = smith::module(seed) else {
        return tally.add("not_generated", 1);
    };
    let mut random = Random::new(!seed);
    let presets: Vec<_> = match class {
        Class::Contract => vec![Preset::Contract],
        _ => {
            let mut names = exported_functions(&wasm);
            while names.len() > EXPORTS {
                names.swap_remove(random.below(names.len() as u32) as usize);
            }
            names.into_iter().map(|name| Preset::Entry { name }).collect()
        }
    };
    for (i, preset) in presets.iter().enumerate() {
        let name = format!("module {seed:#x} ({class:?}) {preset:?}");
        let Some(mut entry) = Entry::new(name, class, &wasm, preset, tally) else { continue };
        tally.modules = 1;
        let longest = entry.calls(&mut random, tally);
        if let (0, Some(call)) = (i, longest) {
            entry.recorded(&call, sampled, tally);
        }
    }
}

impl Entry {
    fn new(
        name: String,
        class: Class,
        wasm: &[u8],
        preset: &Preset,
        tally: &mut Tally,
    ) -> Option<Self> {
        let module = match load(wasm, preset) {
            Ok(module) => module,
            Err(LoadError::Compile(why)) => {
                tally.not_compiled(why);
                return None;
            }
            Err(error) => {
                tally.fail("refused_by_loader", format!("{name}: {error}"));
                return None;
            }
        };
        let lowered = match lower(&module) {
            Ok(lowered) => lowered,
            Err(error) => {
                tally.fail("refused_by_lowering", format!("{name}: {error}"));
                return None;
            }
        };
        tally.add("lowerings", 1);
        if let Err(error) = validate(&module, &lowered) {
            tally.refused(format!("{name}: {error}"));
        }
        let cold = cold(&lowered.program, lowered.init);
        Some(Self { name, class, module, lowered, warm: None, cold })
    }

    /// Makes the calls and compares; the longest that is fit for the sample.
    fn calls(&mut self, random: &mut Random, tally: &mut Tally) -> Option<Call> {
        let slots = self.module.entry.map_or(0, |(args, _)| args) as usize;
        let mut vm = self.vm(&Call { args: Vec::new(), input: Vec::new(), state: 0, fuel: FUEL });
        if vm.instantiate(&self.module.rwasm).is_ok() {
            match instantiate(&self.lowered.program, self.lowered.init) {
                Ok(warm) => self.warm = Some(warm),
                Err(error) => tally.fail("differences", format!("{}: {error}", self.name)),
            }
        }
        let edges = [0, 1, u32::MAX, 0x8000_0000, 0x7fff_ffff, 16, 0xffff];
        let argument = |random: &mut Random| match random.below(3) {
            0 => edges[random.below(edges.len() as u32) as usize],
            1 => random.below(256),
            _ => random.word(),
        };
        let mut longest: Option<(u64, Call)> = None;
        for set in 0..5 {
            let args = match set {
                0..3 => vec![[0, 1, u32::MAX][set]; slots],
                _ => (0..slots).map(|_| argument(random)).collect(),
            };
            // Without arguments one call says it all, unless the host gives something.
            let host = matches!(self.class, Class::Host | Class::Contract);
            if slots == 0 && set > 0 && !host {
                break;
            }
            let input = (0..random.below(80)).map(|_| random.word() as u8).collect();
            let state = if self.class == Class::Contract { set as u32 % 2 } else { set as u32 };
            let fuel = if set == 3 { MUCH_FUEL } else { FUEL };
            let call = Call { args, input, state, fuel };
            let (rows, fuel) = self.compare(&call, false, tally);
            if rows <= SAMPLE_ROWS && longest.as_ref().is_none_or(|(most, _)| rows > *most) {
                longest = Some((rows, call.clone()));
            }
            if set % 3 == 0 {
                for (fuel, cold) in [(fuel, true), (fuel.saturating_sub(1), false)] {
                    self.compare(&Call { fuel, ..call.clone() }, cold, tally);
                }
            }
        }
        longest.map(|(_, call)| call)
    }

    /// Makes a call in both machines; rows and fuel that it took.
    fn compare(&self, call: &Call, cold: bool, tally: &mut Tally) -> (u64, u64) {
        let mut vm = self.vm(call);
        let rwasm = &self.module.rwasm;
        let (exit, values) = match vm.instantiate(rwasm) {
            Ok(()) => vm.call(rwasm, &call.args, self.results()),
            Err(exit) => (exit, Vec::new()),
        };
        let expected = vm.end(exit, values);
        let options = Options { limits: Vec::new(), max_rows: MAX_ROWS };
        let ours =
            Run::new(self.program(call, cold), &self.input(call), options).and_then(|mut run| {
                run.run_to_end()?;
                Ok((seen(&run, self.results())?, run.report()?))
            });
        let difference = match &ours {
            Ok((found, _)) => expected.difference(found),
            Err(error) => Some(error.to_string()),
        };
        if let Some(difference) = difference {
            tally.fail(
                "differences",
                format!("{} {call:x?} (cold: {cold}): {difference}", self.name),
            );
        }
        let (rows, instructions) =
            ours.map_or((0, 0), |(_, report)| (report.rows, report.instructions));
        tally.ran(self.class, expected.exit, rows, instructions);
        (rows, expected.fuel)
    }

    /// Makes a call once more with records: the audit must accept each, and blocks that are run to
    /// their end count as reached.
    fn recorded(&self, call: &Call, sampled: bool, tally: &mut Tally) {
        let (program, input) = (self.program(call, false), self.input(call));
        let options = Options { limits: vec![SHARDS], max_rows: MAX_ROWS };
        let mut reached = HashSet::new();
        let mut rows = 0;
        for record in Run::new(program, &input, options).into_iter().flatten() {
            let audited = record.map_err(|error| error.to_string()).and_then(|record| {
                rows += record.cpu.len() as u64;
                reached.extend(record.cpu.iter().map(|event| event.pc));
                audit(&record, program).map_err(|error| error.to_string())
            });
            match audited {
                Ok(()) => tally.add("audited_shards", 1),
                Err(error) => {
                    tally.fail("refused_by_audit", format!("{} {call:x?}: {error}", self.name))
                }
            }
        }
        for block in &self.lowered.blocks {
            let rows =
                block.lowered.clone().map(|pc| (pc, &self.lowered.program.code[pc as usize]));
            // Some blocks have a way out that is never taken as their last row.
            let last = rows.rev().find(|(_, row)| row.op != Op::Jump || row.c > HALT_PC as i32);
            let last = last.map_or(block.lowered.start, |(pc, _)| pc);
            if !block.lowered.is_empty() && reached.contains(&last) {
                let source = block.source.start as usize..block.source.end as usize;
                let names = self.module.rwasm.code_section[source].iter().map(|op| {
                    let name = format!("{op:?}");
                    name.split('(').next().unwrap().to_owned()
                });
                tally.opcodes.extend(names);
            }
        }
        if sampled && rows > SHORT {
            let (name, program) = (format!("{} {call:x?}", self.name), program.clone());
            tally.samples.push(Sampled { name, program, input, rows });
        }
    }

    fn results(&self) -> u32 {
        self.module.entry.map_or(0, |(_, results)| results)
    }

    fn program(&self, call: &Call, cold: bool) -> &Program {
        match &self.warm {
            Some(warm) if !cold && warm.fuel <= call.fuel => warm,
            _ => &self.cold,
        }
    }

    fn input(&self, call: &Call) -> Input {
        let mut bytes: Vec<u8> = call.args.iter().flat_map(|slot| slot.to_le_bytes()).collect();
        bytes.extend_from_slice(&call.input);
        Input { bytes, state: call.state, fuel_limit: Some(call.fuel) }
    }

    fn vm(&self, call: &Call) -> Vm {
        let host = Host { input: call.input.clone(), state: call.state, ..Host::default() };
        Vm::new(import_linker(), host, Some(call.fuel))
    }
}
