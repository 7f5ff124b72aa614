//! Kinds that nobody knows: every field, with a readable label.

use value::{Map, Value};

use super::Subject;
use super::page::Page;
use crate::failure::Result;
use crate::{Cx, go};

/// What is shown at the top, or never.
const SKIPPED: &[&str] =
    &[".metadata.managedFields", ".metadata.name", ".metadata.namespace", ".metadata.labels", ".metadata.annotations"];

pub(super) fn generic(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, "Name=metadata.name\nNamespace=metadata.namespace\n@labels\n@annotations");
    if let Value::Map(map) = it.object {
        content(page, 0, map, "");
    }
    Ok(())
}

fn content(page: &mut Page, level: usize, map: &Map, prefix: &str) {
    for (field, value) in map.iter() {
        let path = format!("{prefix}.{field}");
        if SKIPPED.contains(&&*path) {
            continue;
        }
        let label = label(field);
        match value {
            Value::Map(inner) => {
                page.at(level, &format!("{label}:"));
                content(page, level + 1, inner, &path);
            }
            Value::List(items) => {
                page.at(level, &format!("{label}:"));
                for item in items {
                    match item {
                        Value::Map(inner) => content(page, level + 1, inner, &path),
                        other => page.at(level + 1, &go::show(other)),
                    }
                }
            }
            other => page.at(level, &format!("{label}:\t{}", go::show(other))),
        }
    }
}

/// `creationTimestamp` is `Creation Timestamp`.
fn label(field: &str) -> String {
    if field.chars().any(|it| !it.is_alphabetic() && it != '-') {
        return field.to_owned();
    }
    let parts = merged(split(field));
    let words: Vec<String> = parts
        .into_iter()
        .map(|part| match () {
            () if matches!(&*part.to_uppercase(), "API" | "URL" | "UID" | "GUID") => part.to_uppercase(),
            () if part.to_lowercase() == part => go::title(&part),
            () => part,
        })
        .collect();
    words.join(" ")
}

/// Cuts where the kind of letters changes; the last capital goes with the small ones after it.
fn split(text: &str) -> Vec<String> {
    let class = |ch: char| match ch {
        ch if ch.is_lowercase() => 1,
        ch if ch.is_uppercase() => 2,
        _ => 3,
    };
    let mut parts: Vec<String> = Vec::new();
    let mut last = 0;
    for ch in text.chars() {
        match parts.last_mut() {
            Some(part) if class(ch) == last => part.push(ch),
            _ => parts.push(ch.to_string()),
        }
        last = class(ch);
    }
    for idx in 0..parts.len().saturating_sub(1) {
        let upper = parts[idx].starts_with(char::is_uppercase) && parts[idx + 1].starts_with(char::is_lowercase);
        if upper && let Some(ch) = parts[idx].pop() {
            parts[idx + 1].insert(0, ch);
        }
    }
    parts.retain(|it| !it.is_empty());
    parts
}

/// Joins two or more capitals with the word after them.
fn merged(parts: Vec<String>) -> Vec<String> {
    let mut res: Vec<String> = Vec::new();
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        let capitals = part.chars().count() >= 2 && part.chars().all(|it| !it.is_alphabetic() || it.is_uppercase());
        match parts.next_if(|next| capitals && next.starts_with(char::is_uppercase)) {
            Some(next) => res.push(part + &next),
            None => res.push(part),
        }
    }
    res
}
