//! Whether a configuration fits its type, in the words of `typed/validate.go`.

use std::collections::BTreeSet;

use meta::quoted;
use schema::{ListKind, ListType, Schema, TypeId};
use value::{Str, Value, json};

use crate::fields::Element;
use crate::go_text::{go_text_of_yaml, number};
use crate::shape::{Shape, Unnamed, element_of};

/// One error: where, and what.
struct Problem {
    path: String,
    what: String,
}

/// Every way in which a configuration does not fit, as one text.
pub(super) fn check(schema: &Schema, ty: Option<TypeId>, config: &Value) -> Result<(), String> {
    let mut problems = Vec::new();
    walk(schema, ty, config, &mut String::new(), &mut problems);
    let mut texts = problems
        .iter()
        .map(|it| if it.path.is_empty() { it.what.clone() } else { format!("{}: {}", it.path, it.what) });
    match problems.len() {
        0 => Ok(()),
        1 => Err(texts.next().unwrap_or_default()),
        _ => Err(texts.fold("errors:".to_owned(), |all, it| format!("{all}\n  {it}"))),
    }
}

fn walk(schema: &Schema, ty: Option<TypeId>, value: &Value, path: &mut String, problems: &mut Vec<Problem>) {
    let shape = Shape::of(schema, ty);
    let is_scalar = !matches!(value, Value::List(_) | Value::Map(_));
    let what = match (shape, value) {
        (_, Value::Null) | (Shape::Whole | Shape::Deduced, _) => return,
        (Shape::Text, Value::Str(_)) | (Shape::Bool, Value::Bool(_)) => return,
        (Shape::Number, Value::Int(_) | Value::Decimal(_)) => return,
        (Shape::Scalar, _) if is_scalar => return,
        (Shape::List(it), Value::List(list)) => return items(schema, it, list, path, problems),
        (Shape::Struct(_) | Shape::Map(..), Value::Map(map)) => {
            for (name, value) in map.iter() {
                let len = path.len();
                path.push('.');
                path.push_str(name);
                let field = shape.field(name);
                match field {
                    Some(ty) => walk(schema, ty, value, path, problems),
                    None => {
                        problems.push(Problem { path: path.clone(), what: "field not declared in schema".into() });
                    }
                }
                path.truncate(len);
                if field.is_none() {
                    return;
                }
            }
            return;
        }
        (Shape::Text, _) => format!("expected string, got &value.valueUnstructured{{Value:{}}}", go_syntax(value)),
        (Shape::Number, _) => format!("expected numeric (int or float), got {}", crate::go_text::go_type(value)),
        (Shape::Bool, _) => format!("expected boolean, got &{{{}}}", go_text_of_yaml(value)),
        (Shape::Scalar, _) => format!("expected any scalar, got &{{{}}}", go_text_of_yaml(value)),
        (Shape::List(_), _) => format!("expected list, got &{{{}}}", go_text_of_yaml(value)),
        (Shape::Struct(_) | Shape::Map(..), _) => format!("expected map, got &{{{}}}", go_text_of_yaml(value)),
    };
    problems.push(Problem { path: path.clone(), what });
}

fn items(schema: &Schema, it: &ListType, list: &[Value], path: &mut String, problems: &mut Vec<Problem>) {
    let mut seen: BTreeSet<Str> = BTreeSet::new();
    for (idx, item) in list.iter().enumerate() {
        let len = path.len();
        let step = if it.kind == ListKind::Atomic {
            format!("[{idx}]")
        } else {
            let element = match element_of(schema, it, item) {
                Ok(element) => element,
                Err(why) => {
                    let what = format!("element {idx}: {}", unnamed(&why, it));
                    return problems.push(Problem { path: path.clone(), what });
                }
            };
            let step = Element::parse(&element).map(|it| it.to_string()).unwrap_or_default();
            if !seen.insert(element) {
                let what = format!("duplicate entries for key {step}");
                problems.push(Problem { path: path.clone(), what });
            }
            step
        };
        path.push_str(&step);
        walk(schema, Some(it.item), item, path, problems);
        path.truncate(len);
    }
}

fn unnamed(why: &Unnamed, it: &ListType) -> String {
    match why {
        Unnamed::NullItem => "associative list with keys may not have a null element".into(),
        Unnamed::NoMap => "associative list with keys may not have non-map elements".into(),
        Unnamed::NoKeys => {
            let keys: Vec<String> = match &it.kind {
                ListKind::Map(keys) => keys.iter().map(|it| quoted(it)).collect(),
                _ => Vec::new(),
            };
            format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
                keys.join(" ")
            )
        }
        Unnamed::IsMap => "associative list without keys has an element that's a map type".into(),
        Unnamed::IsList => "not supported: associative list with lists as elements".into(),
        Unnamed::IsNull => "associative list without keys has an element that's an explicit null".into(),
    }
}

/// Go's `%#v` of what YAML was decoded to.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".into(),
        Value::Int(it) => number(*it),
        Value::Str(it) => quoted(it),
        Value::Bool(_) | Value::Decimal(_) => json::to_string(value),
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Map(map) => {
            let items: Vec<String> = map.iter().map(|(k, v)| format!("{}:{}", quoted(k), go_syntax(v))).collect();
            format!("map[string]interface {{}}{{{}}}", items.join(", "))
        }
    }
}
