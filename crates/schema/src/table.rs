//! The committed tables, read once.
//!
//! ```text
//! @core.v1.Container              a struct; `@!` is owned as a whole; its fields follow in the order of their declaration
//! name ar:s                       a field: flags before the colon, then its type
//! env :K(name)^name:#core.v1.EnvVar
//! ```
//! Numbers in protobuf follow each other; `@5` is another number, `@2.1` one within a message of its own, `@0` none.
//! Flags: `p`, `s`, `z`, `a` as in `go-fields.txt`, and `r` for required.
//! Types: `s` text, `b` bool, `i` `l` integers, `f` number, `y` bytes, `q` quantity, `x` integer or text, `t` `u` times, `*` anything,
//! `mT` a map, `#NAME` a struct, `L:T` `S:T` `K(a,b):T` lists; `!` atomic, `=` not atomic though its type is, `^key` merged by key, `~` retains keys.

use std::collections::BTreeMap;

use value::{Str, Tags};

use crate::{Field, ListKind, ListType, MapType, Presence, Schema, StructType, Type, TypeId};

const KUBERNETES: &str = include_str!("../data/schema-1.36.txt");
const SIMULATION: &str = include_str!("../data/sim.txt");

/// The full name of a definition that the table shortens.
fn full(short: &str) -> Str {
    let prefix = match short.split('.').next() {
        Some("meta") => "io.k8s.apimachinery.pkg.apis.",
        Some("apiextensions") => "io.k8s.apiextensions-apiserver.pkg.apis.",
        Some("apiregistration") => "io.k8s.kube-aggregator.pkg.apis.",
        Some("dev") => "",
        _ => "io.k8s.api.",
    };
    format!("{prefix}{short}").into()
}

struct Loader {
    types: Vec<Type>,
    definitions: BTreeMap<Str, TypeId>,
    /// Types already made, by their code.
    known: BTreeMap<String, TypeId>,
    /// Structs of the table by their short name, before their fields are read.
    structs: BTreeMap<&'static str, TypeId>,
    /// Types that are a struct at one place only, and whether they are atomic there.
    placed: Vec<(TypeId, &'static str, bool)>,
}

pub(crate) fn load() -> Schema {
    let mut loader = Loader {
        types: Vec::new(),
        definitions: BTreeMap::new(),
        known: BTreeMap::new(),
        structs: BTreeMap::new(),
        placed: Vec::new(),
    };
    let tables = [KUBERNETES, SIMULATION];
    for line in tables.iter().flat_map(|it| it.lines()) {
        if let Some(name) = line.strip_prefix('@') {
            loader.declare(name);
        }
    }
    for table in tables {
        loader.fields(table);
    }
    loader.place();
    Schema { types: loader.types, definitions: loader.definitions }
}

impl Loader {
    fn declare(&mut self, name: &'static str) {
        let short = name.strip_prefix('!').unwrap_or(name);
        let id = self.push(Type::Struct(StructType {
            name: full(short),
            fields: Vec::new(),
            order: Vec::new(),
            tags: Tags::default(),
            atomic: short != name,
        }));
        self.structs.insert(short, id);
        self.definitions.insert(full(short), id);
    }

    fn push(&mut self, ty: Type) -> TypeId {
        self.types.push(ty);
        TypeId(self.types.len() as u32 - 1)
    }

    fn fields(&mut self, table: &'static str) {
        let mut current = None;
        let mut next = [1, 0, 0];
        for line in table.lines().filter(|it| !it.starts_with('#')) {
            if let Some(name) = line.strip_prefix('@') {
                current = self.structs.get(name.strip_prefix('!').unwrap_or(name)).copied();
                next = [1, 0, 0];
                continue;
            }
            let (Some((name, rest)), Some(TypeId(id))) = (line.split_once(' '), current) else { continue };
            let Some((flags, code)) = rest.split_once(':') else { continue };
            let (name, number) = match name.split_once('@') {
                Some((name, text)) => (name, numbers(text)),
                None => (name, next),
            };
            next = after(number, next);
            let field = Field {
                name: name.into(),
                number,
                ty: self.ty(code.trim_start_matches('~')),
                presence: presence(flags),
                required: flags.contains('r'),
                retain_keys: code.starts_with('~'),
            };
            if let Some(Type::Struct(it)) = self.types.get_mut(id as usize) {
                // Fields stay sorted; those that move make their places in the order move too.
                let at = it.fields.partition_point(|it| it.name < field.name);
                it.order.iter_mut().filter(|it| usize::from(**it) >= at).for_each(|it| *it += 1);
                it.order.push(at as u16);
                it.fields.insert(at, field);
                if it.order.len() == 3
                    && it.in_order().map(|it| it.name.as_str()).eq(["kind", "apiVersion", "metadata"])
                {
                    // What says what the object is stands outside of its message.
                    next = [2, 0, 0];
                    for field in &mut it.fields {
                        field.number = if field.name == "metadata" { [1, 0, 0] } else { [0; 3] };
                    }
                }
            }
        }
    }

