//! The rules of one table, each by itself.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_lookup::SymbolicInteraction;

use super::tape::{Read, Tape, Window};
use crate::{
    Val,
    bus::{self, Bus, Message, tag},
    program::REFUSED,
    symbolic,
    table::Table,
};

/// One thing that can be deleted from a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A constraint, by its number in the order of evaluation.
    Constraint(usize),
    /// A message, by its number in the order of evaluation.
    Message(usize),
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Rule::Constraint(number) => write!(f, "constraint {number}"),
            Rule::Message(number) => write!(f, "message {number}"),
        }
    }
}

/// A fixed table that is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fixed {
    Range16,
    And,
    Pair,
    Pow,
    Fetch,
}

impl Fixed {
    /// The table that is looked up by messages of a bus with this tag.
    fn of(bus: &str, tag: Option<Val>) -> Option<Self> {
        if bus == Bus::Range.name() {
            return Some(Self::Range16);
        }
        let tag = tag?.as_canonical_u32();
        match tag {
            tag::AND if bus == Bus::Bytes.name() => Some(Self::And),
            tag::PAIR if bus == Bus::Bytes.name() => Some(Self::Pair),
            tag::POW if bus == Bus::Bytes.name() => Some(Self::Pow),
            tag::FETCH if bus == Bus::Ask.name() => Some(Self::Fetch),
            _ => None,
        }
    }

    /// Whether a message is a lookup of something that is not there.
    pub(super) fn missed(message: &Message<Val>, code: &[[Val; 8]]) -> bool {
        if bus::is_lookup(message) {
            return !bus::holds(message);
        }
        let (kind, fields) = bus::describe(message);
        let fields: Vec<_> = fields.into_iter().map(Val::from_u32).collect();
        kind == "fetch" && fields.len() == 8 && !Self::Fetch.has(&fields, code)
    }

    /// Fields of a lookup.
    pub(super) const fn fields(self) -> usize {
        match self {
            Self::Range16 => 1,
            Self::Pair | Self::Pow => 2,
            Self::And => 3,
            Self::Fetch => 8,
        }
    }

    /// Whether the table has the entry.
    pub(super) fn has(self, fields: &[Val], code: &[[Val; 8]]) -> bool {
        let number = |i: usize| fields[i].as_canonical_u32();
        let byte = |i: usize| number(i) < 256;
        match self {
            Self::Range16 => number(0) < 1 << 16,
            Self::Pair => byte(0) && byte(1),
            Self::And => byte(0) && byte(1) && number(2) == number(0) & number(1),
            Self::Pow => number(0) <= 16 && number(1) == 1 << number(0),
            Self::Fetch => code.get(number(0) as usize).is_some_and(|entry| {
                // The instruction, or the one whose charge is refused.
                [entry[1], Val::from_u32(REFUSED)].contains(&fields[1])
                    && (entry[0], &entry[2..]) == (fields[0], &fields[2..])
            }),
        }
    }
}

/// A rule that rows must keep to: a constraint, or a lookup.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) rule: Rule,
    /// Of a lookup.
    pub(super) fixed: Option<Fixed>,
    /// A constraint; or a lookup's count and fields.
    pub(super) tape: Tape,
    pub(super) reads: Vec<Read>,
}

impl Item {
    /// Whether the rule is kept, from what its tape says.
    pub(super) fn holds(&self, results: &[Val], code: &[[Val; 8]]) -> bool {
        match self.fixed {
            None => results[0] == Val::ZERO,
            Some(fixed) => results[0] == Val::ZERO || fixed.has(&results[1..], code),
        }
    }
}

/// A table taken apart into its rules.
#[derive(Clone, Debug)]
pub struct System {
    pub(super) columns: Vec<String>,
    /// The rules that rows can be held to without the other tables.
    pub(super) items: Vec<Item>,
    /// For each column: the items that read it in their own row, and in the next.
    pub(super) readers: Vec<[Vec<usize>; 2]>,
    /// The items that read each public value.
    pub(super) public_readers: Vec<Vec<usize>>,
    constraints: usize,
    messages: usize,
}

impl System {
    /// Takes a table apart.
    pub fn new<T: Table>(table: &T) -> Self {
        let builder = symbolic::build(table);
        let mut items: Vec<Item> = Vec::new();
        let constraints = builder.base_constraints();
        for (number, constraint) in constraints.iter().enumerate() {
            items.push(item(Rule::Constraint(number), None, Tape::new([constraint])));
        }
        let messages = builder.global_interactions();
        // What a fixed table provides is nothing that rows can be held to.
        let asked = |(_, m): &(usize, &SymbolicInteraction<Val>)| m.count_weight != 0;
        for (number, message) in messages.iter().enumerate().filter(asked) {
            let all = Tape::new(&message.fields);
            let width = message.fields.len();
            let zeros = (0..width).take_while(|&i| all.constant(i) == Some(Val::ZERO)).count();
            let tag = if zeros < width { all.constant(zeros) } else { None };
            // Other messages may say anything: their receivers are the adversary's.
            let Some(fixed) = Fixed::of(&message.bus_name, tag) else { continue };
            let fields = &message.fields[width.saturating_sub(fixed.fields())..];
            let tape = Tape::new(std::iter::once(&message.count).chain(fields));
            items.push(item(Rule::Message(number), Some(fixed), tape));
        }
        let columns = table.columns();
        let mut readers = vec![[Vec::new(), Vec::new()]; columns.len()];
        let mut public_readers = vec![Vec::new(); table.public_values()];
        for (i, item) in items.iter().enumerate() {
            for read in &item.reads {
                match *read {
                    Read::Current(column) => readers[column][0].push(i),
                    Read::Next(column) => readers[column][1].push(i),
                    Read::Public(at) => public_readers[at].push(i),
                }
            }
        }
        let (constraints, messages) = (constraints.len(), messages.len());
        Self { columns, items, readers, public_readers, constraints, messages }
    }

