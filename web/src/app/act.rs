//! What a user can do.

use view::model::Ref;
use view::service::Origin;
use web::Part;

#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// The manifest changed.
    Text(String),
    Apply,
    Delete,
    GoTo {
        line: u32,
        column: u32,
    },
    /// Lays the verdicts of an object over the nodes, or takes them away.
    Select(Option<Ref>),
    /// Marks an object everywhere and filters the streams to it.
    Focus(Option<Ref>),
    /// Opens the drawer for an object that was clicked at this distance from the left edge.
    Open {
        target: Ref,
        x: i32,
    },
    Close,
    /// Runs a line as if it were typed in the console.
    Run(String),
    Line(String),
    /// A line for the command that runs in the console; none at the end of what is typed.
    Typed(Option<String>),
    Interrupt,
    ClearConsole,
    CompleteLine(String),
    TogglePause,
    Speed(u32),
    Step,
    NextEvent,
    NextRun,
    AddNode,
    Example(&'static str),
    Share,
    Export,
    Import,
    Reset,
    Theme,
    Dialog(Dialog),
    CloseDialog,
    Pane(Pane),
    Tab(Tab),
    Size(Size),
    View(View),
    /// From anything else to the tree, from the tree to the nodes.
    ToggleTree,
    /// Opens or closes what an owner, by uid, has below it in the tree.
    Fold {
        uid: String,
        is_open: bool,
    },
    /// Sends a request over the simulated network.
    Request {
        from: Origin,
        url: String,
    },
    /// Another part of the object in the drawer.
    Part(Part),
    Diff(u64),
    /// Shows what applying the manifest would change, or the manifest again.
    Compare,
    CloseToast(u32),
    Copy(String),
    GoConsole,
    GoEditor,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Dialog {
    Limits,
    Keys,
    /// The link.
    Share(String),
    Reset,
    /// A line of text that makes a command of a node: the taint or label to put on it.
    Ask {
        node: String,
        what: &'static str,
    },
}

/// How the cluster is shown.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum View {
    Cards,
    Table,
    Tree,
    Components,
}

/// What a phone shows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Pane {
    Manifest,
    Cluster,
    Streams,
    Console,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Tab {
    Watch,
    Events,
    Requests,
    Console,
}

/// How much room the streams take.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Size {
    Low,
    Middle,
    Tall,
}
