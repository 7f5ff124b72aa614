// What makes the editor comfortable: problem marks, completion, hovers and search.
import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { search, searchKeymap } from "@codemirror/search";
import { hoverTooltip, keymap } from "@codemirror/view";
import { position } from "./position.js";

export function extensions({ complete, hover }) {
  const keys = keymap.of([...completionKeymap, ...lintKeymap, ...searchKeymap]);
  const asked = [complete && completion(complete), hover && hovers(hover)].filter(Boolean);
  return [lintGutter(), search({ top: true }), keys, ...asked];
}

/** The transaction that shows these problems and no others. */
export function problems(state, found) {
  const shown = found.map(({ line, column = 1, severity = "error", message }) => {
    const from = position(state, line, column);
    const rest = state.doc.lineAt(from);
    // Nothing to underline at the end of a line: then the whole line is.
    const start = from < rest.to ? from : rest.from;
    return { from: start, to: rest.to, severity, message };
  });
  return setDiagnostics(state, shown);
}

function completion(complete) {
  const source = async (context) => {
    const word = context.matchBefore(/[\w.\/-]*/);
    if (!context.explicit && word.from === word.to) return null;
    const line = context.state.doc.lineAt(context.pos);
    const options = await complete(context.state.doc.toString(), line.number, context.pos - line.from);
    return options?.length ? { from: word.from, options, validFor: /^[\w.\/-]*$/ } : null;
  };
  return autocompletion({ override: [source], icons: false });
}

function hovers(hover) {
  return hoverTooltip(async (view, pos) => {
    const line = view.state.doc.lineAt(pos);
    const text = await hover(view.state.doc.toString(), line.number, pos - line.from);
    if (!text) return null;
    return {
      pos,
      above: true,
      create() {
        const dom = document.createElement("div");
        dom.className = "cm-hover-text";
        dom.textContent = text;
        return { dom };
      },
    };
  });
}
