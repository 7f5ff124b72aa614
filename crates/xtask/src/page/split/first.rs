//! Writes the first module: what the rehearsal ran, and stand-ins for functions of the rest.

use std::convert::Infallible;

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, ElementSection, Elements, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, Instruction, Module, TableSection, TypeSection, ValType,
    reencode::{Reencode, utils},
};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, DataSectionReader, ElementSectionReader, ExportSectionReader,
    FunctionSectionReader, GlobalSectionReader, Operator, Parser, TableSectionReader, TypeSectionReader,
};

use super::{
    GLOBAL, TABLE,
    cut::{Cut, Exit},
    data,
    plan::{Plan, Written},
};

pub fn write(plan: &Plan<'_>) -> Written<Vec<u8>> {
    let mut module = Module::new();
    First { plan }.parse_core_module(&mut module, Parser::new(0), plan.program.wasm)?;
    Ok(module.finish())
}

struct First<'a> {
    plan: &'a Plan<'a>,
}

impl First<'_> {
    fn data(&self) -> impl Iterator<Item = (u32, Vec<u8>)> {
        self.plan.program.data.iter().map(|(at, bytes)| (*at, data::without(*at, bytes, &self.plan.moved)))
    }

    /// The function that asks for the rest if it is not there.
    fn ensure(&self) -> u32 {
        self.plan.program.n_imported + self.plan.n_first + self.plan.stand_ins.len() as u32
    }

    /// The global that says whether the rest is there.
    fn is_joined(&self) -> u32 {
        self.plan.program.globals.len() as u32
    }

    fn write_ensure(&self) -> Function {
        let mut code = Function::new([]);
        code.instruction(&Instruction::GlobalGet(self.is_joined())).instruction(&Instruction::I32Eqz);
        code.instruction(&Instruction::If(BlockType::Empty)).instruction(&Instruction::I32Const(1));
        code.instruction(&Instruction::Call(self.plan.loader)).instruction(&Instruction::End);
        code.instruction(&Instruction::End);
        code
    }

    /// A function that has the rest loaded, which takes its place, and calls what is there then.
    fn write_stand_in(&self, function: u32) -> Function {
        let mut code = Function::new([]);
        code.instruction(&Instruction::Call(self.ensure()));
        for local in 0..self.plan.program.types[self.plan.ty(function) as usize].params().len() as u32 {
            code.instruction(&Instruction::LocalGet(local));
        }
        self.plan.call(&mut code, function);
        code.instruction(&Instruction::End);
        code
    }

    fn write_function(&mut self, number: usize) -> Written<Function> {
        let Plan { program, cuts, is_first, .. } = self.plan;
        let source = &program.codes[number];
        let cuts = &cuts[number];
        let mut locals = Vec::new();
        for ty in &source.locals[source.n_params..] {
            locals.push(self.val_type(*ty)?);
        }
        // Which way out a cut took.
        let choice = source.locals.len() as u32;
        if cuts.iter().any(|it| it.exits.len() > 1) {
            locals.push(ValType::I32);
        }
        let mut code = Function::new_with_locals_types(locals);
        let mut next_cut = cuts.iter().enumerate().peekable();
        let mut step = 0;
        while let Some(it) = source.steps.get(step) {
            if let Some((of_code, cut)) = next_cut.next_if(|(_, cut)| cut.start == step) {
                self.write_cut(&mut code, cut, (number, of_code), choice);
                step = cut.end;
                continue;
            }
            match it.operator {
                Operator::Call { function_index } if !is_first[function_index as usize] => {
                    code.instruction(&Instruction::Call(self.ensure()));
                    self.plan.call(&mut code, function_index);
                }
                ref operator => {
                    code.instruction(&self.instruction(operator.clone())?);
                }
            }
            step += 1;
        }
        Ok(code)
    }

    /// Calls what was cut out and goes on where it says.
    fn write_cut(&self, code: &mut Function, cut: &Cut, (of, number): (usize, usize), choice: u32) {
        code.instruction(&Instruction::Call(self.ensure()));
        for input in &cut.inputs {
            code.instruction(&Instruction::LocalGet(*input));
        }
        self.plan.call_cut(code, of, number);
        let Some((last, others)) = cut.exits.split_last() else {
            code.instruction(&Instruction::Unreachable);
            return;
        };
        if !others.is_empty() {
            code.instruction(&Instruction::LocalSet(choice));
        }
        for output in cut.outputs.iter().rev() {
            code.instruction(&Instruction::LocalSet(*output));
        }
        for exit in others {
            let Exit::Branch(out) = exit else { continue };
            code.instruction(&Instruction::LocalGet(choice));
            code.instruction(&Instruction::I32Const(cut.number(*exit)));
            code.instruction(&Instruction::I32Eq).instruction(&Instruction::BrIf(*out));
        }
        match last {
            Exit::Branch(out) => {
                code.instruction(&Instruction::Br(*out));
            }
            Exit::Fall if !cut.has_values(Exit::Fall) => {
                cut.values.iter().for_each(|_| {
                    code.instruction(&Instruction::Drop);
                });
            }
            Exit::Fall => (),
        }
    }
}

