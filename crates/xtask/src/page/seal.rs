//! Gives every file of the site a name that holds the hash of its contents, and mends the references.
//!
//! So a host may let browsers keep the files for ever, and a new build never mixes with an old one.
//! References are relative (`./name` or a quoted `name`), which lets the site work below any path.

use crate::{files, process::Res};
use std::{collections::BTreeMap, path::Path};

/// Names that others rely on; sorted.
const STABLE: &[&str] = &["drydock.d.ts", "drydock.js", "index.html", "licences.txt", "sw.js"];

/// Files in which references are looked for; sorted.
const TEXT: &[&str] = &["css", "html", "js", "webmanifest"];

/// Names below the site's root, with contents.
type Site = BTreeMap<String, Vec<u8>>;

/// Makes the sealed site `to` of the unsealed one `from`.
pub fn seal(from: &Path, to: &Path) -> Res<()> {
    let mut site = Site::new();
    for path in files::below(from, &[])? {
        let name = path.strip_prefix(from).map_err(|error| error.to_string())?.to_string_lossy().into_owned();
        site.insert(name, files::read_bytes(&path)?);
    }
    files::remove_dir(to)?;
    for (name, bytes) in sealed(site)? {
        files::write(&to.join(name), bytes)?;
    }
    Ok(())
}

/// Leaves first: a file is named when all that it refers to is named.
fn sealed(mut site: Site) -> Res<Site> {
    let mut names = BTreeMap::<String, String>::new();
    let mut res = Site::new();
    while !site.is_empty() {
        let Some(name) = site.keys().find(|name| is_leaf(name, &site)).cloned() else {
            let rest = site.into_keys().collect::<Vec<_>>().join(", ");
            return Err(format!("files that refer to each other cannot be named by their contents: {rest}"));
        };
        let Some(mut bytes) = site.remove(&name) else { continue };
        if is_text(&name) {
            bytes = renamed(&bytes, &names);
        }
        let new = if is_stable(&name) { name.clone() } else { with_hash(&name, &bytes) };
        names.insert(name, new.clone());
        res.insert(new, bytes);
    }
    Ok(res)
}

fn is_leaf(name: &str, site: &Site) -> bool {
    if !is_text(name) {
        return true;
    }
    let bytes = &site[name];
    site.keys().all(|other| other == name || is_stable(other) || next_reference(bytes, 0, other).is_none())
}

/// Files in folders keep their names: wasm-bindgen has put a hash into the folder's.
fn is_stable(name: &str) -> bool {
    name.contains('/') || STABLE.binary_search(&name).is_ok()
}

fn is_text(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ext)| TEXT.binary_search(&ext).is_ok())
}

fn with_hash(name: &str, bytes: &[u8]) -> String {
    let hash = files::fingerprint(bytes);
    match name.split_once('.') {
        Some((stem, ext)) => format!("{stem}-{hash:016x}.{ext}"),
        None => format!("{name}-{hash:016x}"),
    }
}

fn renamed(bytes: &[u8], names: &BTreeMap<String, String>) -> Vec<u8> {
    let mut res = bytes.to_vec();
    for (old, new) in names.iter().filter(|(old, new)| old != new) {
        let mut at = 0;
        while let Some(found) = next_reference(&res, at, old) {
            res.splice(found..found + old.len(), new.bytes());
            at = found + new.len();
        }
    }
    res
}

/// Where `name` is referred to, from `start` on: quoted whole, with or without `./` in front.
fn next_reference(bytes: &[u8], start: usize, name: &str) -> Option<usize> {
    let mut windows = bytes.windows(name.len()).enumerate().skip(start);
    windows.find_map(|(at, window)| {
        let before = bytes[..at].strip_suffix(b"./").unwrap_or(&bytes[..at]);
        let opened = before.last().is_some_and(|it| b"\"'`(".contains(it));
        let closed = bytes.get(at + name.len()).is_some_and(|it| b"\"'`)?#".contains(it));
        (window == name.as_bytes() && opened && closed).then_some(at)
    })
}

#[cfg(test)]
mod tests;
