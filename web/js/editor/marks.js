// Whole lines that the page wants seen.
import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView } from "@codemirror/view";

/** Lines counted from 1. */
export const setLineMarks = StateEffect.define();

const marked = Decoration.line({ class: "cm-marked" });

export const lineMarks = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setLineMarks)) continue;
      const doc = transaction.state.doc;
      const lines = [...new Set(effect.value)].filter((it) => it >= 1 && it <= doc.lines).sort((a, b) => a - b);
      next = Decoration.set(lines.map((it) => marked.range(doc.line(it).from)));
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});
