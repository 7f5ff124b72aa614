//! What decoding JSON into Go's types and writing it again would give.

use value::quantity::{FORMAT_ERROR, Quantity};
use value::{List, Map, Str, Value, base64};

use crate::{Field, Presence, Schema, StructType, Type, TypeId};

const GO_TYPES: &str = include_str!("../data/go-types.txt");

/// Why a value does not fit its type, in the words of Go's `encoding/json` or of the type's own reader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodeError(pub String);

/// A value as the API would write it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decoded {
    pub value: Value,
    /// Paths of fields that the type does not have, such as `spec.containers[0].imag`.
    pub unknown: Vec<String>,
}

/// Lists and maps that mean something else empty than absent: managed fields are to be forgotten, scaling policies are
/// not to be the usual ones, and a capacity is refused in other words.
const TOLD_WHEN_EMPTY: [&str; 3] = ["capacity", "managedFields", "policies"];

impl Schema {
    /// Reads `value` as a `ty`: unknown fields are dropped and listed, zero values are left out or written as Go does,
    /// quantities and times become canonical. Shares what needs no change.
    ///
    /// # Errors
    /// The first value of a wrong type.
    pub fn decode(&self, ty: TypeId, value: &Value) -> Result<Decoded, DecodeError> {
        let mut reader = Reader { schema: self, steps: Vec::new(), unknown: Vec::new(), owner: "" };
        let value = reader.read(ty, value)?;
        Ok(Decoded { value, unknown: reader.unknown })
    }
}

enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

struct Reader<'a> {
    schema: &'a Schema,
    steps: Vec<Step<'a>>,
    unknown: Vec<String>,
    /// The Go name of the struct whose field is being read.
    owner: &'a str,
}

impl<'a> Reader<'a> {
    fn read(&mut self, ty: TypeId, value: &'a Value) -> Result<Value, DecodeError> {
        let schema = self.schema;
        match (schema.ty(ty), value) {
            (Type::Any, _) | (_, Value::Null) => Ok(value.clone()),
            (Type::Struct(it), Value::Map(map)) => self.structure(it, map).map(Value::Map),
            (Type::Map(it), Value::Map(map)) => self.map(it.item, map),
            (Type::List(it), Value::List(list)) => self.list(it.item, list),
            (Type::Bool, Value::Bool(_)) | (Type::Str, Value::Str(_)) | (Type::Int64, Value::Int(_)) => {
                Ok(value.clone())
            }
            (Type::Bytes, Value::Str(text)) => bytes(text, value),
            (Type::Number, Value::Int(_) | Value::Decimal(_)) => Ok(value.clone()),
            (Type::Int32, Value::Int(it)) if i32::try_from(*it).is_ok() => Ok(value.clone()),
            (Type::IntOrString, Value::Str(_)) => Ok(value.clone()),
            (Type::IntOrString, Value::Int(it)) if i32::try_from(*it).is_ok() => Ok(value.clone()),
            (Type::Quantity, _) => quantity(value),
            (Type::Time | Type::MicroTime, Value::Str(text)) => {
                timestamp(text, value, matches!(schema.ty(ty), Type::MicroTime))
            }
            _ => Err(self.mismatch(ty, value)),
        }
    }

    fn structure(&mut self, it: &'a StructType, map: &'a Map) -> Result<Map, DecodeError> {
        let owner = std::mem::replace(&mut self.owner, it.go_name());
        let mut changed: Option<Vec<(Str, Value)>> = None;
        for (idx, (key, value)) in map.iter().enumerate() {
            let read = match it.field(key) {
                Some(field) => {
                    self.steps.push(Step::Field(key));
                    let read = self.read(field.ty, value)?;
                    self.steps.pop();
                    self.keeps(field, &read).then_some(read)
                }
                None => {
                    let path = self.path_to(key);
                    self.unknown.push(path);
                    None
                }
            };
            match (read, &mut changed) {
                (Some(read), None) if read.same(value) => (),
                (read, changed) => {
                    let entries = changed.get_or_insert_with(|| {
                        map.iter().take(idx).map(|(key, value)| (key.clone(), value.clone())).collect()
                    });
                    entries.extend(read.map(|it| (key.clone(), it)));
                }
            }
        }
        self.owner = owner;
        let mut res: Map = changed.map_or_else(|| map.clone(), Map::from);
        for field in &it.fields {
            if matches!(field.presence, Presence::Always | Presence::Value) && !res.contains_key(&field.name) {
                res.insert(&field.name, self.zero(field));
            }
        }
        Ok(res)
    }

