//! Which function goes where, under which number and at which place in the table.

use std::ops::Range;

use wasm_encoder::{Function, Instruction, TypeSection, reencode};
use wasmparser::{Operator, TypeSectionReader, ValType};

use super::{
    LOADER,
    cut::{self, Cut},
    data::Reach,
    program::Program,
};

pub type Written<T> = Result<T, reencode::Error>;

pub struct Plan<'a> {
    pub program: &'a Program<'a>,
    pub loader: u32,
    /// Whether the first module has it, of each function; it has all imported ones.
    pub is_first: Vec<bool>,
    /// The program's own functions, those alike side by side, which compresses better.
    order: Vec<u32>,
    /// The number of each function in its own module.
    pub numbers: Vec<u32>,
    /// Functions of the first module, without stand-ins.
    pub n_first: u32,
    /// What is cut out of each code.
    pub cuts: Vec<Vec<Cut>>,
    /// How many cuts come before those of each code.
    cut_starts: Vec<u32>,
    /// Types of cuts that come after the program's own.
    signatures: Vec<Signature>,
    /// Of each cut, among all types.
    cut_types: Vec<u32>,
    /// Functions of the rest that the first module's code may come to by the table, or the host by an export.
    pub stand_ins: Vec<u32>,
    /// Functions of the first that the rest calls, by number.
    pub lent: Vec<u32>,
    /// Functions of the rest that the first calls.
    borrowed: Vec<u32>,
    /// Addresses of what the rest brings into memory, sorted.
    pub moved: Vec<Range<u32>>,
}

type Signature = (Vec<ValType>, Vec<ValType>);

