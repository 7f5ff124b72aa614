//! A program as the splitter sees it: every function's steps, with what the validator knows of the operands.

use std::{collections::HashSet, ops::Range};

use wasmparser::{
    BinaryReader, BlockType, CustomSectionReader, DataKind, ElementItems, ElementKind, ElementSectionReader,
    ExternalKind, FuncType, FuncValidator, FuncValidatorAllocations, FunctionBody, GlobalType, KnownCustom, MemoryType,
    Name, Operator, Parser, Payload, TableType, TypeRef, ValType, ValidPayload, Validator, WasmFeatures,
    WasmModuleResources,
};

use super::{LOADER, MEMORY, linked::Linked};

/// Part of the names of functions that run by chance: a hash table compares keys where parts of their hashes are equal,
/// and hashes follow from addresses.
const BY_CHANCE: &str = "find_or_find_insert_index";

pub type Parsed<T> = wasmparser::Result<T>;

/// Functions are numbered as in the program: the imported ones first.
#[derive(Default)]
pub struct Program<'a> {
    pub wasm: &'a [u8],
    pub types: Vec<FuncType>,
    pub type_section: Range<usize>,
    /// The type of each function.
    pub functions: Vec<u32>,
    pub n_imported: u32,
    pub loader: Option<u32>,
    pub memory: Option<MemoryType>,
    pub tables: Vec<TableType>,
    pub globals: Vec<GlobalType>,
    /// Exported functions.
    pub exported: Vec<u32>,
    pub exports_memory: bool,
    /// Places in the first table with their functions.
    pub places: Vec<(u32, u32)>,
    pub codes: Vec<Code<'a>>,
    /// Functions that may run where a rehearsal has not run them.
    pub by_chance: HashSet<u32>,
    /// What memory holds at the beginning: addresses and bytes.
    pub data: Vec<(u32, &'a [u8])>,
    has_other_data: bool,
    pub linked: Linked,
}

/// A function's code.
pub struct Code<'a> {
    /// Types of parameters, then of the other locals.
    pub locals: Vec<ValType>,
    pub n_params: usize,
    pub steps: Vec<Step<'a>>,
}

pub struct Step<'a> {
    pub operator: Operator<'a>,
    /// Where it begins in the file.
    pub at: usize,
    /// Whether nothing can come here, by the rules of wasm.
    pub is_dead: bool,
    /// At leaders: types of the operands that the frame has so far, `None` if not all are known.
    pub operands: Option<Vec<ValType>>,
}