    /// Whether Go would write a field of this value.
    fn keeps(&self, field: &Field, value: &Value) -> bool {
        match field.presence {
            Presence::Always | Presence::Value => {
                !value.is_null() || matches!(self.schema.ty(field.ty), Type::Time | Type::MicroTime)
            }
            Presence::Pointer => !value.is_null(),
            Presence::OmitEmpty if TOLD_WHEN_EMPTY.contains(&field.name.as_str()) => !value.is_null(),
            Presence::OmitEmpty | Presence::OmitZero => !is_zero(value),
        }
    }

    /// What Go writes for a field that is absent.
    fn zero(&self, field: &Field) -> Value {
        match self.schema.ty(field.ty) {
            Type::Struct(it) => {
                let mut map = Map::new();
                for field in &it.fields {
                    if matches!(field.presence, Presence::Always | Presence::Value) {
                        map.insert(&field.name, self.zero(field));
                    }
                }
                Value::Map(map)
            }
            Type::Str | Type::Bytes => "".into(),
            Type::Bool => false.into(),
            Type::Int32 | Type::Int64 | Type::Number | Type::IntOrString => 0.into(),
            Type::Quantity => "0".into(),
            _ => Value::Null,
        }
    }

    fn map(&mut self, item: TypeId, map: &'a Map) -> Result<Value, DecodeError> {
        let mut res = map.clone();
        for (key, value) in map.iter() {
            let read = match value {
                Value::Null => self.zero_of(item),
                _ => self.read(item, value)?,
            };
            if !read.same(value) {
                res.insert(key, read);
            }
        }
        Ok(Value::Map(res))
    }

    fn zero_of(&self, ty: TypeId) -> Value {
        let field = Field {
            name: Str::default(),
            ty,
            presence: Presence::Always,
            required: false,
            retain_keys: false,
            number: [0; 3],
        };
        self.zero(&field)
    }

    fn list(&mut self, item: TypeId, list: &'a List) -> Result<Value, DecodeError> {
        let mut changed: Option<Vec<Value>> = None;
        for (idx, value) in list.iter().enumerate() {
            self.steps.push(Step::Index(idx));
            let read = match value {
                Value::Null => self.zero_of(item),
                _ => self.read(item, value)?,
            };
            self.steps.pop();
            if changed.is_some() || !read.same(value) {
                changed.get_or_insert_with(|| list[..idx].to_vec()).push(read);
            }
        }
        Ok(Value::List(changed.map_or_else(|| list.clone(), List::from)))
    }

    fn path_to(&self, key: &str) -> String {
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Field(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                }
                Step::Index(idx) => path.push_str(&format!("[{idx}]")),
            }
        }
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        path
    }

    /// `json: cannot unmarshal string into Go struct field DaemonSetSpec.spec.minReadySeconds of type int32`
    fn mismatch(&self, ty: TypeId, value: &Value) -> DecodeError {
        let is_integer = matches!(self.schema.ty(ty), Type::Int32 | Type::Int64 | Type::IntOrString);
        let what = match value {
            Value::Int(it) if is_integer => format!("number {it}"),
            Value::Decimal(it) if is_integer => format!("number {it}"),
            other => other.json_type().to_owned(),
        };
        let fields: Vec<&str> =
            self.steps.iter().filter_map(|it| if let Step::Field(name) = it { Some(*name) } else { None }).collect();
        DecodeError(format!(
            "json: cannot unmarshal {what} into Go struct field {}.{} of type {}",
            self.owner,
            fields.join("."),
            self.schema.type_at(ty, self.owner, fields.last().copied().unwrap_or(""))
        ))
    }
}

