//! Roles and who has them.

use std::fmt::Write;

use value::Value;

use super::Subject;
use super::page::{Page, text};
use crate::Cx;
use crate::failure::Result;
use crate::order;

const HEAD: &str = "Name=metadata.name\n@labels\n@annotations";

/// What one resource, or one URL, allows.
struct Rule {
    group: String,
    resource: String,
    name: String,
    url: String,
    verbs: Vec<String>,
}

fn words(rule: &Value, field: &'static str) -> Vec<String> {
    rule.list_at(field).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A list as Go prints it.
fn listed(word: &str) -> String {
    format!("[{word}]")
}

impl Rule {
    /// In this order rules are shown.
    fn key(&self) -> String {
        let verbs = self.verbs.join(" ");
        format!("[{verbs}] [{}] [{}] [{}] [{}]", self.group, self.resource, self.name, self.url)
    }

    /// `deployments.apps/scale`
    fn shown(&self) -> String {
        let (resource, subresource) = self.resource.split_once('/').map_or((&*self.resource, ""), |it| it);
        let mut shown = meta::qualified(&self.group, resource);
        if !subresource.is_empty() {
            let _ = write!(shown, "/{subresource}");
        }
        shown
    }
}

/// A rule for each resource; what differs only by verbs is one.
fn compacted(rules: &[Value]) -> Vec<Rule> {
    let mut res: Vec<Rule> = Vec::new();
    for rule in rules {
        let verbs = words(rule, "verbs");
        let mut names = words(rule, "resourceNames");
        if names.is_empty() {
            names.push(String::new());
        }
        for url in words(rule, "nonResourceURLs") {
            for verb in &verbs {
                let (group, resource, name) = Default::default();
                res.push(Rule { group, resource, name, url: url.clone(), verbs: vec![verb.clone()] });
            }
        }
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                for name in &names {
                    let same = |it: &&mut Rule| {
                        it.url.is_empty() && it.group == group && it.resource == resource && it.name == *name
                    };
                    if let Some(have) = res.iter_mut().find(same) {
                        have.verbs
                            .extend(verbs.iter().filter(|it| !have.verbs.contains(it)).cloned().collect::<Vec<_>>());
                        continue;
                    }
                    let (group, resource, name) = (group.clone(), resource.clone(), name.clone());
                    res.push(Rule { group, resource, name, url: String::new(), verbs: verbs.clone() });
                }
            }
        }
    }
    order::by(&mut res, &mut |a, b| a.key().cmp(&b.key()));
    res
}

/// A line for each rule.
pub(crate) fn rows(rules: &[Value]) -> String {
    let line = |it: &Rule| {
        let verbs = listed(&it.verbs.join(" "));
        format!("{}\t{}\t{}\t{verbs}\n", it.shown(), listed(&it.url), listed(&it.name))
    };
    compacted(rules).iter().map(line).collect()
}

pub(super) fn role(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, HEAD);
    page.line("PolicyRule:");
    page.line("  Resources\tNon-Resource URLs\tResource Names\tVerbs");
    page.line("  ---------\t-----------------\t--------------\t-----");
    rows(it.object.list_at("rules")).lines().for_each(|it| page.at(1, it));
    Ok(())
}

pub(super) fn binding(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, HEAD);
    page.line("Role:");
    page.rows(1, it.object, "Kind=roleRef.kind\nName=roleRef.name");
    page.line("Subjects:\n  Kind\tName\tNamespace\n  ----\t----\t---------");
    for subject in it.object.list_at("subjects") {
        page.at(1, &format!("{}\t{}\t{}", text(subject, "kind"), text(subject, "name"), text(subject, "namespace")));
    }
    Ok(())
}
