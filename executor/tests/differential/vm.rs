//! rwasm's virtual machine with Fluent's host calls.

use rwasm::{ExecutionEngine, RwasmModule, RwasmStore, StoreTr, TrapCode, TypedCaller, Value};
use rwprove_isa::{Exit, Trap, front::host::import_linker, keccak256};

use crate::{End, GLOBALS, Memory, TABLES};

/// What the host calls see and leave behind.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) input: Vec<u8>,
    pub(crate) state: u32,
    pub(crate) output: Vec<u8>,
    pub(crate) exit: Option<i32>,
}

const OUT_OF_BOUNDS: i32 = -1007;

fn host_call(
    caller: &mut TypedCaller<'_, Host>,
    index: u32,
    params: &[Value],
    results: &mut [Value],
) -> Result<(), TrapCode> {
    let arg = |i: usize| params[i].i32().unwrap() as u32 as usize;
    let halt = |caller: &mut TypedCaller<'_, Host>, code| {
        caller.data_mut().exit = Some(code);
        Err(TrapCode::ExecutionHalted)
    };
    match index {
        0x01 => return halt(caller, arg(0) as i32),
        0x02 => results[0] = Value::I32(caller.data().state as i32),
        0x03 => {
            let Some(bytes) = caller.data().input.get(arg(1)..).and_then(|t| t.get(..arg(2)))
            else {
                return halt(caller, OUT_OF_BOUNDS);
            };
            let bytes = bytes.to_vec();
            caller.memory_write(arg(0), &bytes)?;
        }
        0x04 => results[0] = Value::I32(caller.data().input.len() as i32),
        0x05 => {
            let bytes = caller.memory_read_into_vec(arg(0), arg(1))?;
            caller.data_mut().output.extend(bytes);
        }
        0x0d => {
            let left = caller.remaining_fuel().unwrap_or(u64::MAX);
            results[0] = Value::I64(left as i64);
        }
        0x10 => {
            caller.memory_read_into_vec(arg(0), arg(1))?;
        }
        0x11 => caller.try_consume_fuel(params[0].i64().unwrap() as u64)?,
        0x101 => {
            let bytes = caller.memory_read_into_vec(arg(0), arg(1))?;
            caller.memory_write(arg(2), &keccak256(&bytes))?;
        }
        _ => return Err(TrapCode::UnknownExternalFunction),
    }
    Ok(())
}

/// A store and what happened in it.
pub(crate) struct Vm {
    store: RwasmStore<Host>,
}

impl Vm {
    pub(crate) fn new(host: Host, fuel: Option<u64>) -> Self {
        Self { store: RwasmStore::new(import_linker(), host, host_call, fuel, None) }
    }

    /// Runs the prologue.
    pub(crate) fn instantiate(&mut self, module: &RwasmModule) -> Result<(), Exit> {
        let result = ExecutionEngine::new().entrypoint(&mut self.store, module);
        match self.exit(result) {
            Exit::Ok => Ok(()),
            exit => Err(exit),
        }
    }

    /// Calls the entry of a module that has the same layout as the one that was instantiated.
    pub(crate) fn call(&mut self, module: &RwasmModule, args: &[u32], results: u32) -> Exit {
        self.results(module, args, results).0
    }

    /// As [`Vm::call`], with the results.
    pub(crate) fn results(
        &mut self,
        module: &RwasmModule,
        args: &[u32],
        results: u32,
    ) -> (Exit, Vec<u32>) {
        let args: Vec<_> = args.iter().map(|&slot| Value::I32(slot as i32)).collect();
        let mut values = vec![Value::I32(0); results as usize];
        let result = ExecutionEngine::new().execute(&mut self.store, module, &args, &mut values);
        let exit = self.exit(result);
        if exit != Exit::Ok {
            return (exit, Vec::new());
        }
        (exit, values.iter().map(|value| value.i32().unwrap() as u32).collect())
    }

    /// Forgets what a call leaves behind for good, so that the next call starts clean.
    pub(crate) fn next(&mut self) {
        self.store.reset(true);
    }

    fn exit(&self, result: Result<(), TrapCode>) -> Exit {
        match (result, self.store.data().exit) {
            (_, Some(code)) => Exit::Code(code),
            (Ok(()), None) => Exit::Ok,
            (Err(trap), None) => Exit::Trap(Trap::from_code(trap as u32).unwrap()),
        }
    }

    pub(crate) fn end(&self, exit: Exit, results: Vec<u32>) -> End {
        let mut tables = vec![Vec::new(); TABLES as usize];
        for (table, _, full) in self.store.table_snapshots_nullness_prefix(1 << 16) {
            if let Some(nulls) = tables.get_mut(table as usize) {
                *nulls = full.iter().map(|&full| full == 0).collect();
            }
        }
        End {
            exit,
            results,
            output: self.store.data().output.clone(),
            fuel: self.store.fuel_consumed(),
            memory: Memory(self.store.memory_snapshot()),
            globals: (0..GLOBALS).map(|i| self.store.global_word_bits(i)).collect(),
            tables,
        }
    }
}
