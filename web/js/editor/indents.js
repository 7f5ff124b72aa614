// The rest of a line that is too long for the editor stands a little further in than its beginning, however far in that is.
import { RangeSetBuilder } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin } from "@codemirror/view";

/** Further in than this the rest would have too little room. */
const INDENT_MAX = 16;
const EXTRA = 2;

const hanging = (indent) => ({ paddingLeft: `calc(6px + ${indent + EXTRA}ch)`, textIndent: `-${indent + EXTRA}ch` });
const indents = Array.from({ length: INDENT_MAX + 1 }, (_, indent) => indent);
// As classes: the page's policy forbids inline styles.
const theme = EditorView.theme(Object.fromEntries(indents.map((indent) => [`.cm-line.cm-in${indent}`, hanging(indent)])));
const lines = indents.map((indent) => Decoration.line({ class: `cm-in${indent}` }));

function decorations({ state, visibleRanges }) {
  const builder = new RangeSetBuilder();
  let done = -1;
  for (const { from, to } of visibleRanges) {
    for (let line = state.doc.lineAt(from); ; line = state.doc.line(line.number + 1)) {
      if (line.from > done) builder.add(line.from, line.from, lines[Math.min(line.text.search(/\S|$/), INDENT_MAX)]);
      done = line.from;
      if (line.to >= to || line.number === state.doc.lines) break;
    }
  }
  return builder.finish();
}

class Indents {
  constructor(view) {
    this.decorations = decorations(view);
  }

  update({ docChanged, viewportChanged, view }) {
    if (docChanged || viewportChanged) this.decorations = decorations(view);
  }
}

export const hangingLines = [theme, ViewPlugin.fromClass(Indents, { decorations: (it) => it.decorations })];
