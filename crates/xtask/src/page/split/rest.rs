//! Writes the rest: functions that were not called and what was cut out of those that were.

use std::{collections::BTreeMap, convert::Infallible};

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, Function, FunctionSection,
    ImportSection, Instruction, Module, StartSection, ValType, reencode::Reencode,
};
use wasmparser::Operator;

use super::{
    FIRST, GLOBAL, MEMORY, TABLE,
    cut::{self, Cut},
    data,
    plan::{Plan, Written},
    program::Code,
};

pub fn write(plan: &Plan<'_>) -> Written<Vec<u8>> {
    let mut writer = Rest { plan };
    let mut types = plan.write_types(&mut writer)?;
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for function in plan.own_of_rest() {
        functions.function(plan.ty(function));
        code.function(&writer.write_function((function - plan.program.n_imported) as usize)?);
    }
    for (of, cut, ty) in plan.all_cuts() {
        functions.function(ty);
        code.function(&CutWriter::write(&mut writer, cut, &plan.program.codes[of])?);
    }
    functions.function(plan.n_types());
    code.function(&writer.write_start());
    let start = StartSection { function_index: functions.len() - 1 };
    let mut module = Module::new();
    module.section(&types).section(&writer.imports()?).section(&functions).section(&start);
    module.section(&writer.elements()).section(&code).section(&writer.data());
    Ok(module.finish())
}

struct Rest<'a> {
    plan: &'a Plan<'a>,
}

impl Reencode for Rest<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Written<u32> {
        Ok(self.plan.numbers[function as usize])
    }
}

impl Rest<'_> {
    fn write_function(&mut self, number: usize) -> Written<Function> {
        let source = &self.plan.program.codes[number];
        let mut locals = Vec::new();
        for ty in &source.locals[source.n_params..] {
            locals.push(self.val_type(*ty)?);
        }
        let mut code = Function::new_with_locals_types(locals);
        for step in &source.steps {
            self.write_step(&mut code, &step.operator)?;
        }
        Ok(code)
    }

    fn write_step(&mut self, code: &mut Function, operator: &Operator<'_>) -> Written<()> {
        match operator {
            Operator::Call { function_index } if self.plan.is_first[*function_index as usize] => {
                self.plan.call(code, *function_index);
            }
            operator => {
                code.instruction(&self.instruction(operator.clone())?);
            }
        }
        Ok(())
    }

    /// Says that the rest is there.
    fn write_start(&self) -> Function {
        let mut code = Function::new([]);
        code.instruction(&Instruction::I32Const(1));
        code.instruction(&Instruction::GlobalSet(self.plan.program.globals.len() as u32));
        code.instruction(&Instruction::End);
        code
    }

    fn imports(&mut self) -> Written<ImportSection> {
        let program = self.plan.program;
        let mut res = ImportSection::new();
        if let Some(memory) = program.memory {
            res.import(FIRST, MEMORY, EntityType::Memory(self.memory_type(memory)?));
        }
        for number in 0..program.tables.len() {
            res.import(FIRST, &format!("{TABLE}{number}"), EntityType::Table(self.plan.table(number)?));
        }
        for (number, global) in program.globals.iter().enumerate() {
            let ty = self.global_type(*global)?;
            res.import(FIRST, &format!("{GLOBAL}{number}"), EntityType::Global(ty));
        }
        let is_joined = wasm_encoder::GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        res.import(FIRST, &format!("{GLOBAL}{}", program.globals.len()), EntityType::Global(is_joined));
        Ok(res)
    }

    fn data(&self) -> DataSection {
        let mut res = DataSection::new();
        for (at, bytes) in &self.plan.program.data {
            for (at, bytes) in data::only(*at, bytes, &self.plan.moved) {
                res.active(0, &ConstExpr::i32_const(at.cast_signed()), bytes.iter().copied());
            }
        }
        res
    }

    /// Puts the functions where the stand-ins are and at the places that are empty.
    fn elements(&self) -> ElementSection {
        let plan = self.plan;
        let number = |function: &u32| plan.numbers[*function as usize];
        let mut places = Vec::new();
        for (place, function) in plan.program.places.iter().filter(|(_, it)| !plan.is_first[*it as usize]) {
            places.push((*place, number(function)));
        }
        places.extend((plan.shared_at()..).zip(plan.stand_ins.iter().map(number)));
        let n_own = plan.own_of_rest().count() as u32;
        let cuts = n_own..n_own + plan.all_cuts().count() as u32;
        places.extend((plan.borrowed_at()..).zip(plan.borrowed().iter().map(number).chain(cuts)));
        places.sort_unstable();
        let mut res = ElementSection::new();
        for run in places.chunk_by(|a, b| a.0 + 1 == b.0) {
            let functions = run.iter().map(|(_, number)| *number).collect::<Vec<_>>();
            res.active(None, &ConstExpr::i32_const(run[0].0.cast_signed()), Elements::Functions(functions.into()));
        }
        res
    }
}

/// Makes a function of a cut: a block that is left with the way out chosen and its values put aside.
struct CutWriter<'a> {
    cut: &'a Cut,
    locals: BTreeMap<u32, u32>,
    /// Locals for the values that the way out takes along, the first of them.
    values: u32,
    choice: u32,
    /// A local for what a `br_table` chooses by.
    index: u32,
    depth: u32,
}