    /// Everything that can be deleted from the table.
    pub fn rules(&self) -> Vec<Rule> {
        let constraints = (0..self.constraints).map(Rule::Constraint);
        constraints.chain((0..self.messages).map(Rule::Message)).collect()
    }

    /// Whether the rule is one that rows can be held to without the other tables: a constraint or
    /// a lookup.
    pub fn is_local(&self, rule: Rule) -> bool {
        self.find(rule).is_some()
    }

    pub(super) fn find(&self, rule: Rule) -> Option<usize> {
        self.items.iter().position(|item| item.rule == rule)
    }

    /// The columns that a constraint or lookup reads, for people.
    pub fn reads(&self, rule: Rule) -> Vec<String> {
        let item = self.items.iter().find(|item| item.rule == rule);
        let name = |read: &Read| match *read {
            Read::Current(column) => self.columns[column].clone(),
            Read::Next(column) => format!("{}'", self.columns[column]),
            Read::Public(at) => format!("public[{at}]"),
        };
        item.map_or_else(Vec::new, |item| item.reads.iter().map(name).collect())
    }
}

fn item(rule: Rule, fixed: Option<Fixed>, tape: Tape) -> Item {
    let reads = tape.reads().into_iter().collect();
    Item { rule, fixed, tape, reads }
}

/// A trace with its public values while it is being changed: knows which rules it breaks.
pub(super) struct State<'a> {
    pub(super) system: &'a System,
    pub(super) code: &'a [[Val; 8]],
    pub(super) height: usize,
    width: usize,
    /// The rows, then the public values.
    pub(super) cells: Vec<Val>,
    /// Broken rules as (item, row).
    pub(super) broken: std::collections::BTreeSet<(usize, usize)>,
    results: Vec<Val>,
}

impl<'a> State<'a> {
    pub(super) fn new(
        system: &'a System,
        code: &'a [[Val; 8]],
        rows: &[Val],
        publics: &[Val],
    ) -> Self {
        let width = system.columns.len();
        let mut state = Self {
            system,
            code,
            height: rows.len() / width,
            width,
            cells: [rows, publics].concat(),
            broken: Default::default(),
            results: Vec::new(),
        };
        for row in 0..state.height {
            for item in 0..system.items.len() {
                state.look(item, row);
            }
        }
        state
    }

    /// The cell that an item of a row reads.
    pub(super) fn cell(&self, row: usize, read: Read) -> usize {
        match read {
            Read::Current(column) => row * self.width + column,
            Read::Next(column) => (row + 1) % self.height * self.width + column,
            Read::Public(at) => self.height * self.width + at,
        }
    }

    /// Row and name of a cell; public values have no row.
    pub(super) fn name(&self, cell: usize) -> (Option<usize>, String) {
        let (row, column) = (cell / self.width, cell % self.width);
        if row < self.height {
            (Some(row), self.system.columns[column].clone())
        } else {
            (None, format!("public[{}]", cell - self.height * self.width))
        }
    }

    /// Evaluates an item on a row.
    pub(super) fn eval(&mut self, item: usize, row: usize) -> &[Val] {
        let (rows, publics) = self.cells.split_at(self.height * self.width);
        let at = |row: usize| &rows[row * self.width..][..self.width];
        let window = Window {
            current: at(row),
            next: at((row + 1) % self.height),
            publics,
            first: row == 0,
            last: row + 1 == self.height,
        };
        self.system.items[item].tape.eval(window, &mut self.results);
        &self.results
    }

    pub(super) fn holds(&mut self, item: usize, row: usize) -> bool {
        self.eval(item, row);
        self.system.items[item].holds(&self.results, self.code)
    }

    fn look(&mut self, item: usize, row: usize) {
        if self.holds(item, row) {
            self.broken.remove(&(item, row));
        } else {
            self.broken.insert((item, row));
        }
    }

    /// Changes a cell.
    pub(super) fn set(&mut self, cell: usize, value: Val) {
        if self.cells[cell] == value {
            return;
        }
        self.cells[cell] = value;
        let system = self.system;
        let (row, column) = (cell / self.width, cell % self.width);
        if row < self.height {
            let [own, next] = &system.readers[column];
            own.iter().for_each(|&item| self.look(item, row));
            let before = (row + self.height - 1) % self.height;
            next.iter().for_each(|&item| self.look(item, before));
        } else {
            let readers = &system.public_readers[cell - self.height * self.width];
            for row in 0..self.height {
                readers.iter().for_each(|&item| self.look(item, row));
            }
        }
    }
}
