//! Keeps scaled objects within the bounds of their autoscalers (`pkg/controller/podautoscaler`).
//!
//! Where the cluster has no metrics API, as a fresh cluster has none, metrics are asked for and their absence is told.

mod limits;
mod measure;

use std::cmp::Ordering;
use std::sync::Arc;

use kinds::{HORIZONTAL_POD_AUTOSCALER, Kind, POD, REPLICATION_CONTROLLER};
use meta::selector::LabelSelector;
use meta::{Key, KindId, Object, Status, qualified};
use runtime::{Action, Cx, Reconciler, View, Watch, saved};
use sim::Duration;
use value::{Map, Value, map, time, value};

use self::limits::{Bounds, Histories, History};
use crate::{conditions, disruption};

/// How long between two looks (`--horizontal-pod-autoscaler-sync-period`).
const PERIOD: Duration = Duration::from_secs(15);
const RESOURCE_API: &str = "unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)";
const CUSTOM_API: &str =
    "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";

pub(crate) struct HorizontalPodAutoscalers {
    /// Whether somebody measures what pods use.
    has_metrics: bool,
    histories: Histories,
}

impl HorizontalPodAutoscalers {
    pub fn new(has_metrics: bool) -> HorizontalPodAutoscalers {
        HorizontalPodAutoscalers { has_metrics, histories: Histories::new() }
    }
}

impl Reconciler for HorizontalPodAutoscalers {
    fn name(&self) -> &'static str {
        "horizontal-pod-autoscaler"
    }

    fn kind(&self) -> KindId {
        HORIZONTAL_POD_AUTOSCALER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::itself(HORIZONTAL_POD_AUTOSCALER)]
    }

    fn batches(&self, _kind: KindId) -> Duration {
        PERIOD
    }

    fn saved(&self) -> Value {
        let all = self.histories.iter().map(|(key, it)| (key.to_string().into(), it.saved()));
        all.collect::<Map>().into()
    }

    fn take_up(&mut self, saved: &Value) {
        for (key, it) in saved.as_map().into_iter().flat_map(Map::iter) {
            if let Some(key) = saved::to_key(key) {
                self.histories.insert(key, History::restored(it));
            }
        }
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(live) = cx.get(HORIZONTAL_POD_AUTOSCALER, key) else {
            self.histories.remove(key);
            return Ok(Action::AwaitChange);
        };
        let mut scaler = Scaler {
            status: live.map_at("status").cloned().unwrap_or_default(),
            live,
            has_metrics: self.has_metrics,
            history: self.histories.entry(key.clone()).or_default(),
        };
        // What fails is tried again at the next look and no sooner.
        let _ = scaler.look(cx);
        Ok(Action::RequeueAfter(PERIOD))
    }
}

/// An autoscaler and the status that it is to have.
struct Scaler<'a> {
    live: Arc<Object>,
    status: Map,
    has_metrics: bool,
    history: &'a mut History,
}

/// What an autoscaler scales.
struct Target {
    kind: KindId,
    object: Arc<Object>,
    replicas: i64,
}

