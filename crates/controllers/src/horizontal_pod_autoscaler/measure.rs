//! How many replicas a metric of CPU or memory asks for (`replica_calculator.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meta::Object;
use runtime::View;
use runtime::usage::{self, RESOLUTION, Usage};
use value::quantity::Quantity;
use value::{Map, Str, Value, map, time};

use crate::pods;

/// `--horizontal-pod-autoscaler-cpu-initialization-period`, in seconds.
const INITIALIZATION: i64 = 300;
/// `--horizontal-pod-autoscaler-initial-readiness-delay`, in seconds.
const READINESS_DELAY: i64 = 30;
/// `--horizontal-pod-autoscaler-tolerance`, in thousandths.
const TOLERANCE: i64 = 100;

/// A metric with what it is measured on.
pub(super) struct Question<'a> {
    pub pods: &'a [Arc<Object>],
    pub replicas: i64,
    pub resource: &'a str,
    /// One container of each pod, or all.
    pub container: Option<&'a str>,
    pub target: &'a Value,
    /// In thousandths: how far below and above the target nothing is done.
    pub tolerances: (i64, i64),
}

/// What a metric asks for.
pub(super) struct Answer {
    pub replicas: i64,
    /// Of the metric's status.
    pub current: Map,
}

/// How far off the target is within tolerance, below and above, by the autoscaler's behaviour.
pub(super) fn tolerances(scaler: &Object) -> (i64, i64) {
    let of = |side: &str| {
        let text = scaler.map_at("spec.behavior").and_then(|it| it.get(side)?.str_at("tolerance"));
        text.and_then(|it| Quantity::parse(it).ok()).map_or(TOLERANCE, |it| it.milli_value())
    };
    (of("scaleDown"), of("scaleUp"))
}

/// A ratio of what is to what should be.
#[derive(Clone, Copy)]
struct Ratio {
    is: i64,
    should: i64,
}

impl Ratio {
    fn is_within(self, (down, up): (i64, i64)) -> bool {
        let (is, should) = (i128::from(self.is) * 1000, i128::from(self.should));
        is >= should * (1000 - i128::from(down)) && is <= should * (1000 + i128::from(up))
    }

    fn is_below(self) -> bool {
        self.is < self.should
    }

    fn is_above(self) -> bool {
        self.is > self.should
    }

    /// That many pods times the ratio, rounded up.
    fn of(self, n_pods: usize) -> i64 {
        let product = i128::from(self.is) * n_pods as i128;
        let should = i128::from(self.should.max(1));
        i64::try_from((product + should - 1) / should).unwrap_or(i64::MAX).min(i64::from(i32::MAX))
    }
}

/// What should be: a share of requests in percent, or an amount for each pod in thousandths.
enum Goal {
    Utilization { percent: i64, requests: BTreeMap<Str, i64> },
    Amount(i64),
}

/// What pods use, summed up.
struct Summary {
    ratio: Ratio,
    percent: Option<i64>,
    average: i64,
}

/// # Errors
/// Why it cannot be told, without what was being done.
pub(super) fn answer(view: &View<'_>, question: &Question<'_>) -> Result<Answer, String> {
    let Question { pods, replicas, resource, target, tolerances, .. } = *question;
    let mut metrics = measured(view, question);
    if metrics.is_empty() {
        return Err(format!(
            "unable to get metrics for resource {resource}: no metrics returned from resource metrics API"
        ));
    }
    if pods.is_empty() {
        return Err("no pods returned by selector while calculating replica count".to_owned());
    }
    let groups = groups(view, pods, &metrics, resource == "cpu");
    metrics.retain(|name, _| !groups.ignored.contains(name) && !groups.unready.contains(name));
    if metrics.is_empty() {
        return Err("did not receive metrics for targeted pods (pods might be unready)".to_owned());
    }
    let goal = match target.at("averageValue").and_then(amount) {
        Some(amount) => Goal::Amount(amount.milli_value()),
        None => Goal::Utilization {
            percent: target.i64_at("averageUtilization").unwrap_or(0),
            requests: requests(question)?,
        },
    };
    let summary = summary(&metrics, &goal)?;
    let current = current(&summary, resource);
    let keep = |replicas| Ok(Answer { replicas, current: current.clone() });
    let counts_unready = !groups.unready.is_empty() && summary.ratio.is_above();
    if !counts_unready && groups.missing.is_empty() {
        let within = summary.ratio.is_within(tolerances);
        return keep(if within { replicas } else { summary.ratio.of(groups.n_ready) });
    }
    // Those of which nothing is known are counted so that the change is the smaller one.
    for name in &groups.missing {
        let assumed = match &goal {
            _ if summary.ratio.is_above() => 0,
            Goal::Amount(amount) if summary.ratio.is_below() => *amount,
            Goal::Utilization { percent, requests } if summary.ratio.is_below() => {
                requests.get(name).map_or(0, |it| it.saturating_mul(100.max(*percent)) / 100)
            }
            _ => continue,
        };
        metrics.insert(name.clone(), assumed);
    }
    if counts_unready {
        metrics.extend(groups.unready.into_iter().map(|it| (it, 0)));
    }
    let again = self::summary(&metrics, &goal)?.ratio;
    let turns = (summary.ratio.is_below() && again.is_above()) || (summary.ratio.is_above() && again.is_below());
    if turns || again.is_within(tolerances) {
        return keep(replicas);
    }
    let proposed = again.of(metrics.len());
    let turns = (again.is_below() && proposed > replicas) || (again.is_above() && proposed < replicas);
    keep(if turns { replicas } else { proposed })
}

