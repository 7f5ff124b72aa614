//! The app's copy of what the worker shows: takes updates in, and says what changed in a way that drawing can skip the rest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use crate::model::{Clock, EventRow, Node, Pod, Ref, RequestRow, Update, WatchRow, Workload};

/// Rows of each stream that the page keeps.
pub const ROWS_MAX: usize = 2_000;

/// A node with its pods, by name. Equal as long as it is the same allocation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    pub node: Rc<Node>,
    pub pods: Vec<Rc<Pod>>,
}

/// Rows of a stream, oldest first. A new one is made for each change, so that equality is cheap.
#[derive(Clone, Debug)]
pub struct Rows<T> {
    rows: VecDeque<Rc<T>>,
    /// Rows that have ever come; tells two states apart.
    pub n_seen: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Board {
    pub clock: Clock,
    /// In the order of the nodes.
    pub cells: Vec<Rc<Cell>>,
    /// Pods without a node, oldest first.
    pub lane: Rc<Vec<Rc<Pod>>>,
    pub workloads: Rc<Vec<Rc<Workload>>>,
    pub watch: Rows<WatchRow>,
    pub events: Rows<EventRow>,
    pub requests: Rows<RequestRow>,
    pub n_skipped: u64,
    nodes: BTreeMap<String, Rc<Node>>,
    pods: BTreeMap<String, Rc<Pod>>,
    /// Uids of pods by node; the empty name is the lane.
    by_node: BTreeMap<String, BTreeSet<String>>,
    /// The lane's order.
    arrivals: BTreeMap<String, u64>,
    n_arrivals: u64,
}

impl<T> Default for Rows<T> {
    fn default() -> Rows<T> {
        Rows { rows: VecDeque::new(), n_seen: 0 }
    }
}

impl<T> PartialEq for Rows<T> {
    fn eq(&self, other: &Rows<T>) -> bool {
        self.n_seen == other.n_seen && self.rows.len() == other.rows.len()
    }
}

impl<T> Rows<T> {
    fn push(&mut self, row: Rc<T>) {
        self.n_seen += 1;
        self.rows.push_back(row);
        if self.rows.len() > ROWS_MAX {
            self.rows.pop_front();
        }
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Rc<T>> {
        self.rows.iter()
    }
}

/// Counts for one sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub n_nodes: usize,
    pub n_pods: usize,
    pub n_ready: usize,
}

impl Board {
    /// Takes an update in; answers the uids of pods that are new, moved or look different.
    pub fn apply(&mut self, update: Update) -> Vec<String> {
        if update.is_whole {
            self.nodes.clear();
            self.pods.clear();
            self.by_node.clear();
            self.arrivals.clear();
            self.cells.clear();
        }
        self.clock = update.clock;
        self.n_skipped += u64::from(update.n_skipped);
        let mut touched = BTreeSet::new();
        let mut changed = Vec::new();
        let nodes_before = self.nodes.len();
        for name in &update.nodes_gone {
            self.nodes.remove(name);
        }
        for node in update.nodes {
            touched.insert(node.name.clone());
            self.nodes.insert(node.name.clone(), node);
        }
        for uid in &update.pods_gone {
            if let Some(gone) = self.pods.remove(uid) {
                self.leave(&gone, &mut touched);
            }
        }
        for pod in update.pods {
            self.put(pod, &mut touched, &mut changed);
        }
        if touched.contains("") || update.is_whole {
            self.lane = Rc::new(self.waiting());
        }
        let same_nodes = nodes_before == self.nodes.len() && update.nodes_gone.is_empty() && !update.is_whole;
        self.draw(&touched, same_nodes);
        if let Some(workloads) = update.workloads {
            self.workloads = Rc::new(workloads);
        }
        update.watch.into_iter().for_each(|it| self.watch.push(it));
        for row in update.events {
            self.events.push(row);
        }
        update.requests.into_iter().for_each(|it| self.requests.push(it));
        changed
    }

    fn leave(&mut self, pod: &Pod, touched: &mut BTreeSet<String>) {
        if let Some(there) = self.by_node.get_mut(&pod.node) {
            there.remove(&pod.uid);
        }
        self.arrivals.remove(&pod.uid);
        touched.insert(pod.node.clone());
    }

    fn put(&mut self, pod: Rc<Pod>, touched: &mut BTreeSet<String>, changed: &mut Vec<String>) {
        let before = self.pods.get(&pod.uid).cloned();
        if let Some(before) = before.as_ref().filter(|it| it.node != pod.node) {
            self.leave(before, touched);
        }
        if before.as_ref().is_none_or(|it| it.node != pod.node || it.look != pod.look) {
            changed.push(pod.uid.clone());
        }
        touched.insert(pod.node.clone());
        self.by_node.entry(pod.node.clone()).or_default().insert(pod.uid.clone());
        self.n_arrivals += 1;
        self.arrivals.entry(pod.uid.clone()).or_insert(self.n_arrivals);
        self.pods.insert(pod.uid.clone(), pod);
    }

