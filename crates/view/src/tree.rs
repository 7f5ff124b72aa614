//! Workloads as a tree: who owns whom, each with its count and its state in words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kinds::{CRON_JOB, ENDPOINT_SLICE, SERVICE};
use meta::Object;
use store::Store;
use value::Str;

use crate::model::Ref;
use crate::screen::Screen;
use crate::words::{self, State, Words};
use crate::{runs, service, wire};

/// Rows below one parent; more are counted.
const CHILDREN_MAX: usize = 100;
/// The chain of owners goes no deeper.
const LEVELS_MAX: u32 = 6;

wire! {
    /// A row of the tree. Those below a closed one are not there.
    pub struct Branch {
        /// Empty for a row that only counts what is not shown.
        pub uid: String,
        /// From 1.
        pub level: u32,
        /// From 1, among its siblings.
        pub position: u32,
        pub n_siblings: u32,
        pub target: Ref,
        pub hue: u8,
        pub n_children: u32,
        pub is_open: bool,
        /// Such as `2/3`; empty where nothing is counted.
        pub count: String,
        pub state: State,
        pub text: String,
    }
}

/// What the tree is made of.
struct Tree<'a> {
    screen: &'a Screen,
    /// By the uid of the owner.
    children: BTreeMap<&'a str, Vec<&'a Arc<Object>>>,
    closed: &'a BTreeSet<String>,
    now_secs: i64,
    rows: Vec<Branch>,
}

/// The rows as they are shown when the owners in `closed`, by uid, are closed.
pub fn rows(screen: &Screen, store: &Store, closed: &BTreeSet<String>, now_secs: i64) -> Vec<Branch> {
    let mut tree = Tree { screen, children: BTreeMap::new(), closed, now_secs, rows: Vec::new() };
    let mut roots: Vec<&Arc<Object>> = Vec::new();
    for object in screen.workload_objects().chain(screen.pod_objects()) {
        match screen.workload_above(object) {
            Some(owner) => tree.children.entry(&owner.meta.uid).or_default().push(object),
            None => roots.push(object),
        }
    }
    for children in tree.children.values_mut() {
        children.sort_by(|a, b| newest_first(a).cmp(&newest_first(b)));
    }
    let services: Vec<&Arc<Object>> = store.list(SERVICE, None).filter(|it| !service::is_of_cluster(it)).collect();
    let n = roots.len() + services.len();
    for (idx, root) in roots.into_iter().enumerate() {
        tree.add(root, 1, idx, n);
    }
    let n_before = n - services.len();
    for (idx, it) in services.into_iter().enumerate() {
        let words = service::words(it, store.list(ENDPOINT_SLICE, Some(it.namespace())));
        tree.push(it, 1, n_before + idx, n, words, 0);
    }
    tree.rows
}

/// Newer revisions and later Jobs come first, pods by name.
fn newest_first(object: &Object) -> (std::cmp::Reverse<i64>, &Str) {
    let rank = match object.meta.annotation(words::REVISION).and_then(|it| it.parse().ok()) {
        Some(revision) => revision,
        None if object.kind == kinds::JOB => object.meta.created.unwrap_or(0),
        None => 0,
    };
    (std::cmp::Reverse(rank), &object.meta.name)
}

impl Tree<'_> {
    fn add(&mut self, object: &Arc<Object>, level: u32, idx: usize, n_siblings: usize) {
        let words = match self.screen.pod_of(object) {
            Some(pod) => words::of_pod(&pod),
            None => words::of_workload(object, &self.next_run(object)),
        };
        let children = self.children.get(&*object.meta.uid).cloned().unwrap_or_default();
        self.push(object, level, idx, n_siblings, words, children.len());
        if level >= LEVELS_MAX || children.is_empty() || self.closed.contains(&*object.meta.uid) {
            return;
        }
        for (idx, child) in children.iter().take(CHILDREN_MAX).enumerate() {
            self.add(child, level + 1, idx, children.len());
        }
        if let Some(rest) = children.len().checked_sub(CHILDREN_MAX).filter(|it| *it > 0) {
            let n = count(children.len());
            let text = format!("and {rest} more");
            self.rows.push(Branch { level: level + 1, position: n, n_siblings: n, text, ..Branch::default() });
        }
    }

    fn push(&mut self, object: &Object, level: u32, idx: usize, n_siblings: usize, words: Words, n_children: usize) {
        let Words { count: amount, state, text } = words;
        self.rows.push(Branch {
            uid: object.meta.uid.to_string(),
            level,
            position: count(idx + 1),
            n_siblings: count(n_siblings),
            target: self.screen.ref_of(object),
            hue: self.screen.hue(object),
            n_children: count(n_children),
            is_open: n_children > 0 && !self.closed.contains(&*object.meta.uid),
            count: amount,
            state,
            text,
        });
    }

    fn next_run(&self, object: &Object) -> String {
        if object.kind != CRON_JOB {
            return String::new();
        }
        runs::next_label(object, self.now_secs)
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
