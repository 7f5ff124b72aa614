//! `cluster-info`.

use super::{Command, Help};
use crate::failure::Result;
use crate::shell::{Cx, Flow};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "cluster-info",
    help: || Help { usage: "", about: "Display cluster information" },
    flags: &[],
    run: cluster_info,
}];

fn cluster_info(cx: &mut Cx<'_>) -> Result<Flow> {
    let server = super::config::server(cx);
    cx.line(&format!("Kubernetes control plane is running at {server}"));
    cx.line("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
    Ok(Flow::Done)
}