impl Scaler<'_> {
    /// `reconcileAutoscaler`
    fn look(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        let target = match target(&cx.view(), &self.live) {
            Ok(target) => target,
            Err(why) => {
                cx.event(&self.live, "Warning", "FailedGetScale", &why);
                let message = format!("the HPA controller was unable to get the target's current scale: {why}");
                self.set(cx, "AbleToScale", "False", "FailedGetScale", &message);
                return self.write(cx);
            }
        };
        let found = "the HPA controller was able to get the target's current scale";
        self.set(cx, "AbleToScale", "True", "SucceededGetScale", found);
        let least = self.live.i64_at("spec.minReplicas").unwrap_or(1);
        let most = self.live.i64_at("spec.maxReplicas").unwrap_or(0);
        let bounds = Bounds { least, most, current: target.replicas, now: cx.now() };
        self.history.begin(&bounds);
        if target.replicas == 0 {
            let why = "scaling is disabled since the replica count of the target is zero";
            self.set(cx, "ScalingActive", "False", "ScalingDisabled", why);
            self.count(&target, 0, Value::Null);
            self.write(cx)
        } else if target.replicas > most {
            self.rescale(cx, &target, most, "Current number of replicas above Spec.MaxReplicas", Value::Null)
        } else if target.replicas < least {
            self.rescale(cx, &target, least, "Current number of replicas below Spec.MinReplicas", Value::Null)
        } else {
            self.measure(cx, &target, bounds)
        }
    }

    /// What follows from metrics; where nothing does, it is told why.
    fn measure(&mut self, cx: &mut Cx<'_>, target: &Target, bounds: Bounds) -> Result<(), Status> {
        let (outcome, metrics) = match self.selector_problem(cx, target) {
            Some(why) => (Err(why), Value::Null),
            None => self.proposal(cx, target),
        };
        let (proposed, name) = match outcome {
            Ok(it) => it,
            Err(why) => {
                self.count(target, self.live.i64_at("status.desiredReplicas").unwrap_or(0), metrics);
                self.write(cx)?;
                cx.event(&self.live, "Warning", "FailedComputeMetricsReplicas", &why);
                return Ok(());
            }
        };
        let live = self.live.clone();
        let decision = self.history.decide(&live, bounds, proposed);
        self.set(cx, "AbleToScale", "True", decision.able.0, decision.able.1);
        let (is_limited, reason, message) = decision.limited;
        self.set(cx, "ScalingLimited", if is_limited { "True" } else { "False" }, reason, message);
        if decision.replicas == target.replicas {
            self.count(target, target.replicas, metrics);
            return self.write(cx);
        }
        let reason = match proposed.cmp(&target.replicas) {
            Ordering::Greater => format!("{name} above target"),
            Ordering::Less => "All metrics below target".to_owned(),
            Ordering::Equal => String::new(),
        };
        self.rescale(cx, target, decision.replicas, &reason, metrics)
    }

    /// Pods that several autoscalers count are counted by none (`validateAndParseSelector`).
    fn selector_problem(&mut self, cx: &mut Cx<'_>, target: &Target) -> Option<String> {
        let scale = kinds::scale::of(&target.object);
        let selector = scale.get("status").and_then(|it| it.str_at("selector")).unwrap_or("").to_owned();
        if selector.is_empty() {
            let why = "selector is required".to_owned();
            cx.event(&self.live, "Warning", "SelectorRequired", &why);
            let message = "the HPA target's scale is missing a selector";
            self.set(cx, "ScalingActive", "False", "InvalidSelector", message);
            return Some(why);
        }
        let namespace = self.live.namespace();
        let own = pod_selector(target);
        let pods: Vec<_> = cx.list(POD, Some(namespace)).filter(|it| own.matches(&it.meta.labels)).cloned().collect();
        let view = cx.view();
        let counts = |scaler: &Object| {
            self::target(&view, scaler).is_ok_and(|it| {
                let selector = pod_selector(&it);
                pods.iter().any(|pod| selector.matches(&pod.meta.labels))
            })
        };
        let all: Vec<String> = view
            .list(HORIZONTAL_POD_AUTOSCALER, Some(namespace))
            .filter(|it| counts(it))
            .map(|it| it.key().to_string())
            .collect();
        if all.len() < 2 {
            return None;
        }
        let why = format!("pods by selector {selector} are controlled by multiple HPAs: [{}]", all.join(" "));
        cx.event(&self.live, "Warning", "AmbiguousSelector", &why);
        self.set(cx, "ScalingActive", "False", "AmbiguousSelector", &why);
        Some(why)
    }

    /// The greatest number of replicas that a metric asks for, with that metric's name, and the states of all metrics
    /// (`computeReplicasForMetrics`).
    fn proposal(&mut self, cx: &mut Cx<'_>, target: &Target) -> (Result<(i64, String), String>, Value) {
        let live = self.live.clone();
        let selector = pod_selector(target);
        let pods: Vec<Arc<Object>> =
            cx.list(POD, Some(live.namespace())).filter(|it| selector.matches(&it.meta.labels)).cloned().collect();
        let metrics = live.list_at("spec.metrics");
        let mut states = Vec::new();
        let mut best: Option<(i64, String)> = None;
        let mut failures: Vec<Failure> = Vec::new();
        for metric in metrics {
            match self.ask(&cx.view(), metric, &pods, target) {
                Ok((answer, name, state)) => {
                    states.push(state);
                    if best.as_ref().is_none_or(|(replicas, _)| *replicas == 0 || answer > *replicas) {
                        best = Some((answer, name));
                    }
                }
                Err(it) => {
                    cx.event(&live, "Warning", it.reason, &it.told);
                    failures.push(it);
                    states.push(value!({ "type": "" }));
                }
            }
        }
        let (n_invalid, n) = (failures.len(), metrics.len());
        let first = failures.into_iter().next();
        // A metric that is missing might have asked for more.
        let would_shrink = best.as_ref().is_none_or(|(replicas, _)| *replicas < target.replicas);
        match (best, first) {
            (Some(best), failure) if failure.is_none() || !would_shrink => {
                let message = format!("the HPA was able to successfully calculate a replica count from {}", best.1);
                self.set(cx, "ScalingActive", "True", "ValidMetricFound", &message);
                (Ok(best), states.into())
            }
            (_, Some(first)) => {
                let message = format!("the HPA was unable to compute the replica count: {}", first.told);
                self.set(cx, "ScalingActive", "False", first.reason, &message);
                let why = format!("invalid metrics ({n_invalid} invalid out of {n}), first error is: {}", first.error);
                (Err(why), states.into())
            }
            _ => (Err(String::new()), Value::Null),
        }
    }

    /// What one metric asks for, its name and its state.
    fn ask(
        &self,
        view: &View<'_>,
        metric: &Value,
        pods: &[Arc<Object>],
        target: &Target,
    ) -> Result<(i64, String, Value), Failure> {
        let (key, kind) = match metric.str_at("type") {
            Some("Resource") => ("resource", "Resource"),
            Some("ContainerResource") => ("containerResource", "ContainerResource"),
            _ => return Err(failure(&self.live, metric)),
        };
        let Some(source) = metric.get(key).filter(|_| self.has_metrics) else {
            return Err(failure(&self.live, metric));
        };
        let resource = source.str_at("name").unwrap_or("");
        let container = source.str_at("container").filter(|_| kind == "ContainerResource");
        let empty = Value::map();
        let wanted = source.get("target").unwrap_or(&empty);
        let tolerances = measure::tolerances(&self.live);
        let question =
            measure::Question { pods, replicas: target.replicas, resource, container, target: wanted, tolerances };
        let answer = measure::answer(view, &question).map_err(|why| failed(metric, key, &why))?;
        let name = match (wanted.get("averageValue"), container) {
            (Some(it), _) if !it.is_null() => format!("{resource} resource"),
            (_, None) => format!("{resource} resource utilization (percentage of request)"),
            (_, Some(_)) => format!("{resource} container resource utilization (percentage of request)"),
        };
        let mut state = map!({ "name": resource, "current": answer.current });
        if let Some(container) = container {
            state.insert("container", container);
        }
        Ok((answer.replicas, name, Map::new().with("type", kind).with(key, state).into()))
    }

    fn rescale(
        &mut self,
        cx: &mut Cx<'_>,
        target: &Target,
        replicas: i64,
        reason: &str,
        metrics: Value,
    ) -> Result<(), Status> {
        let done = cx.scale(target.kind, &target.object.key(), replicas);
        let (desired, res) = match done {
            Ok(_) => {
                let message = format!("the HPA controller was able to update the target scale to {replicas}");
                self.set(cx, "AbleToScale", "True", "SucceededRescale", &message);
                cx.event(&self.live, "Normal", "SuccessfulRescale", &format!("New size: {replicas}; reason: {reason}"));
                self.status.insert("lastScaleTime", time::format_secs(cx.now_secs()));
                self.history.note(&self.live, target.replicas, replicas, cx.now());
                (replicas, Ok(()))
            }
            Err(status) => {
                let why = &status.message;
                let message = format!("New size: {replicas}; reason: {reason}; error: {why}");
                cx.event(&self.live, "Warning", "FailedRescale", &message);
                let message = format!("the HPA controller was unable to update the target scale: {why}");
                self.set(cx, "AbleToScale", "False", "FailedUpdateScale", &message);
                (self.live.i64_at("status.desiredReplicas").unwrap_or(0), Err(status))
            }
        };
        self.count(target, desired, metrics);
        self.write(cx)?;
        res
    }

    fn set(&mut self, cx: &Cx<'_>, kind: &str, status: &str, reason: &str, message: &str) {
        let condition = value!({ "message": message, "reason": reason, "status": status, "type": kind });
        let before = self.status.get("conditions").and_then(Value::as_list).map(|it| it.to_vec()).unwrap_or_default();
        self.status.insert("conditions", conditions::set(&before, condition, cx.now_secs()));
    }

    /// `setStatus`
    fn count(&mut self, target: &Target, desired: i64, metrics: Value) {
        match target.replicas {
            0 => {
                self.status.remove("currentReplicas");
            }
            n => self.status.insert("currentReplicas", n),
        }
        self.status.insert("desiredReplicas", desired);
        self.status.insert("currentMetrics", metrics);
    }

    fn write(&self, cx: &mut Cx<'_>) -> Result<(), Status> {
        if self.live.map_at("status") == Some(&self.status) {
            return Ok(());
        }
        cx.update_status(&self.live, self.status.clone().into()).map(|_| ())
    }
}

