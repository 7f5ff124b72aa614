//! What is kept in the browser and what a link holds: the same bytes.

use js_sys::{Array, Promise, Uint8Array};
use view::model::Ref;
use view::wire;
use view::wire::Wire;
use wasm_bindgen::{JsCast, JsValue};
use web::Session;

use crate::js;

/// Grows when older bytes can no longer be read as they were.
const VERSION: u8 = 2;
/// The version that knew no snapshots: it ends before them.
const VERSION_WITHOUT_BASE: u8 = 1;
/// What the fragment of a link begins with: the version of the page's links.
pub const LINK_PREFIX: &str = "d1:";

wire! {
    pub struct Kept {
        pub session: Session,
        pub text: String,
        pub selection: Option<Ref>,
        pub quarters: u32,
        pub is_paused: bool,
        /// The number of the snapshot from which the session goes on; 0 where it holds everything.
        pub base_id: u64,
        /// The snapshot, in links and files; the browser keeps it beside this, since it seldom changes.
        pub base: String,
    }
}

impl Kept {
    pub fn seal(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        self.put(&mut bytes);
        bytes
    }

    /// # Errors
    /// Why it cannot be read, for people.
    pub fn open(bytes: &[u8]) -> Result<Kept, &'static str> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Kept::from_bytes(rest).ok_or("It is damaged."),
            Some((&VERSION_WITHOUT_BASE, rest)) => Kept::from_bytes(&[rest, &[0, 0]].concat()).ok_or("It is damaged."),
            Some((version, _)) if *version > VERSION => Err("It was made by a newer version."),
            _ => Err("It is damaged."),
        }
    }
}

/// What the browser keeps: the state's bytes, and the number of the snapshot and the snapshot beside it.
pub fn from_browser(found: &JsValue) -> Option<Result<Kept, &'static str>> {
    let found: &Array = found.dyn_ref()?;
    let bytes = found.get(0).dyn_into::<Uint8Array>().ok()?;
    let kept = Kept::open(&bytes.to_vec()).and_then(|mut kept| {
        if kept.base_id != 0 {
            let is_same = found.get(1).as_f64() == Some(kept.base_id as f64);
            let base =
                found.get(2).dyn_into::<Uint8Array>().ok().filter(|_| is_same).ok_or("Its snapshot is missing.")?;
            kept.base = String::from_utf8(base.to_vec()).map_err(|_| "Its snapshot is damaged.")?;
        }
        Ok(kept)
    });
    Some(kept)
}

/// The snapshot from which a cluster goes on.
#[derive(Default)]
pub struct Base {
    /// Tells snapshots apart, also those of several tabs; 0 for none.
    pub id: u64,
    /// JSON, outside of the app's own memory.
    text: Option<Uint8Array>,
}

impl Base {
    pub fn new(text: Uint8Array) -> Base {
        // Some bits of chance: so many are exact in both languages.
        let chance = js_sys::Math::random().to_bits() & ((1 << 52) - 1);
        let id = if text.length() == 0 { 0 } else { chance | 1 };
        Base { id, text: Some(text) }
    }

    pub fn text(&self) -> String {
        let bytes = self.text.as_ref().map(Uint8Array::to_vec);
        bytes.and_then(|it| String::from_utf8(it).ok()).unwrap_or_default()
    }

    /// Saves the state with it.
    pub fn save(&self, kept: &Kept) -> Promise {
        js::save(&Uint8Array::from(kept.seal().as_slice()), self.id as f64, self.text.as_ref())
    }
}
