//! The program with counters: bytes in memory above what the program begins with, set where the program comes by.

use std::convert::Infallible;

use wasm_encoder::{
    CodeSection, Instruction, MemArg, MemArgTarget, MemorySection, Module,
    reencode::{Error, Reencode},
};
use wasmparser::{CodeSectionReader, MemorySectionReader, Parser};

use super::program::Program;

const PAGE: u64 = 65_536;

/// A program with counters.
pub struct Counted {
    pub wasm: Vec<u8>,
    /// Where the counters are in memory.
    pub at: u64,
    pub n: usize,
}

/// # Errors
/// What makes `wasm` no valid program.
pub fn counted(wasm: &[u8]) -> Result<Counted, String> {
    let program = Program::parse(wasm)?;
    let at = program.memory.map_or(0, |it| it.initial) * PAGE;
    let (starts, n) = program.counters();
    let mut module = Module::new();
    let mut writer = Writer { program: &program, starts, at, n };
    writer.parse_core_module(&mut module, Parser::new(0), wasm).map_err(|error| error.to_string())?;
    Ok(Counted { wasm: module.finish(), at, n })
}

struct Writer<'a> {
    program: &'a Program<'a>,
    starts: Vec<usize>,
    at: u64,
    n: usize,
}

impl Reencode for Writer<'_> {
    type Error = Infallible;

    fn parse_memory_section(
        &mut self,
        out: &mut MemorySection,
        section: MemorySectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for memory in section {
            let mut memory = memory?;
            memory.initial += (self.n as u64).div_ceil(PAGE);
            out.memory(self.memory_type(memory)?);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        out: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let program = self.program;
        for (number, body) in section.into_iter().enumerate() {
            let mut code = self.new_function_with_parsed_locals(&body?)?;
            let mut counter = self.starts[number] as u64 + self.at;
            for (step, it) in program.codes[number].steps.iter().enumerate() {
                if program.codes[number].is_leader(step) {
                    code.instruction(&Instruction::I32Const(0)).instruction(&Instruction::I32Const(1));
                    code.instruction(&Instruction::I32Store8(MemArg {
                        offset: counter,
                        align: 0,
                        ordering: Default::default(),
                        target: MemArgTarget::default(),
                    }));
                    counter += 1;
                }
                code.instruction(&self.instruction(it.operator.clone())?);
            }
            out.function(&code);
        }
        Ok(())
    }
}