impl Schema {
    /// The Go type of a struct's field, by its own name where it has one.
    pub(crate) fn type_at(&self, ty: TypeId, owner: &str, field: &str) -> String {
        let is_field = |it: &str| {
            it.split_once(':').is_some_and(|(name, owners)| name == field && owners.split(',').any(|it| it == owner))
        };
        let lines = GO_TYPES.lines().filter(|it| !it.starts_with('#')).filter_map(|it| it.split_once(' '));
        let named = lines.filter(|(_, places)| places.split(' ').any(is_field)).map(|(name, _)| name).next();
        match (named, self.ty(ty)) {
            (Some(name), Type::Str | Type::Int32 | Type::Int64 | Type::Map(_)) => name.to_owned(),
            (Some(name), Type::List(_)) => format!("[]{name}"),
            _ => self.go_type(ty),
        }
    }

    fn go_type(&self, ty: TypeId) -> String {
        match self.ty(ty) {
            Type::Bool => "bool".to_owned(),
            Type::Int32 | Type::IntOrString => "int32".to_owned(),
            Type::Int64 => "int64".to_owned(),
            Type::Number => "float64".to_owned(),
            Type::Bytes => "[]uint8".to_owned(),
            Type::Map(it) => format!("map[string]{}", self.go_type(it.item)),
            Type::List(it) => format!("[]{}", self.go_type(it.item)),
            Type::Struct(it) => {
                let mut parts = it.name.rsplit('.');
                let (name, version) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
                format!("{version}.{name}")
            }
            Type::Quantity => "resource.Quantity".to_owned(),
            Type::Any | Type::Str | Type::Time | Type::MicroTime => "string".to_owned(),
        }
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) | Value::Int(0) => true,
        Value::Str(it) => it.is_empty(),
        Value::List(it) => it.is_empty(),
        Value::Map(it) => it.is_empty(),
        Value::Bool(true) | Value::Int(_) | Value::Decimal(_) => false,
    }
}

/// Bytes are written again as the one text that they have.
fn bytes(text: &str, value: &Value) -> Result<Value, DecodeError> {
    let bytes = base64::decode(text).map_err(|at| DecodeError(format!("illegal base64 data at input byte {at}")))?;
    let canonical = base64::encode(&bytes);
    Ok(if canonical == text { value.clone() } else { canonical.into() })
}

fn quantity(value: &Value) -> Result<Value, DecodeError> {
    let text = match value {
        Value::Str(it) => it.clone(),
        Value::Int(it) => it.to_string().into(),
        Value::Decimal(it) => it.clone(),
        _ => return Err(DecodeError(FORMAT_ERROR.to_owned())),
    };
    let canonical = Quantity::parse(&text).map_err(|it| DecodeError(it.to_owned()))?.to_string();
    Ok(if value.as_str() == Some(&canonical) { value.clone() } else { canonical.into() })
}

fn timestamp(text: &str, value: &Value, micro: bool) -> Result<Value, DecodeError> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let Some(secs) = value::time::parse_secs(text) else {
        return Err(DecodeError(time_error(text, micro)));
    };
    let canonical = match value::time::parse_nanos(text) {
        Some(nanos) if micro => value::time::format_micros(nanos),
        _ => value::time::format_secs(secs),
    };
    Ok(if canonical == text { value.clone() } else { canonical.into() })
}

/// Go's complaint about a text that is no time: what of the layout it could not find.
pub fn time_error(text: &str, micro: bool) -> String {
    let layout = if micro { "2006-01-02T15:04:05.000000Z07:00" } else { "2006-01-02T15:04:05Z07:00" };
    let parts = [
        (4, "2006"),
        (1, "-"),
        (2, "01"),
        (1, "-"),
        (2, "02"),
        (1, "T"),
        (2, "15"),
        (1, ":"),
        (2, "04"),
        (1, ":"),
        (2, "05"),
        (1, "Z07:00"),
    ];
    let mut rest = text;
    for (len, part) in parts {
        let fits = rest.get(..len).is_some_and(|it| {
            if len == 1 && part.len() == 1 { it == part } else { it.bytes().all(|it| it.is_ascii_digit()) }
        });
        if !fits {
            return format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{rest}\" as \"{part}\"");
        }
        rest = &rest[len..];
    }
    format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{rest}\" as \"Z07:00\"")
}
