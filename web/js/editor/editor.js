// The manifest editor: CodeMirror with YAML, looks taken from the page's variables.
//
// What is not needed to type (problem marks, completion, hovers, search) is in `extras.js`, fetched once the editor
// stands, so that it costs no time before.
import "./styles.js";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { indentUnit } from "@codemirror/language";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import {
  EditorView,
  drawSelection,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { hangingLines } from "./indents.js";
import { look } from "./look.js";
import { lineMarks, setLineMarks } from "./marks.js";
import { position } from "./position.js";

/**
 * Makes an editor inside `host`; `loadExtras` gives a promise of the module `extras.js`.
 *
 * options: {
 *   text,                            what it holds at first
 *   label,                           its name for a screen reader
 *   onChange(text),                  the text changed, by whoever
 *   onApply(),                       Ctrl/Cmd + Enter
 *   onCursor(line),                  the cursor is on another line, counted from 1
 *   complete(text, line, column),    a promise of [{label, detail, info, apply}]; line from 1, column from 0
 *   hover(text, line, column),       a promise of a text or null
 * }
 */
export function createEditor(host, options, loadExtras) {
  const { text = "", label = "Manifest", onChange, onApply, onCursor } = options;
  const readOnly = new Compartment();
  const extras = new Compartment();
  const watch = EditorView.updateListener.of((update) => {
    if (update.docChanged) onChange?.(update.state.doc.toString());
    const line = lineOf(update.state);
    if (update.selectionSet && line !== lineOf(update.startState)) onCursor?.(line);
  });
  const applyKey = {
    key: "Mod-Enter",
    run: () => {
      onApply?.();
      return true;
    },
  };
  const extensions = [
    Prec.highest(keymap.of([applyKey])),
    lineNumbers(),
    EditorView.lineWrapping,
    history(),
    drawSelection(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    yaml(),
    look,
    hangingLines,
    lineMarks,
    // Tab is not taken: it leaves the editor, as it leaves any other field.
    keymap.of([...defaultKeymap, ...historyKeymap]),
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
    readOnly.of([]),
    extras.of([]),
    watch,
  ];
  const view = new EditorView({ parent: host, state: EditorState.create({ doc: text, extensions }) });
  let problems = [];
  let more = null;
  loadExtras().then((module) => {
    more = module;
    view.dispatch({ effects: extras.reconfigure(more.extensions(options)) });
    view.dispatch(more.problems(view.state, problems));
  });

  return {
    text: () => view.state.doc.toString(),
    /** Replaces the text as one step that can be undone; a cursor in what is replaced, or in quite another text, goes to where that began. */
    setText(next) {
      if (next === view.state.doc.toString()) return;
      const { from, insert, to } = difference(view.state.doc.toString(), next);
      const { from: at } = view.state.selection.main;
      const isOther = 2 * (to - from) > view.state.doc.length;
      const anchor = at <= from ? at : isOther || at < to ? from : at - to + from + insert.length;
      view.dispatch({ changes: { from, to, insert }, selection: { anchor }, scrollIntoView: true });
    },
    /** problems: [{line, column, severity: "error" | "warning" | "info", message}]; line and column from 1. */
    setProblems(next) {
      problems = next;
      if (more) view.dispatch(more.problems(view.state, problems));
    },
    /** Marks whole lines, counted from 1, as what decides or what changed. */
    setMarks: (lines) => view.dispatch({ effects: setLineMarks.of(lines) }),
    setReadOnly: (is) => view.dispatch({ effects: readOnly.reconfigure(EditorState.readOnly.of(is)) }),
    /** Puts the cursor there and shows it. */
    goTo(line, column = 1) {
      const at = position(view.state, line, column);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

function lineOf(state) {
  return state.doc.lineAt(state.selection.main.head).number;
}

/** The one stretch in which two texts differ. */
function difference(before, after) {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from++;
  let same = 0;
  while (same < shorter - from && before.at(-1 - same) === after.at(-1 - same)) same++;
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) };
}