    fn ty(&mut self, code: &'static str) -> TypeId {
        if let Some(id) = self.known.get(code) {
            return *id;
        }
        let ty = match code.as_bytes() {
            b"s" => Type::Str,
            b"b" => Type::Bool,
            b"i" => Type::Int32,
            b"l" => Type::Int64,
            b"f" => Type::Number,
            b"y" => Type::Bytes,
            b"q" => Type::Quantity,
            b"x" => Type::IntOrString,
            b"t" => Type::Time,
            b"u" => Type::MicroTime,
            [b'm', ..] => Type::Map(MapType { item: self.ty(&code[1..]), atomic: false }),
            [b'!', b'm', ..] => Type::Map(MapType { item: self.ty(&code[2..]), atomic: true }),
            [b'#', ..] => return self.structs.get(&code[1..]).copied().unwrap_or_else(|| self.ty("*")),
            [owned @ (b'!' | b'='), b'#', ..] => {
                let id = self.push(Type::Any);
                self.placed.push((id, &code[2..], *owned == b'!'));
                self.known.insert(code.to_owned(), id);
                return id;
            }
            [b'L' | b'S' | b'K', ..] => self.list(code),
            _ => Type::Any,
        };
        let id = self.push(ty);
        self.known.insert(code.to_owned(), id);
        id
    }

    /// Structs that are owned otherwise at one place than elsewhere get their fields when all are read.
    fn place(&mut self) {
        for ty in &mut self.types {
            if let Type::Struct(it) = ty {
                it.tags = Tags::of(it.fields.iter().map(|it| it.name.as_str()));
            }
        }
        for (TypeId(id), name, atomic) in std::mem::take(&mut self.placed) {
            let named = self.structs.get(name).and_then(|it| self.types.get(it.0 as usize));
            if let (Some(Type::Struct(it)), Some(_)) = (named.cloned(), self.types.get(id as usize)) {
                self.types[id as usize] = Type::Struct(StructType { atomic, ..it });
            }
        }
    }

    fn list(&mut self, code: &'static str) -> Type {
        let (head, item) = code.split_once(':').unwrap_or((code, "*"));
        let (kind, rest) = match head.strip_prefix("K(").and_then(|it| it.split_once(')')) {
            Some((keys, rest)) => (ListKind::Map(keys.split(',').map(Str::from).collect()), rest),
            None if head.starts_with('S') => (ListKind::Set, &head[1..]),
            None => (ListKind::Atomic, &head[1..]),
        };
        let retain_keys = rest.ends_with('~');
        let merge_key = rest.trim_end_matches('~').strip_prefix('^').map(Str::from);
        Type::List(ListType { item: self.ty(item), kind, merge_key, retain_keys })
    }
}

fn presence(flags: &str) -> Presence {
    match flags.trim_end_matches('r') {
        "p" => Presence::Pointer,
        "s" => Presence::Value,
        "z" => Presence::OmitZero,
        "a" => Presence::Always,
        _ => Presence::OmitEmpty,
    }
}

/// Of `2.1`.
fn numbers(text: &str) -> [u8; 3] {
    let mut res = [0; 3];
    for (place, number) in res.iter_mut().zip(text.split('.')) {
        *place = number.parse().unwrap_or(0);
    }
    res
}

/// The number after `last`; where that is none, `next` is still to come.
fn after(last: [u8; 3], next: [u8; 3]) -> [u8; 3] {
    let mut res = last;
    match res.iter().rposition(|it| *it > 0) {
        Some(idx) => res[idx] += 1,
        None => return next,
    }
    res
}
