//! Containers that are to be others than they are: a pod's image was changed in place.

use sim::{Duration, Instant};

use crate::behavior;
use crate::life::{Life, Next, State};
use crate::outside::{Outside, spec_of};
use crate::probes::Why;

/// Takes in what the pod's spec says of images now.
pub(crate) fn take_in(life: &mut Life, now: Instant, outside: &Outside<'_>) {
    if life.stopping || life.rejected {
        return;
    }
    for container in &mut life.containers {
        let Some(spec) = spec_of(outside.pod, container) else { continue };
        let image = spec.get("image").and_then(value::Value::as_shared_str);
        let Some(image) = image.filter(|it| **it != container.image) else { continue };
        let is_over = container.ended().is_some() && container.next == Next::Nothing;
        if is_over
            || container.next == Next::Killed
            || (container.is_init && !container.is_sidecar && container.is_running())
        {
            continue;
        }
        container.behavior = behavior::of(&outside.view, outside.pod, spec, container.is_init);
        if container.is_running() {
            container.prospects.killed = Some(Box::new((now, Why::Changed)));
            container.plan(Next::Kill, now);
            continue;
        }
        container.image = image.clone();
        container.back_off = Duration::ZERO;
        if !matches!(container.state, State::Waiting { .. }) || container.next != Next::Nothing {
            container.plan(Next::Pull, now);
        }
    }
}
