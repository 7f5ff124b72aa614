//! Tables: what `kubectl get` prints, made where the objects are (`printers/storage.TableConvertor`).

use kinds::{Column, Context, Kind};
use meta::{Object, Status};
use value::{Map, Str, Value, map, time, value};

use crate::negotiate::Shape;
use crate::query::Query;

/// What a row carries beside its cells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Include {
    None,
    Metadata,
    Object,
}

impl Include {
    /// What the query says; it counts for tables only.
    ///
    /// # Errors
    /// 400 for a word that is none of the three.
    pub fn of(shape: Shape, query: &Query) -> Result<Include, Status> {
        if !matches!(shape, Shape::Table(_)) {
            return Ok(Include::Metadata);
        }
        match query.get("includeObject").unwrap_or_default() {
            "" | "Metadata" => Ok(Include::Metadata),
            "None" => Ok(Include::None),
            "Object" => Ok(Include::Object),
            other => Err(Status::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {}: must be 'Metadata', 'Object', 'None', or empty",
                meta::quoted(other)
            ))),
        }
    }
}

/// How rows are made.
pub(crate) struct Rows<'a> {
    pub kind: &'a Kind,
    /// `v1` or `v1beta1` of `meta.k8s.io`.
    pub version: &'static str,
    pub include: Include,
    /// Seconds since the Unix epoch.
    pub now: i64,
    /// The whole tree of an object in the version that is served.
    pub whole: &'a dyn Fn(&Object) -> Value,
}

/// Columns of kinds that declare none (`rest.NewDefaultTableConvertor`).
const DEFAULT_COLUMNS: &[Column] = &[
    Column {
        name: "Name",
        kind: "string",
        format: "name",
        description: "Unique among the objects of its kind in a namespace.",
        priority: 0,
        cell: |it, _| Value::from(&it.meta.name),
    },
    Column {
        name: "Created At",
        kind: "date",
        format: "",
        description: "When the object was created.",
        priority: 0,
        cell: |it, _| it.meta.created.map_or(Value::Null, |it| time::format_secs(it).into()),
    },
];

impl Rows<'_> {
    /// The table of some objects. `metadata` is the list's, or the object's version.
    pub fn table(&self, objects: &mut dyn Iterator<Item = &Object>, metadata: Map, headers: bool) -> Value {
        let own = (self.kind.columns)();
        let columns = if own.is_empty() { DEFAULT_COLUMNS } else { own };
        let rows: Vec<Value> = objects.map(|it| self.row(columns, it)).collect();
        let definitions: Value =
            if headers { columns.iter().map(definition).collect::<Vec<_>>().into() } else { Value::Null };
        value!({
            "kind": "Table", "apiVersion": format!("meta.k8s.io/{}", self.version), "metadata": metadata,
            "columnDefinitions": definitions, "rows": rows,
        })
    }

    fn row(&self, columns: &[Column], object: &Object) -> Value {
        let cx = Context { now: self.now };
        let cells: Vec<Value> = columns.iter().map(|it| (it.cell)(object, &cx)).collect();
        let included = match self.include {
            Include::None => Value::Null,
            Include::Metadata => partial(object, self.version),
            Include::Object => (self.whole)(object),
        };
        let mut row = map!({ "cells": cells, "object": included });
        if self.kind.id == kinds::POD
            && let Some(condition) = kinds::pod::row_condition(object)
        {
            row.insert("conditions", vec![condition]);
        }
        row.into()
    }
}

fn definition(column: &Column) -> Value {
    value!({
        "name": Str::literal(column.name), "type": column.kind, "format": column.format, "description": column.description,
        "priority": column.priority,
    })
}

/// `PartialObjectMetadata` of an object. Upstream makes it of the object inside the server, where some annotations are fields.
pub(crate) fn partial(object: &Object, version: &str) -> Value {
    let mut metadata = object.meta.to_map();
    metadata.edit_map("annotations", |all| *all = all.filtered(|key, _| !kinds::INNER_ANNOTATIONS.contains(&key)));
    if metadata.get("annotations").and_then(Value::as_map).is_some_and(Map::is_empty) {
        metadata.remove("annotations");
    }
    value!({
        "kind": "PartialObjectMetadata", "apiVersion": format!("meta.k8s.io/{version}"), "metadata": metadata,
    })
}

#[cfg(test)]
mod tests;
