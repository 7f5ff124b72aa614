// Lets pods travel from where they were to where they are, and marks once what changed. Nothing loops.

const TRAVEL_MS = 240;
const PULSE_MS = 450;
/** One after another, so that the eye can follow. */
const STAGGER_MS = 70;

/** Before the next drawing: what was where, and how it looked. */
let before = new Map();

const chipOf = (uid) => document.querySelector(`.chip[data-uid="${CSS.escape(uid)}"]`);
const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden;

export function beforeMove(uids) {
  before = new Map();
  if (isCalm()) return;
  const lane = document.querySelector("[data-testid='pending']")?.getBoundingClientRect();
  for (const uid of uids) {
    const chip = chipOf(uid);
    // What is new comes from where pods wait.
    const from = chip?.getBoundingClientRect() ?? lane;
    before.set(uid, { from, look: chip?.dataset.look, node: chip?.dataset.node });
  }
}

export function afterMove() {
  let n = 0;
  for (const [uid, { from, look, node }] of before) {
    const chip = chipOf(uid);
    if (!chip) continue;
    if (chip.dataset.node && chip.dataset.node !== node && from) {
      travel(chip, from, n++ * STAGGER_MS);
    } else if (look && look !== chip.dataset.look) {
      pulse(chip);
    }
  }
  before.clear();
}

function travel(chip, from, delay) {
  const to = chip.getBoundingClientRect();
  if (!to.width || !from.width) return;
  const x = from.left - to.left + Math.min(0, (from.width - to.width) / 2);
  const y = from.top - to.top;
  chip.animate(
    [
      { transform: `translate(${x}px, ${y}px)`, opacity: 0.2, zIndex: 10 },
      { transform: "none", opacity: 1, zIndex: 10 },
    ],
    { duration: TRAVEL_MS + Math.min(delay, 4 * STAGGER_MS), delay, easing: "cubic-bezier(0.2, 0.8, 0.2, 1)", fill: "backwards" },
  );
}

function pulse(chip) {
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  chip.animate([{ boxShadow: `0 0 0 4px ${colour}` }, { boxShadow: "0 0 0 0 transparent" }], {
    duration: PULSE_MS,
    easing: "ease-out",
  });
}