    fn waiting(&self) -> Vec<Rc<Pod>> {
        let uids = self.by_node.get("").into_iter().flatten();
        let mut lane: Vec<Rc<Pod>> = uids.filter_map(|it| self.pods.get(it)).cloned().collect();
        lane.sort_by_key(|it| self.arrivals.get(&it.uid).copied());
        lane
    }

    /// Makes the cells of touched nodes anew; all of them where nodes came or went.
    fn draw(&mut self, touched: &BTreeSet<String>, same_nodes: bool) {
        if !same_nodes {
            let mut nodes: Vec<Rc<Node>> = self.nodes.values().cloned().collect();
            nodes.sort_by_key(|it| it.order);
            let old: BTreeMap<String, Rc<Cell>> = self.cells.drain(..).map(|it| (it.node.name.clone(), it)).collect();
            self.cells = nodes
                .into_iter()
                .map(|node| match old.get(&node.name).filter(|_| !touched.contains(&node.name)) {
                    Some(same) => same.clone(),
                    None => Rc::new(self.cell(node)),
                })
                .collect();
            return;
        }
        for idx in 0..self.cells.len() {
            let name = &self.cells[idx].node.name;
            if touched.contains(name)
                && let Some(node) = self.nodes.get(name).cloned()
            {
                self.cells[idx] = Rc::new(self.cell(node));
            }
        }
    }

    fn cell(&self, node: Rc<Node>) -> Cell {
        let uids = self.by_node.get(&node.name).into_iter().flatten();
        let mut pods: Vec<Rc<Pod>> = uids.filter_map(|it| self.pods.get(it)).cloned().collect();
        pods.sort_by(|a, b| (&a.name, &a.namespace).cmp(&(&b.name, &b.namespace)));
        Cell { node, pods }
    }

    pub fn pod(&self, namespace: &str, name: &str) -> Option<&Rc<Pod>> {
        self.pods.values().find(|it| it.name == name && it.namespace == namespace)
    }

    pub fn workload(&self, target: &Ref) -> Option<&Rc<Workload>> {
        self.workloads.iter().find(|it| it.target == *target)
    }

    pub fn counts(&self) -> Counts {
        Counts {
            n_nodes: self.nodes.len(),
            n_pods: self.pods.len(),
            n_ready: self.pods.values().filter(|it| it.is_ready).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::Board;
    use crate::model::{Look, Node, Pod, Update};

    fn node(name: &str, order: u32) -> std::rc::Rc<Node> {
        Node { name: name.to_owned(), order, ..Node::default() }.into()
    }

    fn pod(name: &str, node: &str, look: Look) -> std::rc::Rc<Pod> {
        let (uid, name, node) = (name.to_owned(), name.to_owned(), node.to_owned());
        Pod { uid, name, node, look, ..Pod::default() }.into()
    }

    fn shown(board: &Board) -> String {
        let mut lines = vec![format!("lane {:?}", board.lane.iter().map(|it| &it.name).collect::<Vec<_>>())];
        for cell in &board.cells {
            let pods = cell.pods.iter().map(|it| it.name.as_str()).collect::<Vec<_>>();
            lines.push(format!("{} {}", cell.node.name, pods.join(" ")));
        }
        lines.join("\n")
    }

    #[track_caller]
    fn check(board: &mut Board, update: Update, expect: Expect) {
        let changed = board.apply(update);
        expect.assert_eq(&format!("{}\nchanged {changed:?}", shown(board)));
    }

    #[test]
    fn pods_move_from_the_lane_to_their_nodes() {
        let mut board = Board::default();
        let first = Update {
            is_whole: true,
            nodes: vec![node("b", 0), node("a", 1)],
            pods: vec![pod("q", "", Look::Pending), pod("p", "", Look::Pending)],
            ..Update::default()
        };
        check(
            &mut board,
            first,
            expect![[r#"
            lane ["q", "p"]
            b 
            a 
            changed ["q", "p"]"#]],
        );
        let untouched = board.cells[0].clone();
        let landed = Update { pods: vec![pod("p", "a", Look::Creating)], ..Update::default() };
        check(
            &mut board,
            landed,
            expect![[r#"
            lane ["q"]
            b 
            a p
            changed ["p"]"#]],
        );
        assert!(std::rc::Rc::ptr_eq(&untouched, &board.cells[0]));
        let gone = Update { pods_gone: vec!["p".to_owned()], nodes_gone: vec!["b".to_owned()], ..Update::default() };
        check(
            &mut board,
            gone,
            expect![[r#"
            lane ["q"]
            a 
            changed []"#]],
        );
    }
}