/// Finds what `spec.scaleTargetRef` names, of whatever version (`scaleForResourceMappings`).
fn target(view: &View<'_>, scaler: &Object) -> Result<Target, String> {
    let text = |key: &'static str| scaler.str_at(key).unwrap_or("");
    let (version, name) = (text("spec.scaleTargetRef.apiVersion"), text("spec.scaleTargetRef.name"));
    if version.matches('/').count() > 1 {
        return Err(format!("unexpected GroupVersion string: {version}"));
    }
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let wanted = text("spec.scaleTargetRef.kind");
    let is_it = |it: &Kind| it.group == group && it.kind == wanted;
    let kinds = view.namespaced_kinds();
    let Some(kind) = kinds.iter().filter_map(|(id, _)| view.kind(*id)).find(|it| is_it(it)) else {
        return Err(format!("no matches for kind \"{wanted}\" in group \"{group}\""));
    };
    if !kind.subresources.iter().any(|it| it.name == "scale") {
        return Err("the server could not find the requested resource".to_owned());
    }
    let Some(object) = view.get(kind.id, &Key::new(scaler.namespace(), name)) else {
        return Err(format!("{} \"{name}\" not found", qualified(kind.group, kind.plural)));
    };
    Ok(Target { kind: kind.id, object: object.clone(), replicas: object.i64_at("spec.replicas").unwrap_or(0) })
}