impl CutWriter<'_> {
    fn write(rest: &mut Rest<'_>, cut: &Cut, source: &Code<'_>) -> Written<Function> {
        let (numbers, types) = cut::locals_of(cut, source);
        let n_params = (cut.operands.len() + cut.inputs.len()) as u32;
        let values = n_params + types.len() as u32;
        let choice = values + cut.values.len() as u32;
        let mut locals = Vec::new();
        for ty in types.iter().chain(&cut.values) {
            locals.push(rest.val_type(*ty)?);
        }
        locals.extend([ValType::I32, ValType::I32]);
        let mut code = Function::new_with_locals_types(locals);
        let mut writer = CutWriter { cut, locals: numbers, values, choice, index: choice + 1, depth: 0 };
        code.instruction(&Instruction::Block(BlockType::Empty));
        for operand in 0..cut.operands.len() as u32 {
            code.instruction(&Instruction::LocalGet(operand));
        }
        for step in &source.steps[cut.start..cut.end] {
            writer.write_step(rest, &mut code, &step.operator)?;
        }
        if cut.exits.last() == Some(&cut::Exit::Fall) && !source.steps[cut.end].is_dead {
            writer.put_aside(&mut code, cut::Exit::Fall);
        } else {
            code.instruction(&Instruction::Unreachable);
        }
        code.instruction(&Instruction::End);
        writer.write_results(&mut code);
        code.instruction(&Instruction::End);
        Ok(code)
    }

    fn write_step(&mut self, rest: &mut Rest<'_>, code: &mut Function, operator: &Operator<'_>) -> Written<()> {
        match operator {
            Operator::LocalGet { local_index } => {
                code.instruction(&Instruction::LocalGet(self.locals[local_index]));
            }
            Operator::LocalSet { local_index } => {
                code.instruction(&Instruction::LocalSet(self.locals[local_index]));
            }
            Operator::LocalTee { local_index } => {
                code.instruction(&Instruction::LocalTee(self.locals[local_index]));
            }
            Operator::Br { relative_depth } if *relative_depth >= self.depth => {
                self.leave(code, relative_depth - self.depth, 0);
            }
            Operator::BrIf { relative_depth } if *relative_depth >= self.depth => {
                code.instruction(&Instruction::If(BlockType::Empty));
                self.leave(code, relative_depth - self.depth, 1);
                code.instruction(&Instruction::End);
            }
            Operator::Return => self.leave(code, self.cut.outermost(), 0),
            Operator::BrTable { targets } => self.write_table(code, targets)?,
            operator => {
                match operator {
                    Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => self.depth += 1,
                    Operator::End => self.depth -= 1,
                    _ => (),
                }
                rest.write_step(code, operator)?;
            }
        }
        Ok(())
    }

    /// Leaves the block, from `deeper` frames further inside than the program's own.
    fn leave(&self, code: &mut Function, out: u32, deeper: u32) {
        self.put_aside(code, self.cut.exit(out));
        code.instruction(&Instruction::Br(self.depth + deeper));
    }

    fn put_aside(&self, code: &mut Function, exit: cut::Exit) {
        if self.cut.has_values(exit) {
            for value in (0..self.cut.values.len() as u32).rev() {
                code.instruction(&Instruction::LocalSet(self.values + value));
            }
        }
        if self.cut.exits.len() > 1 {
            code.instruction(&Instruction::I32Const(self.cut.number(exit)));
            code.instruction(&Instruction::LocalSet(self.choice));
        }
    }

    /// A branch by table whose ways out go through blocks around it, one each.
    fn write_table(&self, code: &mut Function, targets: &wasmparser::BrTable<'_>) -> Written<()> {
        let own = targets.targets().collect::<Result<Vec<_>, _>>()?;
        let mut outs =
            own.iter().chain([&targets.default()]).filter_map(|it| it.checked_sub(self.depth)).collect::<Vec<_>>();
        outs.sort_unstable();
        outs.dedup();
        let n_blocks = outs.len() as u32;
        let label = |target: u32| match target.checked_sub(self.depth) {
            Some(out) => outs.binary_search(&out).unwrap_or_default() as u32,
            None => target + n_blocks,
        };
        code.instruction(&Instruction::LocalSet(self.index));
        for _ in &outs {
            code.instruction(&Instruction::Block(BlockType::Empty));
        }
        code.instruction(&Instruction::LocalGet(self.index));
        let labels = own.iter().map(|it| label(*it)).collect::<Vec<_>>();
        code.instruction(&Instruction::BrTable(labels.into(), label(targets.default())));
        for (number, out) in outs.iter().enumerate() {
            code.instruction(&Instruction::End);
            self.leave(code, *out, n_blocks - 1 - number as u32);
        }
        Ok(())
    }

    fn write_results(&self, code: &mut Function) {
        for value in 0..self.cut.values.len() as u32 {
            code.instruction(&Instruction::LocalGet(self.values + value));
        }
        for output in &self.cut.outputs {
            code.instruction(&Instruction::LocalGet(self.locals[output]));
        }
        if self.cut.exits.len() > 1 {
            code.instruction(&Instruction::LocalGet(self.choice));
        }
    }
}