impl<'a> Program<'a> {
    /// # Errors
    /// What makes it no valid program.
    pub fn parse(wasm: &'a [u8]) -> Result<Program<'a>, String> {
        let mut res = Program { wasm, ..Program::default() };
        res.read().map_err(|error| error.to_string())?;
        if res.tables.is_empty() || res.memory.is_none() || !res.exports_memory {
            return Err("the program has no table or exports no memory".into());
        }
        if res.has_other_data {
            return Err("the program has data that is not put into memory at the beginning".into());
        }
        Ok(res)
    }

    fn read(&mut self) -> Parsed<()> {
        let mut validator = Validator::new_with_features(WasmFeatures::all());
        let mut allocations = FuncValidatorAllocations::default();
        for payload in Parser::new(0).parse_all(self.wasm) {
            let payload = payload?;
            match validator.payload(&payload)? {
                ValidPayload::Func(function, body) => {
                    let mut validator = function.into_validator(allocations);
                    let code = Code::read(&mut validator, &body)?;
                    self.codes.push(code);
                    allocations = validator.into_allocations();
                }
                _ => self.take(payload)?,
            }
        }
        Ok(())
    }

    fn take(&mut self, payload: Payload<'a>) -> Parsed<()> {
        match payload {
            Payload::TypeSection(section) => {
                self.type_section = usize_range(section.range());
                self.types = section.into_iter_err_on_gc_types().collect::<Parsed<_>>()?;
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let TypeRef::Func(ty) = import.ty else { continue };
                    if import.name.contains(LOADER) {
                        self.loader = Some(self.n_imported);
                    }
                    self.functions.push(ty);
                    self.n_imported += 1;
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(section) => {
                self.tables = section.into_iter().map(|it| Ok(it?.ty)).collect::<Parsed<_>>()?;
            }
            Payload::MemorySection(section) => self.memory = section.into_iter().next().transpose()?,
            Payload::GlobalSection(section) => {
                self.globals = section.into_iter().map(|it| Ok(it?.ty)).collect::<Parsed<_>>()?;
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    match export.kind {
                        ExternalKind::Func => self.exported.push(export.index),
                        ExternalKind::Memory => self.exports_memory |= export.name == MEMORY,
                        _ => (),
                    }
                }
            }
            Payload::ElementSection(section) => self.take_elements(section)?,
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    let at = match data.kind {
                        DataKind::Active { memory_index: 0, offset_expr } => {
                            offset_expr.get_operators_reader().read()?
                        }
                        _ => Operator::Nop,
                    };
                    match at {
                        Operator::I32Const { value } => self.data.push((value.cast_unsigned(), data.data)),
                        _ => self.has_other_data = true,
                    }
                }
            }
            Payload::CustomSection(section) => self.take_custom(&section)?,
            _ => (),
        }
        Ok(())
    }

    fn take_custom(&mut self, section: &CustomSectionReader<'a>) -> Parsed<()> {
        let KnownCustom::Name(names) = section.as_known() else { return self.linked.take(section.as_known()) };
        for names in names {
            let Name::Function(names) = names? else { continue };
            for name in names {
                let name = name?;
                if name.name.contains(BY_CHANCE) {
                    self.by_chance.insert(name.index);
                }
            }
        }
        Ok(())
    }

    fn take_elements(&mut self, section: ElementSectionReader<'_>) -> Parsed<()> {
        for element in section {
            let element = element?;
            let ElementKind::Active { table_index: None | Some(0), offset_expr } = element.kind else { continue };
            let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else { continue };
            let ElementItems::Functions(functions) = element.items else { continue };
            for (place, function) in (value.cast_unsigned()..).zip(functions) {
                self.places.push((place, function?));
            }
        }
        Ok(())
    }

    pub fn reader(&self, range: &Range<usize>) -> BinaryReader<'a> {
        BinaryReader::new(&self.wasm[range.clone()], range.start as u64)
    }

    /// How many counters come before those of each function, and how many there are in all.
    pub fn counters(&self) -> (Vec<usize>, usize) {
        let mut n = 0;
        let mut starts = Vec::new();
        for code in &self.codes {
            starts.push(n);
            n += code.leaders().count();
        }
        (starts, n)
    }

    /// The operands that a branch to a frame takes along or that the frame leaves.
    pub fn results(&self, ty: BlockType) -> Vec<ValType> {
        match ty {
            BlockType::Empty => Vec::new(),
            BlockType::Type(ty) => vec![ty],
            BlockType::FuncType(index) => self.types[index as usize].results().to_vec(),
        }
    }

    pub fn params(&self, ty: BlockType) -> Vec<ValType> {
        match ty {
            BlockType::FuncType(index) => self.types[index as usize].params().to_vec(),
            _ => Vec::new(),
        }
    }
}

impl<'a> Code<'a> {
    fn read<T: WasmModuleResources>(validator: &mut FuncValidator<T>, body: &FunctionBody<'a>) -> Parsed<Code<'a>> {
        let n_params = validator.len_locals() as usize;
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        let locals = (0..validator.len_locals()).filter_map(|it| validator.get_local_type(it)).collect();
        let mut res = Code { locals, n_params, steps: Vec::new() };
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let at = reader.original_position();
            let is_dead = validator.get_control_frame(0).is_some_and(|frame| frame.unreachable);
            let operands = if res.is_leader(res.steps.len()) { operands(validator) } else { None };
            let operator = reader.read()?;
            validator.op(at, &operator)?;
            res.steps.push(Step { operator, at: at as usize, is_dead, operands });
        }
        Ok(res)
    }

    /// Whether a step begins a stretch that runs as a whole or not at all (but for traps).
    pub fn is_leader(&self, step: usize) -> bool {
        let Some(before) = step.checked_sub(1) else { return true };
        matches!(
            self.steps[before].operator,
            Operator::If { .. } | Operator::Else | Operator::Loop { .. } | Operator::BrIf { .. } | Operator::End
        )
    }

    pub fn leaders(&self) -> impl Iterator<Item = usize> {
        (0..self.steps.len()).filter(|it| self.is_leader(*it))
    }

    /// The step that closes the frame of a step, `end` or `else`.
    pub fn close_of(&self, step: usize) -> usize {
        let mut depth = 0;
        for (number, it) in self.steps.iter().enumerate().skip(step) {
            match it.operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth += 1,
                Operator::Else | Operator::End if depth == 0 => return number,
                Operator::End => depth -= 1,
                _ => (),
            }
        }
        self.steps.len() - 1
    }
}

/// The operands of the innermost frame, the lowest first.
fn operands<T: WasmModuleResources>(validator: &FuncValidator<T>) -> Option<Vec<ValType>> {
    let frame = validator.get_control_frame(0)?;
    let n = validator.operand_stack_height() as usize - frame.height;
    (0..n).rev().map(|depth| validator.get_operand_type(depth).flatten()).collect()
}

fn usize_range(range: Range<u64>) -> Range<usize> {
    range.start as usize..range.end as usize
}
