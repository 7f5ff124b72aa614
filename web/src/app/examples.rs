//! Manifests to begin with. Each shows one thing and says so in its first lines.

pub struct Group {
    pub title: &'static str,
    pub examples: &'static [Example],
}

pub struct Example {
    pub name: &'static str,
    pub title: &'static str,
    pub shows: &'static str,
    pub text: &'static str,
}

/// What the editor holds at first.
pub const FIRST: &str = "fluentd-elasticsearch";

macro_rules! example {
    ($name:literal, $title:literal, $shows:literal) => {
        Example {
            name: $name,
            title: $title,
            shows: $shows,
            text: include_str!(concat!("../../examples/", $name, ".yaml")),
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
        title: "Beside DaemonSets",
        examples: &[
            example!("bare-pods", "Bare pods", "nobody replaces them"),
            example!("many-machines", "A hundred machines more", "MachinePool"),
        ],
    },
];

pub fn find(name: &str) -> Option<&'static Example> {
    GROUPS.iter().flat_map(|it| it.examples).find(|it| it.name == name)
}

/// The machines of a fresh cluster.
pub const SCENARIO: &str = include_str!("../../examples/machines/four.yaml");