fn amount(value: &Value) -> Option<Quantity> {
    match value {
        Value::Int(it) => Some(Quantity::from_int(*it)),
        it => Quantity::parse(it.as_str()?).ok(),
    }
}

/// What each pod was seen to use, in thousandths.
fn measured(view: &View<'_>, question: &Question<'_>) -> BTreeMap<Str, i64> {
    let read = |it: &Usage| if question.resource == "cpu" { it.cpu } else { it.memory.saturating_mul(1000) };
    let is_measured = matches!(question.resource, "cpu" | "memory");
    let pods = question.pods.iter().filter(|_| is_measured);
    pods.filter_map(|pod| {
        let all = usage::of_pod(view, pod)?;
        let used = match question.container {
            Some(name) => read(all.iter().find(|it| it.container == *name)?),
            None => total(all.iter().map(read)),
        };
        Some((pod.meta.name.clone(), used))
    })
    .collect()
}

#[derive(Default)]
struct Groups {
    n_ready: usize,
    unready: BTreeSet<Str>,
    missing: BTreeSet<Str>,
    ignored: BTreeSet<Str>,
}

/// `groupPods`
fn groups(view: &View<'_>, pods: &[Arc<Object>], metrics: &BTreeMap<Str, i64>, is_cpu: bool) -> Groups {
    let mut res = Groups::default();
    for pod in pods {
        let name = pod.meta.name.clone();
        if pod.meta.is_deleted() || pods::phase(pod) == "Failed" {
            res.ignored.insert(name);
        } else if pods::phase(pod) == "Pending" {
            res.unready.insert(name);
        } else if !metrics.contains_key(&name) {
            res.missing.insert(name);
        } else if is_cpu && !counts(view, pod) {
            res.unready.insert(name);
        } else {
            res.n_ready += 1;
        }
    }
    res
}

/// Whether what a pod uses of CPU tells anything: it has not just begun, and is or was ready.
fn counts(view: &View<'_>, pod: &Object) -> bool {
    let Some(started) = pod.str_at("status.startTime").and_then(time::parse_secs) else { return false };
    let Some(condition) = pod.condition("Ready") else { return false };
    let changed = condition.str_at("lastTransitionTime").and_then(time::parse_secs).unwrap_or(0);
    let is_unready = condition.str_at("status") == Some("False");
    if started + INITIALIZATION > view.now.secs() {
        return !is_unready && usage::measured_at(view.now).secs() >= changed + RESOLUTION as i64;
    }
    !(is_unready && started + READINESS_DELAY > changed)
}

/// What each pod requests, in thousandths (`calculateRequests`).
fn requests(question: &Question<'_>) -> Result<BTreeMap<Str, i64>, String> {
    question.pods.iter().map(|pod| Ok((pod.meta.name.clone(), request(question, pod)?))).collect()
}

fn request(question: &Question<'_>, pod: &Object) -> Result<i64, String> {
    let Question { resource, container, .. } = *question;
    let read =
        |it: &Value| it.map_at("requests").and_then(|it| it.get(resource)).and_then(amount).map(|it| it.milli_value());
    if let Some(whole) = pod.at("spec.resources").filter(|it| it.map_at("requests").is_some())
        && container.is_none()
    {
        return read(whole).ok_or_else(|| format!("missing pod-level request for {resource} in Pod {}", pod.name()));
    }
    let sidecars = pod.list_at("spec.initContainers").iter().filter(|it| it.str_at("restartPolicy") == Some("Always"));
    let mut sum = 0;
    for it in pod.list_at("spec.containers").iter().chain(sidecars) {
        let name = it.str_at("name").unwrap_or("");
        if container.is_some_and(|it| it != name) {
            continue;
        }
        let Some(request) = it.get("resources").and_then(read) else {
            return Err(format!("missing request for {resource} in container {name} of Pod {}", pod.name()));
        };
        sum = total([sum, request]);
        if container.is_some() {
            return Ok(sum);
        }
    }
    match container {
        Some(name) => Err(format!("container {name} not found in Pod {}", pod.name())),
        None => Ok(sum),
    }
}

/// `GetResourceUtilizationRatio`, `GetMetricUsageRatio`
fn summary(metrics: &BTreeMap<Str, i64>, goal: &Goal) -> Result<Summary, String> {
    let used = total(metrics.values().copied());
    let average = used / i64::try_from(metrics.len().max(1)).unwrap_or(1);
    match goal {
        Goal::Amount(amount) => Ok(Summary { ratio: Ratio { is: average, should: *amount }, percent: None, average }),
        Goal::Utilization { percent, requests } => {
            let asked = total(metrics.keys().filter_map(|it| requests.get(it)).copied());
            if asked == 0 {
                return Err("no metrics returned matched known pods".to_owned());
            }
            let is = i64::try_from(i128::from(used) * 100 / i128::from(asked)).unwrap_or(i64::MAX);
            Ok(Summary { ratio: Ratio { is, should: *percent }, percent: Some(is), average })
        }
    }
}

fn total(amounts: impl IntoIterator<Item = i64>) -> i64 {
    amounts.into_iter().fold(0, i64::saturating_add)
}

fn current(summary: &Summary, resource: &str) -> Map {
    let average = match (resource, summary.average % 1000, summary.average / 1000) {
        // Memory is shown in powers of two.
        ("memory", 0, bytes) if bytes % 1024 == 0 => {
            Quantity::parse(&format!("{}Ki", bytes / 1024)).unwrap_or(Quantity::from_int(bytes))
        }
        _ => Quantity::from_milli(summary.average),
    };
    let mut res = map!({ "averageValue": average.to_string() });
    if let Some(percent) = summary.percent {
        res.insert("averageUtilization", percent);
    }
    res
}