impl Reencode for First<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Written<u32> {
        if self.plan.is_first[function as usize] {
            return Ok(self.plan.numbers[function as usize]);
        }
        // At places that nothing comes to before the rest fills them, anything may stand.
        let stand_in = self.plan.stand_ins.binary_search(&function).ok();
        Ok(stand_in.map_or(self.ensure(), |rank| self.plan.program.n_imported + self.plan.n_first + rank as u32))
    }

    fn parse_type_section(&mut self, out: &mut TypeSection, _: TypeSectionReader<'_>) -> Written<()> {
        let plan = self.plan;
        *out = plan.write_types(self)?;
        // Of the function that asks for the rest.
        out.ty().function([], []);
        Ok(())
    }

    fn parse_function_section(&mut self, out: &mut FunctionSection, _: FunctionSectionReader<'_>) -> Written<()> {
        for function in self.plan.own_of_first().chain(self.plan.stand_ins.iter().copied()) {
            out.function(self.plan.ty(function));
        }
        out.function(self.plan.n_types());
        Ok(())
    }

    fn parse_table_section(&mut self, out: &mut TableSection, _: TableSectionReader<'_>) -> Written<()> {
        for number in 0..self.plan.program.tables.len() {
            out.table(self.plan.table(number)?);
        }
        Ok(())
    }

    fn parse_global_section(&mut self, out: &mut GlobalSection, section: GlobalSectionReader<'_>) -> Written<()> {
        utils::parse_global_section(self, out, section)?;
        out.global(GlobalType { val_type: ValType::I32, mutable: true, shared: false }, &ConstExpr::i32_const(0));
        Ok(())
    }

    fn parse_export_section(&mut self, out: &mut ExportSection, section: ExportSectionReader<'_>) -> Written<()> {
        utils::parse_export_section(self, out, section)?;
        for number in 0..self.plan.program.tables.len() as u32 {
            out.export(&format!("{TABLE}{number}"), ExportKind::Table, number);
        }
        for number in 0..=self.is_joined() {
            out.export(&format!("{GLOBAL}{number}"), ExportKind::Global, number);
        }
        Ok(())
    }

    fn parse_element_section(&mut self, out: &mut ElementSection, section: ElementSectionReader<'_>) -> Written<()> {
        utils::parse_element_section(self, out, section)?;
        let shared = self.plan.stand_ins.iter().chain(&self.plan.lent);
        let shared = shared.map(|it| self.function_index(*it)).collect::<Written<Vec<_>>>()?;
        let at = ConstExpr::i32_const(self.plan.shared_at().cast_signed());
        out.active(None, &at, Elements::Functions(shared.into()));
        Ok(())
    }

    fn data_count(&mut self, _: u32) -> Written<u32> {
        Ok(self.data().count() as u32)
    }

    fn parse_data_section(&mut self, out: &mut DataSection, _: DataSectionReader<'_>) -> Written<()> {
        for (at, bytes) in self.data() {
            out.active(0, &ConstExpr::i32_const(at.cast_signed()), bytes);
        }
        Ok(())
    }

    fn parse_code_section(&mut self, out: &mut CodeSection, _: CodeSectionReader<'_>) -> Written<()> {
        for function in self.plan.own_of_first() {
            out.function(&self.write_function((function - self.plan.program.n_imported) as usize)?);
        }
        for function in &self.plan.stand_ins {
            out.function(&self.write_stand_in(*function));
        }
        out.function(&self.write_ensure());
        Ok(())
    }

    fn parse_custom_section(&mut self, _: &mut Module, _: CustomSectionReader<'_>) -> Written<()> {
        Ok(())
    }
}