impl<'a> Plan<'a> {
    pub fn new(program: &'a Program<'a>, hits: &[u8]) -> Result<Plan<'a>, String> {
        let loader = program.loader.ok_or_else(|| format!("nothing imported is called {LOADER}"))?;
        let (starts, n_counters) = program.counters();
        if hits.len() != n_counters {
            return Err(format!("{} counters were kept of {n_counters}", hits.len()));
        }
        let mut res = Plan {
            program,
            loader,
            is_first: vec![true; program.n_imported as usize],
            order: Vec::new(),
            numbers: (0..program.n_imported).collect(),
            n_first: 0,
            cuts: Vec::new(),
            cut_starts: Vec::new(),
            signatures: Vec::new(),
            cut_types: Vec::new(),
            stand_ins: Vec::new(),
            lent: Vec::new(),
            borrowed: Vec::new(),
            moved: Vec::new(),
        };
        for (code, start) in program.codes.iter().zip(starts) {
            let is_first = hits[start] != 0
                || program.by_chance.contains(&(res.is_first.len() as u32))
                || code.steps.iter().any(|it| cut::is_bound(&it.operator));
            let ty = program.functions[res.is_first.len()];
            let cuts = if hits[start] != 0 { cut::cuts(program, code, ty, &hits[start..]) } else { Vec::new() };
            res.is_first.push(is_first);
            res.cut_starts.push(res.cut_types.len() as u32);
            for cut in &cuts {
                let ty = res.cut_type(cut, &code.locals);
                res.cut_types.push(ty);
            }
            res.cuts.push(cuts);
        }
        res.number();
        let reach = Reach::new(program, |code, step| res.is_step_of_first(code, step));
        res.find_shared(&reach);
        res.moved = reach.moved;
        Ok(res)
    }

    fn cut_type(&mut self, cut: &Cut, locals: &[ValType]) -> u32 {
        let of = |it: &u32| locals[*it as usize];
        let params = cut.operands.iter().copied().chain(cut.inputs.iter().map(of)).collect();
        let choice = (cut.exits.len() > 1).then_some(ValType::I32);
        let results = cut.values.iter().copied().chain(cut.outputs.iter().map(of)).chain(choice).collect();
        let signature = (params, results);
        let found = self.signatures.iter().position(|it| *it == signature).unwrap_or_else(|| {
            self.signatures.push(signature);
            self.signatures.len() - 1
        });
        (self.program.types.len() + found) as u32
    }

    fn number(&mut self) {
        let program = self.program;
        let n_imported = program.n_imported;
        self.order = (n_imported..program.functions.len() as u32).collect();
        let n_steps = |function: u32| program.codes[(function - n_imported) as usize].steps.len();
        self.order.sort_by_key(|it| (program.functions[*it as usize], n_steps(*it)));
        let mut next = n_imported;
        let mut next_of_rest = 0;
        self.numbers.resize(program.functions.len(), 0);
        for function in &self.order {
            let next = if self.is_first[*function as usize] { &mut next } else { &mut next_of_rest };
            self.numbers[*function as usize] = *next;
            *next += 1;
        }
        self.n_first = next - n_imported;
    }

    fn find_shared(&mut self, reach: &Reach) {
        let program = self.program;
        let n = program.functions.len();
        let [mut borrowed, mut lent, mut stand_ins] = [vec![false; n], vec![false; n], vec![false; n]];
        for (number, code) in program.codes.iter().enumerate() {
            for (step, it) in code.steps.iter().enumerate() {
                let Operator::Call { function_index } = it.operator else { continue };
                match (self.is_step_of_first(number, step), self.is_first[function_index as usize]) {
                    (true, false) => borrowed[function_index as usize] = true,
                    (false, true) => lent[function_index as usize] = true,
                    _ => (),
                }
            }
        }
        let called = program.places.iter().filter(|(place, _)| reach.numbers.contains(place));
        for function in program.exported.iter().chain(called.map(|(_, function)| function)) {
            stand_ins[*function as usize] |= !self.is_first[*function as usize];
        }
        let marked = |marks: &[bool]| (0..n as u32).filter(|it| marks[*it as usize]).collect::<Vec<_>>();
        self.borrowed = (0..n as u32).filter(|it| borrowed[*it as usize] && !stand_ins[*it as usize]).collect();
        self.lent = marked(&lent);
        self.lent.sort_by_key(|it| self.numbers[*it as usize]);
        self.stand_ins = marked(&stand_ins);
    }

    fn is_step_of_first(&self, code: usize, step: usize) -> bool {
        let cuts = &self.cuts[code];
        let next = cuts.partition_point(|cut| cut.end <= step);
        self.is_first[self.program.n_imported as usize + code] && cuts.get(next).is_none_or(|cut| step < cut.start)
    }

    /// How many types both modules share.
    pub fn n_types(&self) -> u32 {
        (self.program.types.len() + self.signatures.len()) as u32
    }

    pub fn ty(&self, function: u32) -> u32 {
        self.program.functions[function as usize]
    }

    /// Functions of the first module that the program has itself.
    pub fn own_of_first(&self) -> impl Iterator<Item = u32> {
        self.order.iter().copied().filter(|it| self.is_first[*it as usize])
    }

    pub fn own_of_rest(&self) -> impl Iterator<Item = u32> {
        self.order.iter().copied().filter(|it| !self.is_first[*it as usize])
    }

    /// All cuts with the number of the code and of their type.
    pub fn all_cuts(&self) -> impl Iterator<Item = (usize, &Cut, u32)> {
        let cuts = self.cuts.iter().enumerate().flat_map(|(code, cuts)| cuts.iter().map(move |it| (code, it)));
        cuts.zip(&self.cut_types).map(|((code, cut), ty)| (code, cut, *ty))
    }

    /// The first place in the table that the program does not use itself. There come the stand-ins, what the first
    /// module lends, and, empty at first, what it borrows and the cuts.
    pub fn shared_at(&self) -> u32 {
        self.program.tables[0].initial as u32
    }

    /// Where the places are that only the rest fills.
    pub fn borrowed_at(&self) -> u32 {
        self.shared_at() + (self.stand_ins.len() + self.lent.len()) as u32
    }

    pub fn borrowed(&self) -> &[u32] {
        &self.borrowed
    }

    fn n_shared(&self) -> usize {
        self.stand_ins.len() + self.lent.len() + self.borrowed.len() + self.cut_types.len()
    }

    /// The place of a function that one module has and the other calls.
    fn place(&self, function: u32) -> u32 {
        let lent_at = self.shared_at() + self.stand_ins.len() as u32;
        let number = |it: &u32| self.numbers[*it as usize];
        let (at, found) = if self.is_first[function as usize] {
            (lent_at, self.lent.binary_search_by_key(&number(&function), number))
        } else if let Ok(rank) = self.stand_ins.binary_search(&function) {
            (self.shared_at(), Ok(rank))
        } else {
            (self.borrowed_at(), self.borrowed.binary_search(&function))
        };
        at + found.unwrap_or_default() as u32
    }

    /// A call of a function of the other module; its arguments are on the stack.
    pub fn call(&self, code: &mut Function, function: u32) {
        self.call_at(code, self.place(function), self.ty(function));
    }

    pub fn call_cut(&self, code: &mut Function, of: usize, number: usize) {
        let cut = self.cut_starts[of] as usize + number;
        let place = self.borrowed_at() + (self.borrowed.len() + cut) as u32;
        self.call_at(code, place, self.cut_types[cut]);
    }

    fn call_at(&self, code: &mut Function, place: u32, type_index: u32) {
        code.instruction(&Instruction::I32Const(place.cast_signed()));
        code.instruction(&Instruction::CallIndirect { type_index, table_index: 0 });
    }

    /// The types of both modules.
    pub fn write_types(
        &self,
        writer: &mut impl reencode::Reencode<Error = std::convert::Infallible>,
    ) -> Written<TypeSection> {
        let mut res = TypeSection::new();
        let own = TypeSectionReader::new(self.program.reader(&self.program.type_section))?;
        reencode::utils::parse_type_section(writer, &mut res, own)?;
        for (params, results) in &self.signatures {
            let mut types = |list: &[ValType]| list.iter().map(|it| writer.val_type(*it)).collect::<Written<Vec<_>>>();
            let (params, results) = (types(params)?, types(results)?);
            res.ty().function(params, results);
        }
        Ok(res)
    }

    /// The type of a table, with the places that are shared.
    pub fn table(&self, number: usize) -> Written<wasm_encoder::TableType> {
        let mut res: wasm_encoder::TableType = self.program.tables[number].try_into()?;
        if number == 0 {
            res.minimum += self.n_shared() as u64;
            res.maximum = res.maximum.map(|it| it + self.n_shared() as u64);
        }
        Ok(res)
    }
}
