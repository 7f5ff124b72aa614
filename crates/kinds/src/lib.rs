//! One file per built-in kind: its names, columns, defaults and rules.
//!
//! Knows nothing of requests or of other objects: what needs those is admission, in `apiserver`.

mod columns;
mod kind;
pub mod path;
mod registry;

use meta::KindId;

pub use self::kind::{
    Cell, Column, Context, Kind, Scope, SelectableField, Served, Strategy, Subresource, Verbs, api_version,
    keep_status, label_name, subdomain_name,
};

pub use self::registry::{Registry, ServedKind};

mod config_map;
pub mod pod;
pub mod pod_template;

/// Declares the id of every kind and the list of all, in one place.
macro_rules! kinds {
    ($($id:ident = $module:ident::$make:ident),* $(,)?) => {
        kinds!(@ids 0u16; $($id)*);

        /// Every built-in kind; its place in the list is its id.
        pub fn all() -> Vec<Kind> {
            vec![$(Kind { id: $id, ..$module::$make() }),*]
        }
    };
    (@ids $n:expr; $id:ident $($rest:ident)*) => {
        pub const $id: KindId = KindId($n);
        kinds!(@ids $n + 1; $($rest)*);
    };
    (@ids $n:expr;) => {};
}

kinds! {
    CONFIG_MAP = config_map::kind,
    POD = pod::kind,
}
