//! Deployments, jobs and cron jobs.

use value::{Value, value};

use super::{command_line, compact, finish, name};
use crate::failure::{Failure, Result, fail};
use crate::mapper::Resource;
use crate::shell::{Cx, Flow};

/// The name of a container: the image's last part.
fn container_name(image: &str) -> String {
    let base = image.rsplit('/').next().unwrap_or_default();
    let base = base.split([':', '@']).next().unwrap_or_default();
    let clean: String = base.chars().map(|it| if it.is_ascii_alphanumeric() || it == '-' { it } else { '-' }).collect();
    clean.to_lowercase()
}

pub(super) fn deployment(cx: &mut Cx<'_>) -> Result<Flow> {
    let images = cx.flags().list("image");
    if images.is_empty() {
        return fail("required flag(s) \"image\" not set");
    }
    let name = name(cx, "create deployment")?;
    let command = command_line(cx);
    if images.len() > 1 && !command.is_empty() {
        return fail("cannot specify multiple --image options and command");
    }
    let port = cx.flags().int("port", -1);
    let containers: Vec<Value> = images
        .iter()
        .enumerate()
        .map(|(idx, image)| {
            let mut it =
                compact(value!({"image": image.as_str(), "name": container_name(image), "command": command.clone()}));
            it.set("resources", Value::map());
            if port >= 0 && idx == 0 {
                it.set("ports", vec![value!({"containerPort": port})]);
            }
            it
        })
        .collect();
    let labels = value!({"app": name.as_str()});
    let object = value!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"labels": &labels, "name": name},
        "spec": {
            "replicas": cx.flags().int("replicas", 1), "selector": {"matchLabels": &labels}, "strategy": {},
            "template": {"metadata": {"labels": &labels}, "spec": {"containers": containers}},
        },
        "status": {},
    });
    finish(cx, object, "failed to create deployment: ")
}

fn pod_template(name: &str, image: &str, command: Vec<Value>, restart: &str) -> Value {
    let mut container = compact(value!({"command": command, "image": image, "name": name}));
    container.set("resources", Value::map());
    value!({"metadata": {}, "spec": {"containers": [container], "restartPolicy": restart}})
}

pub(super) fn job(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create job")?;
    let (image, from) = (cx.text("image"), cx.text("from"));
    let command = command_line(cx);
    match () {
        () if image.is_empty() && from.is_empty() => return fail("either --image or --from must be specified"),
        () if !image.is_empty() && !from.is_empty() => {
            return fail(
                "if any flags in the group [from image] are set none of the others can be; [from image] were all set",
            );
        }
        () if !from.is_empty() && !command.is_empty() => return fail("cannot specify --from and command"),
        () => {}
    }
    let job = value!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name.as_str()}, "status": {}});
    let job = match from.is_empty() {
        true => job.with("spec.template", pod_template(&name, &image, command, "Never")),
        false => {
            let rules = crate::build::Rules { args: Some(vec![from]), ..Default::default() };
            let targets = cx.targets(&rules)?;
            let (infos, failures) = cx.collect(targets, &rules);
            Failure::all(failures)?;
            let Some(info) = infos.first() else { return fail("from must be an existing cronjob") };
            if !info.resource.is("batch", "CronJob") {
                return fail(format!("unknown object type {}", go_type(&info.resource)));
            }
            let cron = &info.object;
            let template = cron.at("spec.jobTemplate").cloned().unwrap_or_default();
            let mut annotations = crate::manifest::strings(&template, "annotations");
            annotations.insert("cronjob.kubernetes.io/instantiate", "manual");
            let mut job = job.with("metadata.annotations", annotations);
            let labels = crate::manifest::strings(&template, "labels");
            if !labels.is_empty() {
                job.set("metadata.labels", labels);
            }
            let owner = value!({
                "apiVersion": "batch/v1", "controller": true, "kind": "CronJob",
                "name": cron.str_at("metadata.name").unwrap_or_default(), "uid": cron.str_at("metadata.uid").unwrap_or_default(),
            });
            job.set("metadata.ownerReferences", vec![owner]);
            job.with("spec", template.get("spec").cloned().unwrap_or_default())
        }
    };
    finish(cx, job, "failed to create job: ")
}

/// `*v1.Deployment`
fn go_type(resource: &Resource) -> String {
    // Go has types for kinds of Kubernetes alone.
    match resource.group.contains('.') && !resource.group.ends_with(".k8s.io") {
        true => "*unstructured.Unstructured".to_owned(),
        false => format!("*{}.{}", resource.version, resource.kind),
    }
}

pub(super) fn cron_job(cx: &mut Cx<'_>) -> Result<Flow> {
    let (image, schedule) = (cx.text("image"), cx.text("schedule"));
    if image.is_empty() || schedule.is_empty() {
        let missing: Vec<&str> = [("image", &image), ("schedule", &schedule)]
            .iter()
            .filter(|(_, it)| it.is_empty())
            .map(|(name, _)| *name)
            .collect();
        return fail(format!("required flag(s) \"{}\" not set", missing.join("\", \"")));
    }
    let name = name(cx, "create cronjob")?;
    let restart = cx.flags().text_or("restart", "OnFailure").to_owned();
    let template = pod_template(&name, &image, command_line(cx), &restart);
    let object = value!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name.as_str()},
        "spec": {
            "jobTemplate": {"metadata": {"name": name.as_str()}, "spec": {"template": template}}, "schedule": schedule,
        },
        "status": {},
    });
    finish(cx, object, "failed to create cronjob: ")
}
