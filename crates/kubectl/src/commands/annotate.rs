//! `annotate`.

use super::label::{self, Field};
use super::{Command, DRY_RUN, FILES, Help, SELECTOR};
use crate::print;

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "annotate",
    help: || Help {
        usage: "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
        about: "Update the annotations on a resource",
    },
    flags: &[print::FLAGS, FILES, SELECTOR, DRY_RUN, label::FLAGS],
    run: |cx| label::change(cx, &ANNOTATIONS),
}];

const ANNOTATIONS: Field = Field { field: "annotations", one: "annotation" };