fn pod_selector(target: &Target) -> LabelSelector {
    let selector = target.object.at("spec.selector");
    match selector {
        Some(Value::Map(labels)) if target.kind == REPLICATION_CONTROLLER => LabelSelector::from_labels(labels),
        _ => LabelSelector::from_value(selector),
    }
}

/// How a metric cannot be had.
struct Failure {
    reason: &'static str,
    /// For the event and the condition.
    told: String,
    error: String,
}

/// What is told of a metric that was had but tells nothing.
fn failed(metric: &Value, source: &str, why: &str) -> Failure {
    let of = metric.get(source);
    let text = |key: &'static str| of.and_then(|it| it.str_at(key)).unwrap_or("").to_owned();
    let is_usage = of.and_then(|it| it.at("target.averageValue")).is_some_and(|it| !it.is_null());
    let told = format!("failed to get {} {}: {why}", text("name"), if is_usage { "usage" } else { "utilization" });
    if source == "resource" {
        let error = format!("failed to get {} resource metric value: {told}", text("name"));
        return Failure { reason: "FailedGetResourceMetric", told, error };
    }
    let error = format!("failed to get {} container metric value: {told}", text("container"));
    Failure { reason: "FailedGetContainerResourceMetric", told, error }
}

/// `computeReplicasForMetric`
fn failure(scaler: &Object, metric: &Value) -> Failure {
    let text = |key: &'static str| metric.str_at(key).unwrap_or("");
    let resource = |source: &str| {
        let of = metric.get(source);
        let name = of.and_then(|it| it.str_at("name")).unwrap_or("");
        let is_usage = of.and_then(|it| it.at("target.averageValue")).is_some_and(|it| !it.is_null());
        let what = if is_usage { "usage" } else { "utilization" };
        format!("failed to get {name} {what}: unable to get metrics for resource {name}: {RESOURCE_API}")
    };
    match text("type") {
        "Resource" => {
            let told = resource("resource");
            let error = format!("failed to get {} resource metric value: {told}", text("resource.name"));
            Failure { reason: "FailedGetResourceMetric", told, error }
        }
        "ContainerResource" => {
            let told = resource("containerResource");
            let container = text("containerResource.container");
            let error = format!("failed to get {container} container metric value: {told}");
            Failure { reason: "FailedGetContainerResourceMetric", told, error }
        }
        "Pods" => {
            let told = format!("unable to get metric {}: {CUSTOM_API}", text("pods.metric.name"));
            let error = format!("failed to get pods metric value: {told}");
            Failure { reason: "FailedGetPodsMetric", told, error }
        }
        "Object" => {
            let name = text("object.metric.name");
            let (kind, object) = (text("object.describedObject.kind"), text("object.describedObject.name"));
            let told = format!("unable to get metric {name}: {kind} on {} {object}/{CUSTOM_API}", scaler.namespace());
            let more = match text("object.target.type") {
                "AverageValue" => format!("failed to get {name} object metric: "),
                _ => String::new(),
            };
            let error = format!("failed to get object metric value: {more}{told}");
            Failure { reason: "FailedGetObjectMetric", told, error }
        }
        _ => {
            let name = text("external.metric.name");
            let selector = disruption::printed(metric.at("external.metric.selector"));
            let told = format!(
                "unable to get external metric {}/{name}/{selector}: unable to fetch metrics from external metrics API: the server could not find the requested resource (get {name}.external.metrics.k8s.io)",
                scaler.namespace()
            );
            let average = metric.at("external.target.averageValue").is_some_and(|it| !it.is_null());
            let more = if average {
                format!("failed to get {name} external metric")
            } else {
                format!("failed to get external metric {name}")
            };
            let error = format!("failed to get {name} external metric value: {more}: {told}");
            Failure { reason: "FailedGetExternalMetric", told, error }
        }
    }
}
