//! One attempt: the false run, its tables, and what the judge says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rwprove_circuits::machine::Instance;
use rwprove_executor::{Adversary, FalseRun, Moment};
use rwprove_isa::{Instr, record::Record};

use super::{
    judge::{Judge, Verdict},
    site::{Fault, Site},
};

/// Lets a fault happen at its site.
pub(crate) struct Saboteur<'a> {
    pub(crate) fault: &'a Fault,
    pub(crate) site: Site<'a>,
}

impl Saboteur<'_> {
    /// Whether the fault is about this row, if the false run still is where the honest one was.
    fn here(&self, moment: &Moment<'_>) -> bool {
        let first = moment.row == self.site.row && moment.pc == self.site.event.pc;
        first || self.site.other == Some(moment.row)
    }
}

impl Adversary for Saboteur<'_> {
    fn before(&mut self, moment: &mut Moment<'_>) -> Option<Instr> {
        self.here(moment).then(|| (self.fault.before)(moment, &mut self.site)).flatten()
    }

    fn after(&mut self, moment: &mut Moment<'_>) {
        if self.here(moment) {
            (self.fault.after)(moment, &mut self.site);
        }
    }
}

/// Whether two records of a shard say the same.
fn same(a: &Record, b: &Record) -> bool {
    a.cpu == b.cpu
        && a.chunks == b.chunks
        && a.end == b.end
        && a.access == b.access
        && a.refresh == b.refresh
        && a.keccak == b.keccak
        && a.fuel == b.fuel
        && [&a.bitwise, &a.shift, &a.mul, &a.div, &a.bits]
            == [&b.bitwise, &b.shift, &b.mul, &b.div, &b.bits]
}

/// Whether these tables are those of the honest run.
fn honest_tables(site: &Site, tables: &[Instance]) -> bool {
    let honest = &site.subject.shards[site.shard];
    let mut judge = Judge { subject: site.subject, tree: honest.tree.clone(), state: honest.state };
    let filled = judge.fill(&honest.record, |_| ());
    let same = |(a, b): (&Instance, &Instance)| a.trace == b.trace && a.publics == b.publics;
    filled.instances.len() == tables.len() && filled.instances.iter().zip(tables).all(same)
}

/// Lets it happen, and judges. `Err` is a panic, which must not be.
pub(crate) fn attempt(fault: &Fault, site: &Site) -> Result<Verdict, String> {
    catch_unwind(AssertUnwindSafe(|| judged(fault, site.clone()))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        format!("panic: {}", text.unwrap_or_default())
    })
}

fn judged(fault: &Fault, site: Site) -> Verdict {
    let subject = site.subject;
    let honest = &subject.shards[site.shard];
    let mut options = subject.options();
    if fault.ends {
        options.max_rows = site.row;
    }
    let mut judge = Judge { subject, tree: honest.tree.clone(), state: honest.state };
    let mut saboteur = Saboteur { fault, site };
    let mut run = FalseRun::new(&subject.program, &subject.input, options, &mut saboteur).unwrap();
    let mut shard = 0;
    while let Some(record) = run.next() {
        let (number, mut record) = (shard, record.unwrap());
        let site = &run.adversary().site;
        shard += 1;
        if number < site.shard {
            continue;
        }
        let mut changed = number > site.shard;
        if number == site.shard {
            (fault.start)(&mut judge.tree, site);
            (fault.record)(&mut record, site);
            changed |= !same(&record, site.record);
        }
        let mut filled = judge.fill(&record, |update| {
            if number == site.shard {
                changed |= (fault.tree)(update, site);
            }
        });
        if number == site.shard {
            changed |= (fault.tables)(&mut filled.instances, &record, site);
        }
        if !changed {
            return Verdict::Same;
        }
        let tables = (number == site.shard).then(|| filled.instances.clone());
        if let Err(rule) = judge.shard(filled) {
            return Verdict::Refused(rule);
        }
        // A record may differ in what no table reads, such as a constant that the program has.
        if tables.is_some_and(|tables| honest_tables(site, &tables)) {
            return Verdict::Same;
        }
    }
    match judge.end(run.run().memory()) {
        Ok(()) => Verdict::Accepted,
        Err(rule) => Verdict::Refused(rule),
    }
}
