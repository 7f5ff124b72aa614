//! Gives what a program imports short names, in it and in its glue: wasm-bindgen's end in hashes, which do not compress.

use std::{convert::Infallible, path::Path};

use wasm_encoder::{
    ImportSection, Module,
    reencode::{Error, Reencode},
};
use wasmparser::{ImportSectionReader, Parser};

use crate::{files, process::Res};

/// Shortens the names of the program `wasm` and its glue `script`.
pub fn shorten(wasm: &Path, script: &Path) -> Res<()> {
    let mut shortener = Shortener::default();
    let mut module = Module::new();
    let done = shortener.parse_core_module(&mut module, Parser::new(0), &files::read_bytes(wasm)?);
    done.map_err(|error: Error<Infallible>| format!("{}: {error}", wasm.display()))?;
    let mut text = files::read(script)?;
    for (number, name) in shortener.names.iter().enumerate() {
        text = text.replace(name.as_str(), &short(number));
    }
    files::write(wasm, module.finish())?;
    files::write(script, text)
}

#[derive(Default)]
struct Shortener {
    /// The names that are replaced, by their new numbers.
    names: Vec<String>,
}

impl Reencode for Shortener {
    type Error = Infallible;

    fn parse_import_section(
        &mut self,
        out: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for import in section.into_imports() {
            let import = import?;
            let ty = self.entity_type(import.ty)?;
            if has_hash(import.name) {
                out.import(import.module, &short(self.names.len()), ty);
                self.names.push(import.name.into());
            } else {
                out.import(import.module, import.name, ty);
            }
        }
        Ok(())
    }
}

/// Such a name stands for nothing else in a text.
fn has_hash(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or_default();
    name.starts_with("__wb") && last.len() == 16 && last.bytes().all(|it| it.is_ascii_hexdigit())
}

fn short(number: usize) -> String {
    format!("${number}")
}
