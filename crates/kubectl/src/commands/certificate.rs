//! `certificate approve` and `certificate deny`.

use meta::quoted;
use value::{Value, value};

use super::{Command, FILES, Help};
use crate::api::Url;
use crate::build::Rules;
use crate::failure::{Result, fail};
use crate::manifest::Info;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "certificate",
        help: || Help { usage: "SUBCOMMAND", about: "Modify certificate resources" },
        flags: &[],
        run: |cx| super::help::children(cx, "certificate"),
    },
    Command {
        name: "certificate approve",
        help: || Help { usage: "(-f FILENAME | NAME)", about: "Approve a certificate signing request" },
        flags: &[print::FLAGS, FILES, "force:b"],
        run: |cx| decide(cx, &APPROVE),
    },
    Command {
        name: "certificate deny",
        help: || Help { usage: "(-f FILENAME | NAME)", about: "Deny a certificate signing request" },
        flags: &[print::FLAGS, FILES, "force:b"],
        run: |cx| decide(cx, &DENY),
    },
];

struct Decision {
    done: &'static str,
    condition: &'static str,
    opposite: &'static str,
    reason: &'static str,
    message: &'static str,
}

const APPROVE: Decision = Decision {
    done: "approved",
    condition: "Approved",
    opposite: "Denied",
    reason: "KubectlApprove",
    message: "This CSR was approved by kubectl certificate approve.",
};

const DENY: Decision = Decision {
    done: "denied",
    condition: "Denied",
    opposite: "Approved",
    reason: "KubectlDeny",
    message: "This CSR was denied by kubectl certificate deny.",
};

fn decide(cx: &mut Cx<'_>, decision: &Decision) -> Result<Flow> {
    let names = cx.flags().args.clone();
    let by_file = cx.flags().changed("filename");
    if names.is_empty() && !by_file {
        return fail("one or more CSRs must be specified as <name> or -f <filename>");
    }
    let mut words = vec!["certificatesigningrequests".to_owned()];
    words.extend(names);
    let args = if by_file { Vec::new() } else { words };
    let mut printer = Printer::from_flags(cx)?;
    cx.visit(&Rules { args: Some(args), latest: true, ..Rules::default() }, &mut |cx, info| {
        if !info.resource.is("certificates.k8s.io", "CertificateSigningRequest") {
            return fail(format!(
                "can only handle CertificateSigningRequest.certificates.k8s.io objects, got {}",
                info.resource.kind
            ));
        }
        one(cx, info, decision)?;
        printer.print(cx, &info.object, decision.done)
    })?;
    Ok(Flow::Done)
}

fn one(cx: &mut Cx<'_>, info: &Info, decision: &Decision) -> Result<()> {
    let mut conditions = info.object.list_at("status.conditions").to_vec();
    let has = |kind: &str| conditions.iter().any(|it| it.str_at("type") == Some(kind));
    if has(decision.opposite) {
        let (name, kind) = (quoted(&info.name), decision.opposite);
        return fail(format!("certificate signing request {name} is already {kind}"));
    }
    if has(decision.condition) {
        if !cx.is("force") {
            return Ok(());
        }
    } else {
        let now = value::time::format_secs(cx.now());
        conditions.push(value!({
            "type": decision.condition, "status": "True", "reason": decision.reason, "message": decision.message,
            "lastUpdateTime": now, "lastTransitionTime": Value::Null,
        }));
    }
    let object = info.object.with("status.conditions", conditions);
    cx.put(&Url::of(&info.resource, "", &info.name, "approval"), &object).map(drop)
}
