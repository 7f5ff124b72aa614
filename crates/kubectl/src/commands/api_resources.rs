//! `api-resources` and `api-versions`.

use std::rc::Rc;

use super::{Command, Help};
use crate::failure::{Result, fail, usage};
use crate::mapper::Resource;
use crate::order;
use crate::print::Printer;
use crate::shell::{Cx, Flow};
use crate::tabs;
use meta::quoted;
use value::{Value, value};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "api-resources",
        help: || Help { usage: "[flags]", about: "Print the supported API resources on the server" },
        flags: &["api-group:s cached:b categories:c namespaced:b no-headers:b o/output:s sort-by:s verbs:c"],
        run: api_resources,
    },
    Command {
        name: "api-versions",
        help: || Help {
            usage: "",
            about: "Print the supported API versions on the server, in the form of \"group/version\"",
        },
        flags: &[],
        run: api_versions,
    },
];

fn api_resources(cx: &mut Cx<'_>) -> Result<Flow> {
    if !cx.flags().args.is_empty() {
        return usage("api-resources", &format!("unexpected arguments: [{}]", cx.flags().args.join(" ")));
    }
    let (output, sort_by) = (cx.text("output"), cx.text("sort-by"));
    if !matches!(&*output, "" | "wide" | "name" | "json" | "yaml") {
        return fail(format!(
            "unable to match a printer suitable for the output format {}, allowed formats are: json,name,wide,yaml",
            quoted(&output)
        ));
    }
    if !matches!(&*sort_by, "" | "name" | "kind") {
        return fail("--sort-by accepts only name or kind");
    }
    let mapper = cx.mapper()?;
    let flags = cx.flags();
    let (verbs, categories) = (flags.list("verbs"), flags.list("categories"));
    let mut shown: Vec<Rc<Resource>> = Vec::new();
    for it in &mapper.resources {
        let known = shown.iter().any(|have| have.group == it.group && have.plural == it.plural);
        let wanted = !it.verbs.is_empty()
            && (!flags.changed("api-group") || flags.text("api-group") == it.group)
            && (!flags.changed("namespaced") || flags.is("namespaced") == it.namespaced)
            && verbs.iter().all(|verb| it.verbs.contains(verb))
            && categories.iter().all(|category| it.categories.contains(category));
        if wanted && !known {
            shown.push(it.clone());
        }
    }
    match &*sort_by {
        "name" => order::by(&mut shown, &mut |a, b| a.plural.cmp(&b.plural)),
        "kind" => order::by(&mut shown, &mut |a, b| a.kind.cmp(&b.kind)),
        _ => order::by(&mut shown, &mut |a, b| (&a.group, &a.plural).cmp(&(&b.group, &b.plural))),
    }
    if matches!(&*output, "json" | "yaml") {
        let list = value!({
            "apiVersion": "v1", "kind": "APIResourceList", "groupVersion": "",
            "resources": shown.iter().map(|it| described(it)).collect::<Vec<_>>(),
        });
        let list = if shown.is_empty() { list.with("resources", Value::Null) } else { list };
        Printer::from_flags(cx)?.print(cx, &list, "")?;
        return Ok(Flow::Done);
    }
    let mut rows = String::new();
    if output == "name" {
        shown.iter().for_each(|it| rows.push_str(&format!("{}\n", it.qualified())));
    } else {
        let wide = output == "wide";
        if !flags.is("no-headers") {
            let more = if wide { "\tVERBS\tCATEGORIES" } else { "" };
            rows.push_str(&format!("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND{more}\n"));
        }
        for it in &shown {
            let short = it.short.join(",");
            rows.push_str(&format!("{}\t{short}\t{}\t{}\t{}", it.plural, it.api_version(), it.namespaced, it.kind));
            if wide {
                rows.push_str(&format!("\t{}\t{}", it.verbs.join(","), it.categories.join(",")));
            }
            rows.push('\n');
        }
        rows = tabs::align(&rows, &tabs::TABLE);
    }
    cx.out(&rows);
    Ok(Flow::Done)
}

/// A resource as `APIResource` has it.
fn described(it: &Resource) -> Value {
    let mut res = value!({
        "group": it.group.as_str(), "kind": it.kind.as_str(), "name": it.plural.as_str(), "namespaced": it.namespaced,
        "singularName": it.singular.as_str(), "version": it.version.as_str(),
    });
    for (field, words) in [("categories", &it.categories), ("shortNames", &it.short), ("verbs", &it.verbs)] {
        if !words.is_empty() {
            res.set(field, words.iter().map(|it| Value::from(it.as_str())).collect::<Vec<_>>());
        }
    }
    super::create::compact(res)
}

fn api_versions(cx: &mut Cx<'_>) -> Result<Flow> {
    if !cx.flags().args.is_empty() {
        return usage("api-versions", &format!("unexpected arguments: [{}]", cx.flags().args.join(" ")));
    }
    let mapper = cx.mapper()?;
    let mut names: Vec<String> = mapper
        .versions
        .iter()
        .map(|(group, version)| if group.is_empty() { version.clone() } else { format!("{group}/{version}") })
        .collect();
    order::texts(&mut names);
    names.iter().for_each(|it| cx.line(it));
    Ok(Flow::Done)
}
