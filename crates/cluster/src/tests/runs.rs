//! What becomes of containers that run: their probes, hooks and commands.

use expect_test::expect;

use super::failures::{begin, check, play};
use super::pass;

#[test]
fn the_liveness_example_of_the_documentation_restarts() {
    check(
        &[
            "{kind: Pod, metadata: {name: live}, spec: {containers: [{name: liveness, image: 'registry.k8s.io/busybox:1.27.2', \
             args: [/bin/sh, -c, 'touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600'], livenessProbe: \
             {exec: {command: [cat, /tmp/healthy]}, initialDelaySeconds: 5, periodSeconds: 5}}]}}",
            "wait 35",
            "pod live",
            "wait 15",
            "story live",
            "wait 30",
            "pod live",
        ],
        expect![[r#"
            live: Running
              liveness ready restarts 0 running
            Normal Pulling x1: Pulling image "registry.k8s.io/busybox:1.27.2"
            Normal Pulled x1: Successfully pulled image "registry.k8s.io/busybox:1.27.2" in 800ms (800ms including waiting). Image size: 158200443 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
            Warning Unhealthy x3: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory
            Normal Killing x1: Container liveness failed liveness probe, will be restarted
            live: Running
              liveness ready restarts 1 running, before terminated 137 Error
        "#]],
    );
}

#[test]
fn probes_complain_until_they_pass() {
    let pod = |name: &str, image: &str, more: &str| {
        format!(
            "{{kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: main, image: '{image}', {more}}}]}}}}"
        )
    };
    check(
        &[
            &pod("never", "web:1", "readinessProbe: {exec: {command: ['false']}, periodSeconds: 5}"),
            &pod("port", "nginx", "readinessProbe: {httpGet: {port: 8080, path: /ok}}"),
            &pod("named", "nginx", "livenessProbe: {tcpSocket: {port: web}}"),
            &pod("script", "busybox", "command: [sleep, 1h], livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}"),
            &pod("startup", "web:1", "startupProbe: {exec: {command: [sh, -c, 'exit 1']}, periodSeconds: 2}"),
            &pod(
                "fine",
                "web:1",
                "readinessProbe: {httpGet: {port: 80}}, livenessProbe: {exec: {command: [pg_isready]}}",
            ),
            "wait 38",
            "pod never",
            "story never",
            "pod port",
            "story port",
            "story named",
            "story script",
            "story startup",
            "pod fine",
            "story fine",
        ],
        expect![[r#"
            never: Running
              main restarts 0 running
            Normal Pulling x1: Pulling image "web:1"
            Normal Pulled x1: Successfully pulled image "web:1" in 800ms (800ms including waiting). Image size: 49363648 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
            Warning Unhealthy x8: Readiness probe failed:
            port: Running
              main restarts 0 running
            Normal Pulling x1: Pulling image "nginx"
            Normal Pulled x1: Successfully pulled image "nginx" in 800ms (800ms including waiting). Image size: 182356015 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
            Warning Unhealthy x4: Readiness probe failed: Get "http://10.128.0.5:8080/ok": dial tcp 10.128.0.5:8080: connect: connection refused
            Normal Pulling x1: Pulling image "nginx"
            Normal Pulled x1: Successfully pulled image "nginx" in 800ms (800ms including waiting). Image size: 182356015 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
            Warning Unhealthy x4: Liveness probe errored and resulted in unknown state: strconv.Atoi: parsing "web": invalid syntax
            Normal Pulling x2: Pulling image "busybox"
            Normal Pulled x2: Successfully pulled image "busybox" in 800ms (800ms including waiting). Image size: 196901353 bytes.
            Normal Created x2: Container created
            Normal Started x2: Container started
            Warning Unhealthy x4: Liveness probe failed: dial tcp 10.128.0.6:80: connect: connection refused
            Normal Killing x1: Container main failed liveness probe, will be restarted
            Normal Pulling x1: Pulling image "web:1"
            Normal Pulled x1: Successfully pulled image "web:1" in 800ms (800ms including waiting). Image size: 49363648 bytes.
            Normal Created x3: Container created
            Normal Started x3: Container started
            Warning Unhealthy x9: Startup probe failed:
            Normal Killing x3: Container main failed startup probe, will be restarted
            Normal Pulled x2: Container image "web:1" already present on machine and can be accessed by the pod
            Warning BackOff x2: Back-off restarting failed container main in pod startup_default($startup)
            fine: Running
              main ready restarts 0 running
            Normal Pulling x1: Pulling image "web:1"
            Normal Pulled x1: Successfully pulled image "web:1" in 800ms (800ms including waiting). Image size: 49363648 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
        "#]],
    );
}

#[test]
fn commands_that_are_not_there_and_shells_that_end() {
    let pod = |name: &str, image: &str, more: &str| {
        format!(
            "{{kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: main, image: '{image}', {more}}}]}}}}"
        )
    };
    let limit = "resources: {limits: {memory: 100Mi}}";
    let stress = |mb: u32| format!("command: [stress], args: [--vm, '1', --vm-bytes, {mb}M, --vm-hang, '1'], {limit}");
    check(
        &[
            &pod("absent", "busybox", "command: [nosuchbinary]"),
            &pod("argument", "busybox", "args: [nosuchbinary]"),
            &pod("unknown", "mine:1", "command: [nosuchbinary]"),
            &pod("shell", "busybox", ""),
            &pod("typed", "busybox", "stdin: true, tty: true"),
            &pod("big", "polinux/stress", &stress(250)),
            &pod("small", "polinux/stress", &stress(50)),
            &pod(
                "word",
                "debian",
                "command: [/bin/sh, -c, 'sleep 1 && echo Sleep expired > /dev/termination-log; sleep 99']",
            ),
            &pod(
                "log",
                "debian",
                "command: [/bin/sh, -c, 'echo one; echo two; exit 3'], \
                 terminationMessagePolicy: FallbackToLogsOnError",
            ),
            "wait 3",
            "pod absent",
            "story absent",
            "wait 3",
            "pod absent",
            "pod argument",
            "pod unknown",
            "pod shell",
            "pod typed",
            "pod big",
            "pod small",
            "pod log",
            "wait 100",
            "pod word",
        ],
        expect![[r#"
            absent: Running
              main restarts 0 waiting RunContainerError failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nosuchbinary": executable file not found in $PATH: unknown, before terminated 128 StartError failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nosuchbinary": executable file not found in $PATH: unknown
            Normal Pulling x2: Pulling image "busybox"
            Normal Pulled x2: Successfully pulled image "busybox" in 800ms (800ms including waiting). Image size: 196901353 bytes.
            Normal Created x1: Container created
            Warning Failed x1: Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nosuchbinary": executable file not found in $PATH: unknown
            absent: Running
              main restarts 1 waiting CrashLoopBackOff back-off 10s restarting failed container=main pod=absent_default($absent), before terminated 128 StartError failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nosuchbinary": executable file not found in $PATH: unknown
            argument: Running
              main restarts 1 waiting CrashLoopBackOff back-off 10s restarting failed container=main pod=argument_default($argument), before terminated 128 StartError failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nosuchbinary": executable file not found in $PATH: unknown
            unknown: Running
              main ready restarts 0 running
            shell: Running
              main restarts 1 waiting CrashLoopBackOff back-off 10s restarting failed container=main pod=shell_default($shell), before terminated 0 Completed
            typed: Running
              main ready restarts 0 running
            big: Running
              main ready restarts 1 running, before terminated 137 OOMKilled
            small: Running
              main ready restarts 0 running
            log: Running
              main restarts 1 waiting CrashLoopBackOff back-off 10s restarting failed container=main pod=log_default($log), before terminated 3 Error one
            two

            word: Running
              main ready restarts 1 running, before terminated 0 Completed Sleep expired

        "#]],
    );
}

#[test]
fn hooks_fail() {
    check(
        &[
            "{kind: Pod, metadata: {name: hooked}, spec: {containers: [{name: main, image: 'web:1', lifecycle: {postStart: \
             {exec: {command: [sh, -c, 'echo no; exit 1']}}}}]}}",
            "{kind: Pod, metadata: {name: stopped}, spec: {containers: [{name: main, image: 'web:1', lifecycle: {preStop: \
             {exec: {command: [sh, -c, 'sleep 3; exit 1']}}}}]}}",
            "wait 2",
            "pod hooked",
            "delete Pod stopped",
            "wait 2",
            "pod stopped",
            "wait 3",
            "pod hooked",
            "pod stopped",
            "story hooked",
            "story stopped",
        ],
        expect![[r#"
            hooked: Running
              main restarts 0 waiting PostStartHookError Exec lifecycle hook ([sh -c echo no; exit 1]) for Container "main" in Pod "hooked_default($hooked)" failed - error: command 'sh -c echo no; exit 1' exited with 1: no
            , message: "no\n", before terminated 0 Completed
            stopped: Running
              main ready restarts 0 running
            hooked: Running
              main restarts 1 waiting CrashLoopBackOff back-off 10s restarting failed container=main pod=hooked_default($hooked), before terminated 0 Completed
            stopped: gone
            Normal Pulling x1: Pulling image "web:1"
            Normal Pulled x1: Successfully pulled image "web:1" in 800ms (800ms including waiting). Image size: 49363648 bytes.
            Normal Created x2: Container created
            Normal Started x2: Container started
            Warning FailedPostStartHook x2: PostStartHook failed
            Normal Killing x2: FailedPostStartHook
            Normal Pulled x1: Container image "web:1" already present on machine and can be accessed by the pod
            Warning BackOff x1: Back-off restarting failed container main in pod hooked_default($hooked)
            Normal Pulling x1: Pulling image "web:1"
            Normal Pulled x1: Successfully pulled image "web:1" in 800ms (800ms including waiting). Image size: 49363648 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
            Normal Killing x1: Stopping container main
            Warning FailedPreStopHook x1: PreStopHook failed
        "#]],
    );
}

#[test]
fn a_container_gets_another_image_in_place() {
    check(
        &[
            "{kind: Pod, metadata: {name: web}, spec: {containers: [{name: main, image: 'web:1'}]}}",
            "{kind: Pod, metadata: {name: wrong, annotations: {'sim.drydock.dev/main.pull.error': 'no such image'}}, \
             spec: {containers: [{name: main, image: 'web:none'}]}}",
            "wait 30",
            "pod wrong",
            "{kind: Pod, metadata: {name: web}, spec: {containers: [{name: main, image: 'web:2'}]}}",
            "{kind: Pod, metadata: {name: wrong, annotations: {'sim.drydock.dev/main.pull.error': null}}, \
             spec: {containers: [{name: main, image: 'web:1'}]}}",
            "wait 5",
            "pod web",
            "pod wrong",
            "story web",
        ],
        expect![[r#"
            wrong: Pending
              main restarts 0 waiting ErrImagePull no such image
            web: Running
              main ready restarts 1 running, before terminated 0 Completed
            wrong: Running
              main ready restarts 0 running
            Normal Pulling x1: Pulling image "web:1"
            Normal Pulled x1: Successfully pulled image "web:1" in 800ms (800ms including waiting). Image size: 49363648 bytes.
            Normal Created x2: Container created
            Normal Started x2: Container started
            Normal Killing x1: Container main definition changed, will be restarted
            Normal Pulling x1: Pulling image "web:2"
            Normal Pulled x1: Successfully pulled image "web:2" in 800ms (800ms including waiting). Image size: 184248281 bytes.
        "#]],
    );
}

#[test]
fn probes_that_pass_cost_nothing_once_they_have() {
    let mut cluster = begin();
    for it in ["a", "b", "c"] {
        let pod = format!(
            "{{kind: Pod, metadata: {{name: {it}}}, spec: {{containers: [{{name: main, image: nginx, readinessProbe: \
             {{httpGet: {{port: 80}}}}, livenessProbe: {{httpGet: {{port: 80}}}}}}]}}}}"
        );
        play(&mut cluster, &pod);
    }
    // Events have gone after an hour.
    pass(&mut cluster, 4_000);
    assert!(play(&mut cluster, "pod c").contains("main ready restarts 0 running"));
    let before = (cluster.revision(), cluster.n_turns());
    pass(&mut cluster, 3_600);
    assert_eq!((cluster.revision(), cluster.n_turns()), before);
}

#[test]
fn resources_change_in_place_where_there_is_room() {
    let asks = |cpu: &str| {
        format!(
            "{{kind: Pod, metadata: {{name: web}}, spec: {{containers: [{{name: main, image: 'web:1', resources: \
             {{requests: {{cpu: {cpu}, memory: 1Gi}}}}}}]}}}}"
        )
    };
    check(
        &[
            &asks("'1'"),
            "wait 5",
            "show Pod web status.containerStatuses",
            &format!("resize {}", asks("'2'")),
            "wait 5",
            "show Pod web status.containerStatuses status.conditions",
            &format!("resize {}", asks("'9'")),
            "wait 5",
            "show Pod web status.containerStatuses status.conditions",
            &format!("resize {}", asks("'3'")),
            "wait 5",
            "show Pod web status.containerStatuses status.conditions",
            "story web",
        ],
        expect![[r#"
            web: [{"allocatedResources":{"cpu":"1","memory":"1Gi"},"containerID":"drydock://42782076cdcef83242782176cdcef9e542781e76cdcef4cc42781f76cdcef67f","image":"web:1","imageID":"docker.io/library/web@sha256:d7e79c39936780c0d7e79d3993678273d7e79e3993678426d7e79f39936785d9","lastState":{},"name":"main","ready":true,"resources":{"requests":{"cpu":"1","memory":"1Gi"}},"restartCount":0,"started":true,"state":{"running":{"startedAt":"2026-01-01T09:00:11Z"}},"volumeMounts":[{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-g2cn6","readOnly":true,"recursiveReadOnly":"Disabled"}]}]
            200 OK
            web: [{"allocatedResources":{"cpu":"2","memory":"1Gi"},"containerID":"drydock://42782076cdcef83242782176cdcef9e542781e76cdcef4cc42781f76cdcef67f","image":"web:1","imageID":"docker.io/library/web@sha256:d7e79c39936780c0d7e79d3993678273d7e79e3993678426d7e79f39936785d9","lastState":{},"name":"main","ready":true,"resources":{"requests":{"cpu":"2","memory":"1Gi"}},"restartCount":0,"started":true,"state":{"running":{"startedAt":"2026-01-01T09:00:11Z"}},"volumeMounts":[{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-g2cn6","readOnly":true,"recursiveReadOnly":"Disabled"}]}]
              PodReadyToStartContainers True -: -
              Initialized True -: -
              Ready True -: -
              ContainersReady True -: -
              PodScheduled True -: -
            403 Forbidden
            web: [{"allocatedResources":{"cpu":"2","memory":"1Gi"},"containerID":"drydock://42782076cdcef83242782176cdcef9e542781e76cdcef4cc42781f76cdcef67f","image":"web:1","imageID":"docker.io/library/web@sha256:d7e79c39936780c0d7e79d3993678273d7e79e3993678426d7e79f39936785d9","lastState":{},"name":"main","ready":true,"resources":{"requests":{"cpu":"2","memory":"1Gi"}},"restartCount":0,"started":true,"state":{"running":{"startedAt":"2026-01-01T09:00:11Z"}},"volumeMounts":[{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-g2cn6","readOnly":true,"recursiveReadOnly":"Disabled"}]}]
              PodReadyToStartContainers True -: -
              Initialized True -: -
              Ready True -: -
              ContainersReady True -: -
              PodScheduled True -: -
            200 OK
            web: [{"allocatedResources":{"cpu":"3","memory":"1Gi"},"containerID":"drydock://42782076cdcef83242782176cdcef9e542781e76cdcef4cc42781f76cdcef67f","image":"web:1","imageID":"docker.io/library/web@sha256:d7e79c39936780c0d7e79d3993678273d7e79e3993678426d7e79f39936785d9","lastState":{},"name":"main","ready":true,"resources":{"requests":{"cpu":"3","memory":"1Gi"}},"restartCount":0,"started":true,"state":{"running":{"startedAt":"2026-01-01T09:00:11Z"}},"volumeMounts":[{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-g2cn6","readOnly":true,"recursiveReadOnly":"Disabled"}]}]
              PodReadyToStartContainers True -: -
              Initialized True -: -
              Ready True -: -
              ContainersReady True -: -
              PodScheduled True -: -
            Normal Pulling x1: Pulling image "web:1"
            Normal Pulled x1: Successfully pulled image "web:1" in 800ms (800ms including waiting). Image size: 49363648 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
            Normal ResizeStarted x1: Pod resize started: {"containers":[{"name":"main","resources":{"requests":{"cpu":"2","memory":"1Gi"}}}],"generation":2}
            Normal ResizeCompleted x1: Pod resize completed: {"containers":[{"name":"main","resources":{"requests":{"cpu":"2","memory":"1Gi"}}}],"generation":2}
            Normal ResizeStarted x1: Pod resize started: {"containers":[{"name":"main","resources":{"requests":{"cpu":"3","memory":"1Gi"}}}],"generation":3}
            Normal ResizeCompleted x1: Pod resize completed: {"containers":[{"name":"main","resources":{"requests":{"cpu":"3","memory":"1Gi"}}}],"generation":3}
        "#]],
    );
}

#[test]
fn a_change_that_waits_for_room_is_made_when_another_pod_goes() {
    let asks = |name: &str, cpu: &str| {
        format!(
            "{{kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: main, image: 'web:1', resources: \
             {{requests: {{cpu: {cpu}}}}}}}]}}}}"
        )
    };
    check(
        &[
            &asks("web", "'1'"),
            &asks("other", "'2'"),
            "wait 5",
            &format!("resize {}", asks("web", "'3'")),
            "wait 5",
            "show Pod web status.conditions",
            "delete Pod other",
            "wait 5",
            "show Pod web status.conditions",
            "story web",
        ],
        expect![[r#"
            200 OK
            web:
              PodReadyToStartContainers True -: -
              Initialized True -: -
              Ready True -: -
              ContainersReady True -: -
              PodScheduled True -: -
              PodResizePending True Deferred: Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000
            web:
              PodReadyToStartContainers True -: -
              Initialized True -: -
              Ready True -: -
              ContainersReady True -: -
              PodScheduled True -: -
            Normal Pulling x1: Pulling image "web:1"
            Normal Pulled x1: Successfully pulled image "web:1" in 800ms (800ms including waiting). Image size: 49363648 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
            Warning ResizeDeferred x1: Pod resize OutOfcpu: {"containers":[{"name":"main","resources":{"requests":{"cpu":"3"}}}],"generation":2,"error":"Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000"}
            Normal ResizeStarted x1: Pod resize started: {"containers":[{"name":"main","resources":{"requests":{"cpu":"3"}}}],"generation":2}
            Normal ResizeCompleted x1: Pod resize completed: {"containers":[{"name":"main","resources":{"requests":{"cpu":"3"}}}],"generation":2}
        "#]],
    );
}

#[test]
fn a_critical_pod_makes_room_for_itself() {
    let pod = |name: &str, rest: &str| {
        format!(
            "{{kind: Pod, metadata: {{name: {name}}}, spec: {{nodeName: node-1, {rest}, containers: [{{name: main, image: 'web:1', resources: \
             {{requests: {{cpu: '2'}}}}}}]}}}}"
        )
    };
    check(
        &[
            &pod("a", "terminationGracePeriodSeconds: 3"),
            &pod("b", "priorityClassName: system-cluster-critical"),
            "wait 5",
            &pod("c", "priorityClassName: system-node-critical"),
            "wait 8",
            "pod a",
            "pod b",
            "pod c",
            "show Pod a status.conditions",
            "story a",
            &pod("d", "priorityClassName: system-cluster-critical"),
            "wait 3",
            "pod b",
            "pod d",
        ],
        expect![[r#"
            a: Failed Preempting Preempted in order to admit critical pod
              main restarts 0 terminated 0 Completed
            b: Running
              main ready restarts 0 running
            c: Running
              main ready restarts 0 running
            a:
              PodReadyToStartContainers False -: -
              Initialized True -: -
              Ready False PodFailed: -
              ContainersReady False PodFailed: -
              PodScheduled True -: -
              DisruptionTarget True TerminationByKubelet: Pod was preempted by Kubelet to accommodate a critical pod.
            Normal Pulling x1: Pulling image "web:1"
            Normal Pulled x1: Successfully pulled image "web:1" in 800ms (800ms including waiting). Image size: 49363648 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
            Warning Preempting x1: Preempted in order to admit critical pod
            Normal Killing x1: Stopping container main
            b: Running
              main ready restarts 0 running
            d: Failed UnexpectedAdmissionError Pod was rejected: Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 2000), ]
        "#]],
    );
}

#[test]
fn hooks_that_nobody_hears_fail() {
    let pod = |name: &str, container: &str| {
        format!(
            "{{kind: Pod, metadata: {{name: {name}}}, spec: {{terminationGracePeriodSeconds: 1, containers: [{{name: main, {container}}}]}}}}"
        )
    };
    check(
        &[
            &pod(
                "deaf",
                "image: busybox, command: [sleep, '60'], lifecycle: {postStart: {httpGet: {port: 80, path: /up}}}",
            ),
            &pod("web", "image: nginx, lifecycle: {postStart: {httpGet: {port: 80}}, preStop: {httpGet: {port: 81}}}"),
            "wait 4",
            "pod deaf",
            "pod web",
            "delete Pod web",
            "wait 3",
            "story deaf",
            "story web",
        ],
        expect![[r#"
            deaf: Running
              main restarts 0 waiting PostStartHookError HTTP lifecycle hook (/up) for Container "main" in Pod "deaf_default($deaf)" failed - error: Get "http://10.128.0.2:80/up": dial tcp 10.128.0.2:80: connect: connection refused, before terminated 137 Error
            web: Running
              main ready restarts 0 running
            Normal Pulling x2: Pulling image "busybox"
            Normal Pulled x2: Successfully pulled image "busybox" in 800ms (800ms including waiting). Image size: 196901353 bytes.
            Normal Created x2: Container created
            Normal Started x2: Container started
            Warning FailedPostStartHook x2: PostStartHook failed
            Normal Killing x2: FailedPostStartHook
            Warning BackOff x1: Back-off restarting failed container main in pod deaf_default($deaf)
            Normal Pulling x1: Pulling image "nginx"
            Normal Pulled x1: Successfully pulled image "nginx" in 800ms (800ms including waiting). Image size: 182356015 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
            Normal Killing x1: Stopping container main
            Warning FailedPreStopHook x1: PreStopHook failed
        "#]],
    );
}

#[test]
fn secrets_for_pulling_that_are_missing_are_told_first() {
    check(
        &[
            "{kind: Secret, metadata: {name: there}}",
            "{kind: Pod, metadata: {name: a}, spec: {imagePullSecrets: [{name: here}, {name: there}, {name: gone}], containers: \
             [{name: main, image: nginx}]}}",
            "wait 3",
            "story a",
        ],
        expect![[r#"
            Warning FailedToRetrieveImagePullSecret x1: Unable to retrieve some image pull secrets (here, gone); attempting to pull the image may not succeed.
            Normal Pulling x1: Pulling image "nginx"
            Normal Pulled x1: Successfully pulled image "nginx" in 800ms (800ms including waiting). Image size: 182356015 bytes.
            Normal Created x1: Container created
            Normal Started x1: Container started
        "#]],
    );
}
