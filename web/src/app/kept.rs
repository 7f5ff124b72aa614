//! What is kept in the browser and what a link holds: the same bytes.

use view::model::Ref;
use view::wire;
use view::wire::Wire;
use web::Session;

/// Grows when older bytes can no longer be read as they were.
const VERSION: u8 = 1;
/// Where the last state is kept in the browser.
pub const KEY: &str = "session";
/// What the fragment of a link begins with: the version of the page's links.
pub const LINK_PREFIX: &str = "d1:";

wire! {
    pub struct Kept {
        pub session: Session,
        pub text: String,
        pub selection: Option<Ref>,
        pub quarters: u32,
        pub is_paused: bool,
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
            Some((version, _)) if *version > VERSION => Err("It was made by a newer version."),
            _ => Err("It is damaged."),
        }
    }
}
