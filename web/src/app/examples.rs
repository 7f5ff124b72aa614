//! Manifests to begin with. Each shows one thing and says so in its first lines.

pub struct Group {
    pub title: &'static str,
    pub examples: &'static [Example],
}

pub struct Example {
    pub name: &'static str,
    pub title: &'static str,
    pub shows: &'static str,
    /// A function: a first visit takes none but the first along.
    pub text: fn() -> &'static str,
}

/// What the editor holds at first.
pub const FIRST: &str = "fluentd-elasticsearch";

macro_rules! example {
    ($name:literal, $title:literal, $shows:literal) => {
        Example {
            name: $name,
            title: $title,
            shows: $shows,
            text: || include_str!(concat!("../../examples/", $name, ".yaml")),
        }
    };
}

pub const GROUPS: &[Group] = &[
    Group {
        title: "DaemonSets: where",
        examples: &[
            example!("fluentd-elasticsearch", "Log collector on every node", "tolerations for the control plane"),
            example!("node-selector", "Only nodes with a label", "nodeSelector; label a node and see"),
            example!("node-affinity", "Node affinity", "matchExpressions, and what the controller makes of them"),
            example!("tolerations", "Everywhere, whatever the taints", "a toleration for all, hostNetwork"),
            example!("gpu-toleration", "Only the tainted node", "toleration and selector together"),
            example!("does-not-fit", "Pods that fit nowhere", "Pending, with the reason per node"),
            example!("preemption", "Priority makes room", "PriorityClass and preemption"),
            example!("host-port", "Two daemons, one host port", "a conflict of ports"),
            example!("other-scheduler", "Another scheduler", "schedulerName"),
        ],
    },
    Group {
        title: "DaemonSets: over time",
        examples: &[
            example!("rolling-update", "Rolling update", "maxUnavailable, minReadySeconds, rollout undo"),
            example!("surge-update", "Rolling update with surge", "maxSurge: new before old"),
            example!("on-delete", "Update on delete", "OnDelete"),
            example!("adoption", "Orphans and adoption", "delete --cascade=orphan"),
            example!("crashing", "Containers that crash", "CrashLoopBackOff, ImageBehavior"),
            example!("pull-error", "An image that is not there", "ErrImagePull, ImagePullBackOff"),
            example!("refused", "A manifest that is refused", "validation, in the server’s words"),
        ],
    },
    Group {
        title: "CronJobs and Jobs",
        examples: &[
            example!("hello-cronjob", "Hello, every minute", "a CronJob, its jobs and their logs"),
            example!("cron-forbid", "Runs that overlap", "concurrencyPolicy"),
            example!("cron-zone", "Half past two, in two zones", "timeZone"),
            example!("cron-suspended", "A suspended CronJob", "suspend, startingDeadlineSeconds"),
            example!("cron-history", "History limits", "how many finished jobs are kept"),
            example!("cron-refused", "A CronJob that is refused", "a zone in the schedule, a long name"),
            example!("job-parallel", "Six completions, two at a time", "completions, parallelism"),
            example!("job-indexed", "An indexed job", "completionMode: Indexed"),
            example!("job-backoff", "A job that fails", "backoffLimit"),
            example!("job-deadline", "A job with a deadline", "activeDeadlineSeconds, ttlSecondsAfterFinished"),
            example!("sidecar", "A job with a sidecar", "init containers that go on"),
        ],
    },
    Group {
        title: "Deployments and the like",
        examples: &[
            example!("deployment", "Four web servers", "Deployment, ReplicaSet, pods"),
            example!("deployment-rollout", "A rolling update", "maxSurge, rollout undo"),
            example!("deployment-stuck", "A rollout that is stuck", "progressDeadlineSeconds"),
            example!("deployment-recreate", "All at once", "strategy Recreate"),
            example!("spread", "Evenly over the nodes", "topologySpreadConstraints"),
            example!("anti-affinity", "Never two on a node", "pod anti-affinity"),
            example!("statefulset", "One after another", "StatefulSet and headless Service"),
            example!("statefulset-partition", "A canary", "StatefulSet with a partition"),
            example!("replicaset", "A ReplicaSet adopts", "ReplicaSet and a bare pod"),
            example!("service", "A Service and its endpoints", "Service, EndpointSlices"),
            example!("ingress", "One door for two Services", "Ingress, paths"),
            example!("network-policy", "Who may talk to whom", "NetworkPolicy, tried with exec and wget"),
            example!("autoscaler", "More pods under load", "HorizontalPodAutoscaler, ImageBehavior"),
            example!("volume-claim", "A volume that stays", "PersistentVolumeClaim, StorageClass"),
            example!("disruption-budget", "A budget for disruptions", "PodDisruptionBudget and drain"),
            example!("quota", "A namespace with a quota", "ResourceQuota"),
            example!("bare-pods", "Bare pods", "nobody replaces them"),
        ],
    },
    Group { title: "Machines", examples: &[example!("many-machines", "A hundred machines more", "MachinePool")] },
];

pub fn find(name: &str) -> Option<&'static Example> {
    GROUPS.iter().flat_map(|it| it.examples).find(|it| it.name == name)
}

/// The machines of a fresh cluster.
pub const SCENARIO: &str = include_str!("../../examples/machines/four.yaml");
